"""FK060."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Edit, Fix, Severity
from falcokit.document import Scalar, Sequence
from falcokit.ruleset.items import ListItem
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Span

__all__ = ["comma_in_list_item"]

_WORDS: Final = re.compile(r"[\w./:@*+-]+(?: *, *[\w./:@*+-]+)+").fullmatch


@check("FK060", Severity.WARNING)
def comma_in_list_item(ruleset: Ruleset) -> Iterator[Finding]:
    """An item of a list has a comma in it.

    `items: ["sh, bash"]` is a list with one item.  Falco puts the items into the text of the condition: one with a blank gets quotes
    there, and is compared as a whole, so that nothing equals it; one without, such as `"sh,bash"`, is read as two values.
    A value that has a comma of its own needs quotes inside the YAML quotes: `'"a,b"'`.

    ## Flagged

    ```yaml custom.yaml
    - list: shells
      items: [«"sh, bash"», zsh]
    - list: mount_flags
      items: [«"ro,nosuid"»]
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (shells) and not proc.args in (mount_flags)
      output: shell %proc.name
      priority: INFO
    ```

    ## Fixed

    ```yaml custom.yaml
    - list: shells
      items: [sh, bash, zsh]
    - list: mount_flags
      items: [ro, nosuid]
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (shells) and not proc.args in (mount_flags)
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - list: commands
      items: ["echo one, two, three", '"ro,nosuid"']
    - rule: Command
      desc: a command
      condition: evt.type = execve and proc.cmdline in (commands)
      output: command %proc.cmdline
      priority: INFO
    ```
    """
    for item in ruleset.items:
        if not isinstance(item, ListItem):
            continue
        for written in item.items:
            text = written.text
            if "," not in text or not _WORDS(text):
                continue
            words = [word.strip() for word in text.split(",")]
            if " " in text:
                message = f"`{text}` is one value, with the comma in it"
            else:
                message = f"Falco reads this item as the {len(words)} values {', '.join(f'`{w}`' for w in words)}"
            help_text = f"write {len(words)} items, or `'\"{text}\"'` for the one value"
            span = Span(item.file, written.node.start, written.node.end)
            yield Finding(span, message, help_text, (), _apart(item, written.node, words))


def _apart(item: ListItem, node: Scalar, words: list[str]) -> Fix | None:
    """The item as several."""
    items = item.node.get("items")
    if not isinstance(items, Sequence) or not items.flow or not all(re.fullmatch(r"[\w/][\w./-]*", w) for w in words):
        return None
    edit = Edit(Span(item.file, node.start, node.end), ", ".join(words))
    return Fix(f"make {len(words)} items of it", (edit,), safe=False)
