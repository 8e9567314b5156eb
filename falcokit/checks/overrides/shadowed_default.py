"""FK350."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.checks.overrides._append_form import append_form
from falcokit.checks.overrides._redefinitions import Redefinition, redefinitions
from falcokit.diagnostic import Label, Severity
from falcokit.ruleset.default_index import Dated, dated
from falcokit.ruleset.ruleset import Ruleset, name_span
from falcokit.source import Origin

__all__ = ["shadowed_default"]


@check("FK350", Severity.WARNING)
def shadowed_default(ruleset: Ruleset) -> Iterator[Finding]:
    """A custom item takes the place of a default one.

    Falco keeps the last definition of a name.  The copy hides the default and stays as it is when the default rules
    are updated: what they learn to detect, this installation never will.  Append to the default instead, or use the
    hook it has.  Where the default really must go, `override` with `replace` says so for single keys.

    Lists and macros that are made to be overridden, such as `user_known_write_etc_conditions`, are not flagged.

    ## Flagged

    Copies that only add can be appends:

    ```yaml default.yaml
    - list: shells
      items: [sh, bash]
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (shells)
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - «list: shells»
      items:
        - bash
        - sh
        - zsh
    # ours
    - «rule: Shell»
      desc: a shell
      condition: evt.type = execve and proc.name in (shells) and not proc.pname = cron
      output: shell %proc.name
      priority: INFO
    ```

    Of other copies only their author knows what they are for:

    ```yaml default.yaml
    - macro: spawned_process
      condition: evt.type in (execve, execveat) and evt.res = 0
    - rule: Shell
      desc: a shell
      condition: spawned_process and proc.name = sh
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - «macro: spawned_process»
      condition: evt.type = execve
    ```

    ## Fixed

    With `--unsafe`, as comments inside the copy go away with it:

    ```yaml custom.yaml
    - list: shells
      items: [zsh]
      override:
        items: append
    # ours
    - rule: Shell
      condition: and not proc.pname = cron
      override:
        condition: append
    ```

    ## Accepted

    ```yaml default.yaml
    - macro: user_known_shells
      condition: evt.num < 0
    - list: shells
      items: [sh, bash]
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (shells) and not user_known_shells
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - macro: user_known_shells
      condition: proc.pname = cron
    - list: shells
      items: [zsh]
      override:
        items: append
    ```

    ## See also

    `identical-copy`, `replaced-default`, `redefined-elsewhere`
    """
    for found in redefinitions(ruleset):
        if (
            found.base_item.file.origin is not Origin.DEFAULT
            or found.item.file.origin is not Origin.CUSTOM
            or found.same
            or found.explicit
            or ruleset.is_hook(found.named, found.before)
        ):
            continue
        copied = dated(found.named, found.after)
        fix = append_form(found)
        yield Finding(
            name_span(found.item), _message(found, copied), _help(found, copied), _labels(ruleset, found), fix
        )


def _message(found: Redefinition, copied: Dated | None) -> str:
    kind, name = found.named
    if copied is None:
        return f"this copy hides the default {kind} `{name}`{found.difference()}"
    releases = copied.last if copied.first == copied.last else f"{copied.first} to {copied.last}"
    changed = ", ".join(copied.changed)
    return f"this copy hides the default {kind} `{name}`: it equals that of {copied.family} {releases}, which changed in {changed}"


def _help(found: Redefinition, copied: Dated | None) -> str:
    kind, _ = found.named
    if copied is not None:
        return "remove the copy, so that the default is in effect as it stands today"
    if kind == "rule":
        keys = [key for key in found.changed if key != "source"]
        form = "condition: append" if not keys or "condition" in keys else ", ".join(f"{key}: replace" for key in keys)
        return "name only what you change under `override`, such as `override: {" + form + "}`"
    return (
        "append to it (`override: {" + ("items" if kind == "list" else "condition") + ": append}`), or rename the copy"
    )


def _labels(ruleset: Ruleset, found: Redefinition) -> tuple[Label, ...]:
    label = "the default stands here"
    rules = ruleset.rules_using(found.named) if found.named[0] != "rule" else ()
    others = [r for r in rules if ruleset.definitions.rules[r].item.file.origin is Origin.DEFAULT]
    if others:
        shown = ", ".join(f"`{r}`" for r in others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else "")
        label = f"default rules that change with it: {shown}; the default stands here"
    return (Label(name_span(found.base_item), label),)
