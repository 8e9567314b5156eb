"""FK652."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from falcokit.catalogue import FieldUse
from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Severity
from falcokit.document.offsets import origins
from falcokit.ruleset.ruleset import Ruleset

__all__ = ["half_read_field"]

_NAME: Final = re.compile(r"%[0-9]*+([a-zA-Z][a-zA-Z0-9_]*+(?:\.[a-zA-Z][a-zA-Z0-9_]*+)++)(?!\[)")


@check("FK652", Severity.WARNING)
def half_read_field(ruleset: Ruleset) -> Iterator[Finding]:
    """Falco reads only the beginning of a field's name in an output.

    Behind a `%` Falco takes the longest field that the text begins with, and prints the rest of the word as it stands:
    `%container.image.repo` is the field `container.image` and the text `.repo`, `%user.namepid=` is `user.name` and
    `pid=`.  Nothing is said about it when the file is loaded.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: a shell (image=«%container.image.repo» user=«%user.namepid»=%proc.pid)
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: a shell %proc.name.  From %fd.cip:%fd.cport by %user.name_%user.uid, %proc.aname[2].
      priority: INFO
    ```

    ## See also

    `field-without-percent`
    """
    catalogue = ruleset.catalogue
    for rule in ruleset.rules:
        if rule.output_result is None or rule.output_result.problems:
            continue
        source, fields = rule.definition.source, rule.output_result.fields
        for written in rule.definition.output:
            if not set(_NAME.findall(written.text)).difference(fields):
                continue
            for found in _NAME.finditer(written.text):
                word = found[1]
                if word in fields or isinstance(catalogue.resolve(word, source), FieldUse) or word == "container.info":
                    continue
                longest = catalogue.longest(word, 0, source)
                rest = word[longest[0] :] if longest is not None else ""
                if longest is None or not rest.strip("_"):
                    continue
                span = origins(written.file, written.node)(found.start(), found.end())
                near = catalogue.suggest(word, source)
                help_text = f"put a blank behind `%{longest[2]}`"
                if near:
                    help_text = f"did you mean {' or '.join(f'`%{field}`' for field in near)}?"
                yield Finding(span, f"this prints the field `{longest[2]}` and the text `{rest}`", help_text)
