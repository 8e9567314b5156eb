"""FK454."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.checks.conditions._lists import missing_list
from falcokit.condition.ast import Field, Operand
from falcokit.diagnostic import Severity
from falcokit.ruleset.operands import glued
from falcokit.ruleset.ruleset import Ruleset
from falcokit.ruleset.uses import place_of, texts_of

__all__ = ["process_name_too_long"]

_FIELDS: Final = ("proc.name", "proc.pname", "proc.aname", "proc.sname", "proc.vpgid.name", "thread.name")
_LENGTH: Final = 15


@check("FK454", Severity.WARNING)
def process_name_too_long(ruleset: Ruleset) -> Iterator[Finding]:
    """A process name is compared with a text that is longer than any process name.

    The kernel keeps fifteen bytes of the name of a process and cuts the rest off.  `proc.name = kube-controller-manager` never holds:
    the name is `kube-controller`.  Compare `proc.exepath` or `proc.exe` for the whole.

    ## Flagged

    ```yaml custom.yaml
    - rule: Controller
      desc: a controller
      condition: evt.type = execve and proc.name in (sh, «kube-controller-manager»)
      output: controller %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Controller
      desc: a controller
      condition: evt.type = execve and proc.name = kube-controller and proc.exepath endswith /kube-controller-manager
      output: controller %proc.name
      priority: INFO
    ```
    """
    seen = set()
    for use in [use for field in _FIELDS for use in ruleset.uses_of(field)]:
        if use.check.operator not in ("=", "==", "!=", "in", "startswith", "endswith", "contains"):
            continue
        texts = texts_of(use.check)
        for number, text in [(number, text) for number, text in enumerate(texts) if len(text) > _LENGTH]:
            if "&&" in text or "||" in text or missing_list(ruleset, use.check):
                continue  # Findings of their own.
            span = place_of(use, number)
            if (span.file, span.start) not in seen:
                seen.add((span.file, span.start))
                message = f"no process name is `{text}`: the kernel cuts it to {_LENGTH} bytes"
                yield Finding(span, message, _help(text, use.check.left, texts))


def _help(text: str, field: Operand, others: tuple[str, ...]) -> str:
    if text.strip("/ ") and "/" in text and " " not in text.strip():
        # The name of a process that was started by a path is what stands behind the last slash.
        text = text.strip().rstrip("/").rpartition("/")[2]
    elif " " in text:
        return "write the name of the program alone: what it calls itself later is in no field"
    cut = text.encode("utf-8", "replace")[:_LENGTH].decode("utf-8", "ignore")
    if cut in others and cut != text:
        return f"take it out: `{cut}` stands here already"
    name = glued(field) if isinstance(field, Field) else ""
    whole = re.sub(r"^proc\.([pa]?)name", r"proc.\1exepath", name)
    return f"write `{cut}`" + (f", or compare `{whole}`" if whole != name else "")
