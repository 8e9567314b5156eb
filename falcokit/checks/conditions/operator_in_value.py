"""FK464."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.condition.ast import ListValue, Value
from falcokit.diagnostic import Edit, Fix, Severity
from falcokit.ruleset.ruleset import Ruleset
from falcokit.ruleset.uses import field_of

__all__ = ["operator_in_value"]

_OPERATOR: Final = re.compile(r"(?<=\w)(?:&&|\|\|)(?=[A-Za-z!])|(?<=\w);$")
_SIGN: Final = re.compile(r"&&|\|\||;")
_WORDS: Final = {"&&": " and ", "||": " or ", ";": ""}


@check("FK464", Severity.WARNING)
def operator_in_value(ruleset: Ruleset) -> Iterator[Finding]:
    """An operator of another language is part of a value.

    Falco knows no `&&`, `||` and `;`.  Without blanks around them they are letters like others: `proc.name=bash&&container` compares
    with the text `bash&&container`, which no process is called.  Falco loads the rule, and it never fires.

    ## Flagged

    ```yaml custom.yaml
    - macro: container
      condition: container.id != host
    - rule: Shell
      desc: a shell
      condition: evt.type=execve and proc.name=«bash&&container» and proc.pname=«cron;»
      output: shell %proc.name
      priority: INFO
    - rule: Another
      desc: another
      condition: evt.type=execve and (proc.name=«sh||container»)
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: >
        evt.type = execve and proc.cmdline contains "a && b" and proc.args contains ';' and not proc.cmdline contains &&
        and proc.args contains a||b and not proc.cmdline = x&&y and not proc.name = && and not proc.pname = "a&&b"
      output: shell %proc.name
      priority: INFO
    ```
    """
    bodies = {id(body) for body in ruleset.bodies if _SIGN.search(body.raw)}
    for use in [use for use in ruleset.uses if id(use.body) in bodies] if bodies else ():
        right = use.check.right
        # A command line can have them, and so can what is looked for inside a text.
        if use.check.operator not in ("=", "==", "!=", "in") or field_of(use.check).endswith(("cmdline", "args")):
            continue
        for value in right.items if isinstance(right, ListValue) else (right,) if isinstance(right, Value) else ():
            found = None if value.quoted else _OPERATOR.search(value.text)
            if found is not None:
                span = use.body.locate(value.start, value.end)
                fixed = _OPERATOR.sub(lambda part: _WORDS[part[0]], value.text)
                fix = Fix(f"write `{fixed}`", (Edit(span, fixed),), safe=False) if span.text == value.text else None
                message = f"`{value.text}` is one text: Falco takes `{found[0]}` for letters"
                yield Finding(span, message, f"write `{fixed}`, or quote it if it is meant", (), fix)
