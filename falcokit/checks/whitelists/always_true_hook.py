"""FK551."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.condition.ast import Check, Expression, Identifier, Or
from falcokit.diagnostic import Severity
from falcokit.document.offsets import origins
from falcokit.logic import Claim, is_named, places
from falcokit.ruleset.definitions import MacroDefinition
from falcokit.ruleset.ruleset import Named, Ruleset
from falcokit.source import Origin

__all__ = ["always_true_hook"]


@check("FK551", Severity.WARNING)
def always_true_hook(ruleset: Ruleset) -> Iterator[Finding]:
    """A hook holds for every event, which switches rules off.

    Rules ask a hook with `and not`.  One that always holds lets everything through, and the rules that ask it can never fire.
    A rule that is not wanted is switched off with `enabled: false`, where everybody can see it.  A hook does the same where it holds for all
    that a rule catches, such as "in a container" in a rule about containers.

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

    All that the rule catches:

    ```yaml default.yaml
    - macro: user_trusted_containers
      condition: evt.num < 0
    - rule: Shell in a container
      desc: a shell
      condition: evt.type = execve and container.id != host and proc.name in (sh, bash) and not user_trusted_containers
      output: shell %proc.name in %container.id
      priority: INFO
    ```

    ```yaml custom.yaml
    - macro: user_trusted_containers
      condition: «container.image.repository = example.com/shop or container.id != host»
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
    for named, definition in ruleset.named.items():
        if not isinstance(definition, MacroDefinition) or not definition.condition or not ruleset.is_hook(named):
            continue
        written = definition.condition[-1]
        if written.file.origin is not Origin.CUSTOM:
            continue
        name = definition.name
        if _always(ruleset.tree(definition)):
            what, rules = (
                "always holds",
                [rule for rule in ruleset.rules_using(named) if _excludes(ruleset, rule, name)],
            )
        elif definition.contributions[0].file.origin is Origin.DEFAULT:
            what, rules = "holds for all that they catch", _swallowed(ruleset, named)
        else:
            continue
        if rules:
            shown = ", ".join([f"`{r}`" for r in rules[:5]]) + (f" and {len(rules) - 5} more" if len(rules) > 5 else "")
            span = origins(written.file, written.node)(0, len(written.text.rstrip()))
            message = f"`{name}` {what}, so these rules never fire: {shown}"
            yield Finding(span, message, "say what is known; to switch a rule off, override `enabled` with false")


def _swallowed(ruleset: Ruleset, named: Named) -> list[str]:
    """The rules whose events all satisfy the macro *named* that they exclude."""
    macro = ruleset.compilation.macros.get(named[1])
    if macro is None or macro.bound.tree is None:
        return []
    opposite = Claim(macro.bound.tree, macro.bound, holds=False)
    found = []
    for rule in ruleset.rules_using(named):
        asked = places(ruleset.compilation.rules[rule], lambda claim: is_named(claim, named[1]), ruleset.catalogue)
        if any(not place.claim.holds and place.excludes(opposite) for place in asked):
            found.append(rule)
    return found


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
