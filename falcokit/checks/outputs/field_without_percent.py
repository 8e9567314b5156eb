"""FK651."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from falcokit.catalogue import FieldUse
from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Edit, Fix, Severity
from falcokit.document.offsets import origins
from falcokit.ruleset.ruleset import Ruleset

__all__ = ["field_without_percent"]

_LITERAL: Final = re.compile(
    r"[=>:](?:(?<==)|(?<=->)|(?<=\w:))\s?([a-z][a-z0-9]*+(?:\.[a-z][a-z0-9_]*+)++)(?![\w.\[/-]|\s*[=:])"
).finditer


@check("FK651", Severity.WARNING)
def field_without_percent(ruleset: Ruleset) -> Iterator[Finding]:
    """A field in an output has no percent sign.

    Falco prints the name of the field, not what it is.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: a shell (user=«user.name» command=%proc.cmdline)
      priority: INFO
    ```

    ## Fixed

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: a shell (user=%user.name command=%proc.cmdline)
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: a shell (user=%user.name host=my.host command=%proc.cmdline), which user.name tells
      priority: INFO
    ```
    """
    for definition in ruleset.rule_definitions:
        for written in definition.output:
            for found in _LITERAL(written.text):
                if isinstance(ruleset.catalogue.resolve(found[1], definition.source), FieldUse):
                    span = origins(written.file, written.node)(found.start(1), found.end(1))
                    message = f"without `%` this prints the word `{found[1]}`"
                    fix = (
                        Fix("write the `%`", (Edit(span, f"%{span.text}"),), safe=False)
                        if span.text == found[1]
                        else None
                    )
                    yield Finding(span, message, f"write `%{found[1]}`", (), fix)
