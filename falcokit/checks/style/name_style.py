"""FK954."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Severity
from falcokit.ruleset.default_index import is_published
from falcokit.ruleset.items import RuleItem
from falcokit.ruleset.ruleset import NamedItem, Ruleset, defines
from falcokit.source import Span

__all__ = ["name_style"]

_LOWER: Final = re.compile(r"[a-z0-9_]*")
_USABLE: Final = {"list": re.compile(r"""[^()"'\s=,]+"""), "macro": re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")}
"""Names that a condition can use; any other is a finding of its own."""
_ODD_BLANKS: Final = re.compile(r"^ | $|  |[\x00-\x1f\x7f-\x9f]")


@check("FK954", Severity.INFO, pedantic=True)
def name_style(ruleset: Ruleset) -> Iterator[Finding]:
    """A name is written in a way that is hard to write again.

    Names are compared letter by letter, wherever a rule is changed, a macro used, an alert looked up.  The default rules
    name macros and lists in lower case with underscores.  A blank at the end of a rule's name cannot be seen at all.

    ## Flagged

    ```yaml custom.yaml
    - list: «Allowed-Images»
      items: [registry.example.com/tools]
    - macro: «isShell»
      condition: proc.name = sh and container.image.repository in (Allowed-Images)
    - rule: «"Shell  started "»
      desc: a shell
      condition: evt.type = execve and isShell
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml default.yaml
    - list: Known-Images
      items: [registry.example.com/tools]
    ```

    ```yaml custom.yaml
    - list: Known-Images
      items: [registry.example.com/agent]
      override:
        items: append
    - macro: k8s_shell_2
      condition: proc.name = sh and container.image.repository in (Known-Images)
    - rule: Shell (T1059) started - by an Admin!
      desc: a shell
      condition: evt.type = execve and k8s_shell_2
      output: shell %proc.name
      priority: INFO
    ```

    ## See also

    `name-differs-by-case`
    """
    for definition in ruleset.named.values():
        item = definition.contributions[0]
        # Who only changes a rule, macro or list has to take its name as it is.
        if item.file not in ruleset.asked or not defines(item):
            continue
        message = _complaint(item)
        if message and not is_published(item.file.name):
            span = Span(item.file, item.name.node.start, item.name.node.end)
            yield Finding(span, message, _help(item))


def _complaint(item: NamedItem) -> str:
    name = item.name.text
    if isinstance(item, RuleItem):
        return f"the name `{' '.join(name.split())}` has blanks that cannot be seen" if _ODD_BLANKS.search(name) else ""
    if _LOWER.fullmatch(name) or not _USABLE[item.step.item_type].fullmatch(name):
        return ""
    return f"`{name}` is not in lower case with underscores"


def _help(item: NamedItem) -> str:
    if isinstance(item, RuleItem):
        return "write single blanks, and none at the ends"
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", item.name.text)
    return f"name it `{re.sub(r'[^a-z0-9]+', '_', plain.lower()).strip('_')}`, also where it is used"
