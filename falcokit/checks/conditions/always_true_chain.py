"""FK452."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.checks.conditions._chains import chains
from falcokit.condition.ast import Check, Expression, Field, ListValue, Not, Or, Value
from falcokit.diagnostic import Severity
from falcokit.ruleset.ruleset import Ruleset

__all__ = ["always_true_chain"]


@check("FK452", Severity.WARNING)
def always_true_chain(ruleset: Ruleset) -> Iterator[Finding]:
    """A field is said to be not this or not that, which always holds.

    Whatever the value is, it is not one of the two.  `proc.name != a or proc.name != b` lets nothing out: `and` was meant, or
    `not proc.name in (a, b)`.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a process
      condition: evt.type = execve and (proc.name != sh or «proc.name != bash»)
      output: process %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a process
      condition: evt.type = execve and (proc.name != sh or proc.pname != bash) and not proc.name in (a, b)
      output: process %proc.name
      priority: INFO
    ```

    ## See also

    `never-true`
    """
    for chain in chains(ruleset):
        if not isinstance(chain.node, Or):
            continue
        known: dict[tuple[str, str | None], frozenset[str]] = {}
        for child in chain.node.children:
            excluded = _excluded(child)
            if excluded is None:
                continue
            field, texts = excluded
            key = (field.name, field.argument)
            if key in known and known[key].isdisjoint(texts):
                message = f"whatever `{field.name}` is, this or what stands before holds"
                help_text = f"write `and` between the two, or `not {field.name} in (...)`"
                yield Finding(chain.body.locate(child.start, child.end), message, help_text)
            known.setdefault(key, texts)


def _excluded(node: Expression) -> tuple[Field, frozenset[str]] | None:
    """The field and the values that *node* says it has not."""
    if isinstance(node, Check):
        operators: tuple[str, ...] = ("!=",)
    elif isinstance(node, Not) and isinstance(node.child, Check):
        node, operators = node.child, ("=", "==", "in")
    else:
        return None
    if node.operator not in operators or node.modifier or not isinstance(node.left, Field):
        return None
    if node.left.name.startswith("proc.a") and node.left.argument is None:
        return None
    if isinstance(node.right, ListValue):
        return node.left, frozenset(node.right.texts)
    return (node.left, frozenset((node.right.text,))) if isinstance(node.right, Value) else None
