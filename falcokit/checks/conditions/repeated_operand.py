"""FK457."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.checks.conditions._chains import chains
from falcokit.condition.ast import Check, Expression, Field, Identifier, ListValue, Not, Or, Value
from falcokit.diagnostic import Severity
from falcokit.ruleset.ruleset import Ruleset

__all__ = ["repeated_operand"]


@check("FK457", Severity.INFO)
def repeated_operand(ruleset: Ruleset) -> Iterator[Finding]:
    """One part of a chain stands there twice.

    The second changes nothing.  Something else was meant, or it can go.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and (proc.name = sh or proc.name = bash or «proc.name = sh»)
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and (proc.name = sh or proc.pname = sh)
      output: shell %proc.name
      priority: INFO
    ```
    """
    for chain in chains(ruleset):
        seen: set[object] = set()
        for child in chain.node.children:
            key = _key(child)
            if key is not None and key in seen:
                word = "or" if isinstance(chain.node, Or) else "and"
                span = chain.body.locate(child.start, child.end)
                yield Finding(span, f"this stands in the same chain of `{word}` before", "take one of the two out")
            seen.add(key)


def _key(node: Expression) -> object:
    """What a part says, None where it is more than one comparison."""
    if isinstance(node, Check):
        left, right = node.left, node.right
        if not isinstance(left, Field) or not isinstance(right, (Value, ListValue)):
            return None
        texts = right.text if isinstance(right, Value) else right.texts
        return left.name, left.argument, node.operator, node.modifier, texts
    if isinstance(node, Identifier):
        return node.name
    inner = _key(node.child) if isinstance(node, Not) else None
    return None if inner is None else ("not", inner)
