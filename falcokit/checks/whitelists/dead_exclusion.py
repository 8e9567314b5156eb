"""FK559."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Confidence, Label, Severity
from falcokit.logic import Claim, Dead, Place, is_named, places, survey
from falcokit.ruleset.items import MacroItem, RuleItem
from falcokit.ruleset.ruleset import Named, Ruleset
from falcokit.source import Origin

__all__ = ["dead_exclusion"]


@check("FK559", Severity.WARNING, Confidence.MEDIUM)
def dead_exclusion(ruleset: Ruleset) -> Iterator[Finding]:
    """What is excluded can never happen where the rule fires.

    The rest of the condition leaves nothing of it, so the exclusion silences no event.  Mostly another field was meant, such
    as the name of the parent process, or the values belong to another rule.  Inside one condition this does no harm and is
    only told; a hook or an appended exclusion that does nothing leaves a noise that somebody meant to be gone.

    ## Flagged

    ```yaml default.yaml
    - list: shells
      items: [sh, bash, zsh]
    - macro: user_known_root_shells
      condition: evt.num = 0
    - rule: Shell of root
      desc: root started a shell
      condition: evt.type = execve and proc.name in (shells) and user.name = root and not user_known_root_shells
      output: shell %proc.name of %user.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - macro: user_known_root_shells
      condition: (proc.pname = cron or «proc.name = backup»)
      override:
        condition: replace
    - rule: Shell of root
      condition: and not «proc.name in (sshd, cron)»
      override:
        condition: append
    ```

    In one condition:

    ```yaml custom.yaml
    - list: shells
      items: [sh, bash, zsh]
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (shells) and not «proc.name in (sshd, cron)»
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - list: shells
      items: [sh, bash, zsh]
    - macro: user_known_root_shells
      condition: proc.name in (zsh, backup)
    - rule: Shell of root
      desc: root started a shell
      condition: >
        evt.type = execve and proc.name in (shells) and user.name = root and not proc.pname in (sshd, cron)
        and not user_known_root_shells
      output: shell %proc.name of %user.name
      priority: INFO
    ```

    ## See also

    `never-true`, `exception-never-applies`, `unreachable-list-item`
    """
    for found in survey(ruleset):
        for dead in found.dead:
            if dead.excluded:
                yield _finding(dead, Severity.WARNING if _added(ruleset, found.named, dead) else Severity.INFO)
    for named, definition in ruleset.named.items():
        first, last = definition.contributions[0], definition.contributions[-1]
        if isinstance(last, MacroItem) and first.file.origin is Origin.DEFAULT and last.file.origin is Origin.CUSTOM:
            yield from _hook(ruleset, named)


def _finding(dead: Dead, severity: Severity) -> Finding:
    labels = tuple([Label(claim.span(), "this leaves nothing of it") for claim in dead.because])
    message = "what is excluded here never gets so far: this silences nothing"
    return Finding(
        dead.part.span(), message, "compare the field that was meant, or take this out", labels, severity=severity
    )


def _added(ruleset: Ruleset, named: Named, dead: Dead) -> bool:
    """Whether the exclusion is appended to a condition that another item defines."""
    definition = ruleset.definition(named)
    span = dead.part.span()
    items = definition.contributions if definition is not None else ()
    return any(
        isinstance(item, (MacroItem, RuleItem))
        and item.file is span.file
        and item.node.start <= span.start < item.node.end
        for item in items[1:]
    )


def _hook(ruleset: Ruleset, named: Named) -> Iterator[Finding]:
    """What of the macro *named* excludes nothing in any rule that asks it."""
    macro = ruleset.compilation.macros.get(named[1])
    if macro is None or macro.bound.tree is None:
        return
    asked: list[Place] = []
    for rule in ruleset.rules_using(named):
        found = places(
            ruleset.compilation.rules[rule],
            lambda claim: is_named(claim, named[1]),
            ruleset.catalogue,
        )
        if not found or any(place.claim.holds for place in found):
            return
        if any(place.claim.span().file.origin is Origin.CUSTOM for place in found):
            return  # The text that asks is looked at for itself.
        asked += found
    claim = Claim(macro.bound.tree, macro.bound)
    for part in claim.parts() if claim.is_choice else (claim,):
        if asked and all(place.excludes(part) for place in asked) and part.span().file.origin is Origin.CUSTOM:
            because = asked[0].because(part)
            labels = () if because is None else (Label(because.span(), "this leaves nothing of it"),)
            what = "the rule that asks" if len(asked) == 1 else "all rules that ask"
            message = f"this never gets so far in {what} `{named[1]}`: it silences nothing"
            yield Finding(part.span(), message, "compare the field that was meant, or take this out", labels)
