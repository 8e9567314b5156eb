"""FK059."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Edit, Fix, Severity
from falcokit.document import Sequence
from falcokit.ruleset.items import ListItem
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import SourceFile, Span

__all__ = ["merged_list_items"]


@check("FK059", Severity.WARNING)
def merged_list_items(ruleset: Ruleset) -> Iterator[Finding]:
    """Two lines of a list are one item.

    A text without quotes goes on over the end of its line.  Where the comma or the `-` between two items is missing, YAML makes one
    item of them, with a blank in the middle, and nothing is ever equal to it.

    ## Flagged

    ```yaml custom.yaml
    - list: agents
      items: [
        example.com/agent,
        «example.com/tools
        example.com/proxy»,
        example.com/probe
      ]
    - rule: Unknown image
      desc: an image that is not known
      condition: evt.type = execve and not container.image.repository in (agents)
      output: image %container.image.repository
      priority: INFO
    ```

    ## Fixed

    ```yaml custom.yaml
    - list: agents
      items: [
        example.com/agent,
        example.com/tools,
        example.com/proxy,
        example.com/probe
      ]
    - rule: Unknown image
      desc: an image that is not known
      condition: evt.type = execve and not container.image.repository in (agents)
      output: image %container.image.repository
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - list: commands
      items:
        - nginx
        - "nginx -c
           /etc/nginx.conf"
        - java -Xmx1g
          -jar app.jar
    - rule: Unknown command
      desc: a command that is not known
      condition: evt.type = execve and not proc.cmdline in (commands)
      output: command %proc.cmdline
      priority: INFO
    ```
    """
    for item in ruleset.items:
        if not isinstance(item, ListItem):
            continue
        for written in item.items:
            node = written.node
            if node.style or " " not in node.value:
                continue
            lines = item.file.text[node.start : node.end].split("\n")
            words = [line.strip() for line in lines]
            # A line of several words is part of a longer text.
            if len(words) < 2 or any(len(word.split()) != 1 for word in words):
                continue
            items = item.node.get("items")
            flow = isinstance(items, Sequence) and items.flow
            help_text = "put a comma at the end of the line" if flow else "begin each item with `- `"
            if _breaks_off(words):
                help_text = "if it is one item, write it on one line; else " + help_text
            message = f"these {len(words)} lines are one item, `{node.value}`"
            fix = _commas(item.file, node.start, lines) if flow else None
            yield Finding(Span(item.file, node.start, node.end), message, help_text, (), fix)


def _breaks_off(words: list[str]) -> bool:
    """Whether a line may break off in the middle of a path."""
    return len({"/" in word for word in words}) > 1 or any(w.endswith(("/", "-", ".", ":")) for w in words[:-1])


def _commas(file: SourceFile, start: int, lines: list[str]) -> Fix | None:
    """A comma at the end of each line but the last; None where a line may break off in the middle of a path."""
    if _breaks_off([line.strip() for line in lines]):
        return None
    edits = []
    for line in lines[:-1]:
        at = start + len(line.rstrip())
        edits.append(Edit(Span(file, at, at), ","))
        start += len(line) + 1
    return Fix("put a comma between them", tuple(edits), safe=False)
