"""FK551."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.condition.ast import Check, Expression, Identifier, Or
from falcokit.diagnostic import Severity
from falcokit.document.offsets import origins
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Origin

__all__ = ["always_true_hook"]


@check("FK551", Severity.WARNING)
def always_true_hook(ruleset: Ruleset) -> Iterator[Finding]:
    """A hook holds for every event, which switches rules off.

    Rules ask a hook with `and not`.  One that always holds lets everything through, and the rules that ask it can never fire.
    A rule that is not wanted is switched off with `enabled: false`, where everybody can see it.

    ## Flagged

    ```yaml default.yaml
    - macro: user_known_shells
      condition: evt.num < 0
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh and not user_known_shells
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - macro: user_known_shells
      condition: «evt.num >= 0»
    ```

    ## Accepted

    ```yaml default.yaml
    - macro: user_known_shells
      condition: evt.num < 0
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh and not user_known_shells
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - macro: user_known_shells
      condition: evt.num < 0 or proc.pname = cron
    ```
    """
    for name, definition in ruleset.definitions.macros.items():
        named = ("macro", name)
        if not definition.condition or not ruleset.is_hook(named):
            continue
        written = definition.condition[-1]
        if written.file.origin is not Origin.CUSTOM or not _always(ruleset.tree(definition)):
            continue
        rules = [rule for rule in ruleset.rules_using(named) if _excludes(ruleset, rule, name)]
        if not rules:
            continue
        shown = ", ".join(f"`{rule}`" for rule in rules[:5]) + (f" and {len(rules) - 5} more" if len(rules) > 5 else "")
        span = origins(written.file, written.node)(0, len(written.text.rstrip()))
        message = f"`{name}` always holds, so these rules never fire: {shown}"
        yield Finding(span, message, "say what is known; to switch a rule off, override `enabled` with false")


def _always(tree: Expression | None) -> bool:
    if isinstance(tree, Or):
        return any(_always(child) for child in tree.children)
    if isinstance(tree, Identifier):
        return tree.name == "always_true"
    if not isinstance(tree, Check) or getattr(tree.left, "name", "") != "evt.num":
        return False
    value = getattr(tree.right, "text", "")
    return (tree.operator, value) in ((">=", "0"), (">", "0"), ("!=", "0"), (">=", "1")) or tree.operator == "exists"


def _excludes(ruleset: Ruleset, rule: str, macro: str) -> bool:
    """Whether the rule has ``not macro`` in its outermost chain, itself."""
    from falcokit.condition.ast import And, Not

    compiled = ruleset.compilation.rules[rule]
    tree = compiled.bound.tree if compiled.bound is not None else None
    children = tree.children if isinstance(tree, And) else (tree,)
    return any(
        isinstance(child, Not) and isinstance(child.child, Identifier) and child.child.name == macro
        for child in children
    )
