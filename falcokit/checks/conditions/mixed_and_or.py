"""FK453."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.checks.conditions._chains import chains
from falcokit.condition.ast import And, Or
from falcokit.diagnostic import Confidence, Severity
from falcokit.ruleset.ruleset import Ruleset

__all__ = ["mixed_and_or"]

_SIGN: Final = re.compile(rb"""[()]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""", re.DOTALL)
"""Parentheses, and quoted texts, whose parentheses do not count."""


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
    - rule: File
      desc: a file
      condition: evt.type = open or («evt.type = openat and (fd.name = "a)"» ) or (evt.type = openat2))
      output: file %fd.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: >
        (evt.type = execve and proc.name = sh) or (evt.type = execveat and (proc.name = a or proc.name = b))
        or ((evt.type = clone or evt.type = vfork) and ( proc.name = "(" or proc.name = c ))
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
    """Whether one of the signs right before the chain is an opening parenthesis of its own."""
    start, end = node.children[0].start, node.children[-1].end
    at = start
    while (before := text[:at].rstrip()).endswith(b"("):
        at = len(before) - 1
        depth = 0
        for sign in _SIGN.finditer(text, at):
            depth += (sign[0] == b"(") - (sign[0] == b")")
            if depth == 0:
                # Parentheses around the first and the last part may stand between.
                if sign.start() >= end and not text[end : sign.start()].strip(b") \t\r\n"):
                    return True
                break
    return False
