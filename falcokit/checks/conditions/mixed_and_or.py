"""FK453."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.checks.conditions._chains import chains
from falcokit.condition.ast import And, Or
from falcokit.diagnostic import Confidence, Severity
from falcokit.ruleset.ruleset import Ruleset

__all__ = ["mixed_and_or"]


@check("FK453", Severity.INFO, Confidence.MEDIUM)
def mixed_and_or(ruleset: Ruleset) -> Iterator[Finding]:
    """`and` and `or` stand side by side without parentheses.

    `and` binds tighter: `a and b or c` is `(a and b) or c`.  Who reads it from left to right reads something else.  Put parentheses
    around what belongs together.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: «evt.type = execve and proc.name = sh» or evt.type = execveat
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: (evt.type = execve and proc.name = sh) or (evt.type = execveat and (proc.name = a or proc.name = b))
      output: shell %proc.name
      priority: INFO
    ```

    ## See also

    `appended-precedence`
    """
    for chain in chains(ruleset):
        if not isinstance(chain.node, Or) or not any(isinstance(child, And) for child in chain.node.children):
            continue
        data = chain.body.final.encode("utf-8", "surrogateescape")
        for child in chain.node.children:
            if isinstance(child, And) and not _in_parentheses(data, child):
                span = chain.body.locate(child.children[0].start, child.children[-1].end)
                message = "`and` binds tighter than the `or` beside it"
                yield Finding(span, message, "put parentheses around what belongs together")
                break


def _in_parentheses(text: bytes, node: And) -> bool:
    """Whether the nearest sign before the chain is an opening parenthesis of its own."""
    start, end = node.children[0].start, node.children[-1].end
    before = text[:start].rstrip()
    if not before.endswith((b"(", b"not")):
        return False
    depth = 0
    for sign in text[start:end]:
        depth += (sign == 40) - (sign == 41)
    after = text[end:].lstrip()
    return before.endswith(b"(") and (after.startswith(b")") or depth < 0)
