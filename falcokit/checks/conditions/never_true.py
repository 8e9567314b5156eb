"""FK451."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.condition.ast import Check, Field, Identifier
from falcokit.diagnostic import Label, Severity
from falcokit.logic import Claim, Dead, Survey, survey
from falcokit.ruleset.operands import glued
from falcokit.ruleset.ruleset import Ruleset

__all__ = ["never_true"]


@check("FK451", Severity.WARNING)
def never_true(ruleset: Ruleset) -> Iterator[Finding]:
    """Parts of a condition cannot hold together.

    A field has one value in an event.  `proc.name = a and proc.name = b` never holds: `or` was meant, or `in (a, b)`.
    Macros say things too: one for programs that are started and one for files that are written ask for different event types, so a
    rule that joins them by `and` never fires, and an `or` between them that contains both has a side that is never true.

    This is decided on the condition with all macros, lists and exceptions put in.  What cannot be decided is not flagged, and
    neither are rules that a placeholder macro switches off.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh and «proc.name in (bash, zsh)»
      output: shell %proc.name
      priority: INFO
    ```

    Macros ask for different event types.

    ```yaml custom.yaml
    - macro: started
      condition: evt.type in (execve, execveat)
    - macro: written
      condition: evt.type in (open, openat, openat2) and evt.is_open_write = true
    - rule: Timers changed
      desc: timers were changed
      condition: started and (proc.name = crontab or («written and fd.name startswith /etc/cron»))
      output: timers changed by %proc.name
      priority: INFO
    - rule: Timers written
      desc: timers were written
      condition: started and «written» and fd.name startswith /etc/cron
      output: timers written by %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (sh, bash) and proc.name in (bash, zsh) and proc.aname = a and proc.aname = b
      output: shell %proc.name
      priority: INFO
    ```

    A macro that is made to be filled in can keep its rule from firing until it is.

    ```yaml custom.yaml
    - macro: ssh_port
      condition: fd.sport = 22
    - macro: allowed_ssh_hosts
      condition: ssh_port
    - rule: Other host by SSH
      desc: a connection to a host that is not allowed
      condition: evt.type = connect and ssh_port and not allowed_ssh_hosts
      output: connection %fd.name by %proc.name
      priority: INFO
    ```

    ## See also

    `always-true-chain`, `dead-exclusion`, `exception-never-applies`
    """
    for found in survey(ruleset):
        for dead in found.dead:
            if not dead.excluded and not _placeholder(dead):
                yield _finding(found, dead)


def _placeholder(dead: Dead) -> bool:
    """Whether it is an excluded macro that takes everything: one that is to be filled in, mostly."""
    return any(isinstance(claim.node, Identifier) and not claim.holds for claim in (dead.part, *dead.because))


def _finding(found: Survey, dead: Dead) -> Finding:
    kind, name = found.named
    labels = tuple([Label(claim.span(), "together with this") for claim in dead.because])
    clash = found.clash(dead)
    help_text = "write `or` between what excludes each other, or take this out"
    if clash is not None:
        first, second = clash
        assert isinstance(first.node, Check)
        field = glued(first.node.left) if isinstance(first.node.left, Field) else ""
        help_text = f"`{_text(first)}` and `{_text(second)}` exclude each other"
        help_text += f", {field} has one value in an event: write `or`, or compare what was meant" if field else ""
    if dead.whole:
        message = f"this can never hold, so the rule `{name}` never fires"
        if kind == "macro":
            message = f"this can never hold, so the macro `{name}` never does"
    else:
        message = "this can never hold here"
    if not dead.part.holds:
        message = message.replace("this can never hold", "this always holds, so that its `not` never does", 1)
    return Finding(dead.part.span(), message, help_text, labels)


def _text(claim: Claim) -> str:
    written = claim.bound.body.final.encode("utf-8", "surrogateescape")[claim.node.start : claim.node.end]
    text = " ".join(written.decode("utf-8", "replace").split())
    text = text if len(text) <= 60 else f"{text[:50]}..."
    return text if claim.holds else f"not {text}"
