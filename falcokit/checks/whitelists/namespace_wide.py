"""FK557."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.condition.ast import And, Check, Expression, Field, Not, Or
from falcokit.diagnostic import Confidence, Severity
from falcokit.ruleset.body import Body
from falcokit.ruleset.ruleset import Ruleset

__all__ = ["namespace_wide"]

_NAMESPACES = ("k8s.ns.name", "ka.target.namespace")


@check("FK557", Severity.INFO, Confidence.MEDIUM)
def namespace_wide(ruleset: Ruleset) -> Iterator[Finding]:
    """A whole namespace is let through.

    An attacker who gets into any pod of that namespace is not seen by this rule.  Say which image or process is known there.

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
      condition: «k8s.ns.name = backup»
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
      condition: k8s.ns.name = backup and proc.pname = cron
    - rule: Elsewhere
      desc: a shell outside of one namespace, which is what this rule is about
      condition: evt.type = execve and k8s.ns.name = backup
      output: shell %proc.name
      priority: INFO
    ```
    """
    for name, macro in ruleset.compilation.macros.items():
        if ruleset.is_hook(("macro", name)) and macro.bound.tree is not None:
            yield from _alone(macro.bound.body, macro.bound.tree)
    for rule in ruleset.rules:
        tree = rule.bound.tree if rule.bound is not None else None
        if rule.body is None or not isinstance(tree, And):
            continue
        for child in tree.children:
            if isinstance(child, Not):
                yield from _alone(rule.body, child.child)


def _alone(body: Body, tree: Expression) -> Iterator[Finding]:
    """The comparisons of a namespace that stand alone as an alternative."""
    for part in tree.children if isinstance(tree, Or) else (tree,):
        if (
            isinstance(part, Check)
            and isinstance(part.left, Field)
            and part.left.name in _NAMESPACES
            and part.operator in ("=", "==", "in", "startswith", "contains", "glob")
        ):
            message = "everything in a whole namespace is let through"
            yield Finding(
                body.locate(part.start, part.end), message, "add the image or the process that is known there"
            )
