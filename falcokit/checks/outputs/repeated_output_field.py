"""FK653."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Edit, Fix, Label, Severity
from falcokit.document.offsets import origins
from falcokit.ruleset.items import Written
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Span

__all__ = ["repeated_output_field"]

_PAIR: Final = re.compile(r"(?<![\w.%])([A-Za-z_][\w.-]*)=(%[a-z][\w.]*(?:\[[^\]\s]*\])?)(?![\w.\[])")


@check("FK653", Severity.INFO)
def repeated_output_field(ruleset: Ruleset) -> Iterator[Finding]:
    """An output prints the same field under the same word twice.

    The second says nothing that the first does not.  Most often another field was meant when the first was copied, or an
    appended output repeats what the rule prints already.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: a shell (user=%user.name command=%proc.cmdline «user=%user.name»)
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
      output: a shell in %container.name (user=%user.name container=%container.name cmd=%proc.cmdline by=%user.name)
      priority: INFO
    ```
    """
    for rule in ruleset.rules:
        result = rule.output_result
        if result is None or result.problems or len(frozenset(result.fields)) == len(result.fields):
            continue
        seen: dict[str, tuple[Written, int]] = {}
        for written in rule.definition.output:
            for found in _PAIR.finditer(written.text):
                first, at = seen.setdefault(found[0], (written, found.start()))
                if first is written and at == found.start():
                    continue
                span = origins(written.file, written.node)(found.start(), found.end())
                label = Label(origins(first.file, first.node)(at, at + len(found[0])), "here")
                message = f"`{found[0]}` is printed already"
                help_text = "take one out, or name the field that was meant"
                yield Finding(span, message, help_text, (label,), _without(span, found[0]))


def _without(span: Span, pair: str) -> Fix | None:
    """The pair taken out with the blank before it."""
    text = span.file.text
    before = span.start - 1
    if span.text != pair or text[before] != " " or text[before - 1] in " \n":
        return None
    return Fix("take it out", (Edit(Span(span.file, before, span.end), ""),), safe=False)
