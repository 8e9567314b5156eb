"""FK055."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.condition import parse
from falcokit.diagnostic import Problem, Severity
from falcokit.document import Node, Scalar, Sequence
from falcokit.document.offsets import origins
from falcokit.ruleset.items import EngineItem, IgnoredItem, PluginsItem
from falcokit.ruleset.ruleset import Ruleset

__all__ = ["typographic_character"]

_ODD: Final = re.compile("[\u201c\u201d\u2018\u2019\u00a0\u200b\u200c\u200d\u2060\ufeff]")
_NAMES: Final = {
    "\u00a0": "a no-break space",
    **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff", "an invisible character"),
}


@check("FK055", Severity.WARNING)
def typographic_character(ruleset: Ruleset) -> Iterator[Finding]:
    """A condition or list has a quote or blank that only looks like one.

    Word processors and web pages turn quotes and blanks into characters that Falco takes as letters: the value is another one
    than it seems, and nothing will ever equal it.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = «“»sh”
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: "a shell, that “sh”"
      condition: evt.type = execve and proc.name = "sh"
      output: "shell “%proc.name”"
      priority: INFO
    ```
    """
    for item in ruleset.items:
        if isinstance(item, (IgnoredItem, EngineItem, PluginsItem)) or item.file.text.isascii():
            continue
        conditions = _texts(item.node.get("condition"))
        for node in (conditions, _texts(item.node.get("items"))):
            for scalar in node:
                found = _ODD.search(scalar.value)
                # A condition that does not parse for it is reported with the same advice.
                if found is not None and not (node is conditions and isinstance(parse(scalar.value), Problem)):
                    what = _NAMES.get(found[0], "a quote of a word processor")
                    span = origins(item.file, scalar)(found.start(), found.end())
                    yield Finding(span, f"this is {what}, which Falco takes as a letter", "type it again, in ASCII")


def _texts(node: Node | None) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Sequence):
        yield from [inner for inner in node.items if isinstance(inner, Scalar)]
