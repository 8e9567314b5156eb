"""FK462."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.condition.ast import ListValue
from falcokit.diagnostic import Edit, Fix, Label, Severity
from falcokit.document import Sequence
from falcokit.ruleset.items import ListItem
from falcokit.ruleset.ruleset import Ruleset
from falcokit.ruleset.uses import Use
from falcokit.source import Span

__all__ = ["repeated_list_item"]

_PATTERN_SIGNS: Final = frozenset("*?[")


@check("FK462", Severity.INFO)
def repeated_list_item(ruleset: Ruleset) -> Iterator[Finding]:
    """A value stands twice among others.

    The second changes nothing.  Something else was meant, or it can go.  The same holds for a path of `pmatch` below another one:
    `/etc` matches all that `/etc/ssh` does.  What two lists have in common is not flagged.

    ## Flagged

    ```yaml custom.yaml
    - list: shells
      items: [sh, bash, «sh», zsh]
    - list: agents
      items:
        - agent
        - probe   # looks after the agent
        - «agent»
        - collector
    - rule: Shell
      desc: a shell
      condition: >
        evt.type in (execve, «execve») and proc.name in (shells) and not proc.pname in (agents)
        and not fd.name pmatch («/etc/ssh», /etc, /usr, «/usr/bin»)
      output: shell %proc.name
      priority: INFO
    ```

    ## Fixed

    ```yaml custom.yaml
    - list: shells
      items: [sh, bash, zsh]
    - list: agents
      items:
        - agent
        - probe   # looks after the agent
        - collector
    - rule: Shell
      desc: a shell
      condition: >
        evt.type in (execve) and proc.name in (shells) and not proc.pname in (agents)
        and not fd.name pmatch (/etc, /usr)
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - list: shells
      items: [sh, bash]
    - list: more_shells
      items: [bash, &last zsh, *last]
    - rule: Shell
      desc: a shell
      condition: >
        evt.type = execve and proc.name in (shells, more_shells, sh) and not fd.name pmatch (/etc, /etcetera, /*/bin, /usr/bin)
        and not proc.cmdline startswith oneof (a, a)
      output: shell %proc.name
      priority: INFO
    ```

    ## See also

    `repeated-operand`
    """
    for item in ruleset.items:
        if isinstance(item, ListItem) and len({written.node.value for written in item.items}) < len(item.items):
            yield from _in_list(item, ruleset)
    for use in ruleset.uses:
        right = use.check.right
        # `oneof` counts its values.
        if isinstance(right, ListValue) and not use.check.modifier and len(right.texts) > 1 and "," in use.body.raw:
            if use.check.operator == "pmatch":
                covered = _covered(right.texts)
            else:
                covered = _repeated(right.texts) if len(set(right.texts)) < len(right.texts) else {}
            for number, other in covered.items():
                yield from _in_condition(use, right, number, other)


def _repeated(texts: tuple[str, ...]) -> dict[int, int]:
    """The places of the texts that stand before already, with where."""
    first: dict[str, int] = {}
    return {
        number: first[text] for number, text in enumerate(texts) if text and first.setdefault(text, number) < number
    }


def _covered(texts: tuple[str, ...]) -> dict[int, int]:
    """The places of the paths that lie below another one or are the same, with where that stands."""
    parts = {
        number: tuple([part for part in text.split("/") if part])
        for number, text in enumerate(texts)
        if text and _PATTERN_SIGNS.isdisjoint(text)
    }
    first: dict[tuple[str, ...], int] = {}
    for number, path in parts.items():
        first.setdefault(path, number)
    found = {}
    for number, path in parts.items():
        other = next((first[path[:length]] for length in range(len(path) + 1) if path[:length] in first), number)
        if other != number:
            found[number] = other
    return found


def _in_list(item: ListItem, ruleset: Ruleset) -> Iterator[Finding]:
    spans = [Span(item.file, written.node.start, written.node.end) for written in item.items]
    items = item.node.get("items")
    flow = isinstance(items, Sequence) and items.flow
    safe = not any(use.check.modifier for use in ruleset.uses)
    for number, other in _repeated(tuple([written.text for written in item.items])).items():
        if spans[number].start == spans[other].start:
            continue  # An alias stands where its anchor does.
        edit = _without_comma(spans[number - 1], spans[number], None) if flow else _without_line(spans[number])
        yield _finding(spans[number], spans[other], item.items[number].text, "stands", edit, safe)


def _in_condition(use: Use, right: ListValue, number: int, other: int) -> Iterator[Finding]:
    """The finding, where both values are written in the condition itself."""
    text = use.body.raw
    # A place is dear where lists have been put in, and most of what stands twice comes from these.
    if not all(text.count(right.texts[n]) > (right.texts[number] == right.texts[other]) for n in (number, other)):
        return
    nodes = [(part.file, part.node) for part in use.body.parts]
    values = [right.items[n] for n in (number, other)]
    spans = [use.body.locate(value.start, value.end) for value in values]
    if not all(any(s.file is file and node.start <= s.start < node.end for file, node in nodes) for s in spans):
        return
    near = [right.items[n] for n in (number - 1, number + 1) if 0 <= n < len(right.items)]
    around = [use.body.locate(value.start, value.end) for value in near]
    edit = _without_comma(around[0] if number else None, spans[0], around[-1])
    same = right.texts[number].strip("/") == right.texts[other].strip("/")
    verb = "stands" if same else f"lies below `{right.texts[other]}`, which stands"
    yield _finding(spans[0], spans[1], right.texts[number], verb, edit, True)


def _finding(span: Span, other: Span, text: str, verb: str, edit: Edit | None, safe: bool) -> Finding:
    message = f"`{text}` {verb} here already" if span.start > other.start else f"`{text}` {verb} here too"
    fix = None if edit is None else Fix("take it out", (edit,), safe)
    return Finding(span, message, "take one of the two out", (Label(other, "here"),), fix)


def _without_comma(before: Span | None, span: Span, after: Span | None) -> Edit | None:
    """Take out the value with the comma before or, where it is the first, behind it; None where more stands there."""
    if before is not None and before.file is span.file and span.file.text[before.end : span.start].strip() == ",":
        return Edit(Span(span.file, before.end, span.end), "")
    if before is None and after is not None and span.file.text[span.end : after.start].strip() == ",":
        return Edit(Span(span.file, span.start, after.start), "")
    return None


def _without_line(span: Span) -> Edit | None:
    """Take out the line of a block sequence; None where more stands in it."""
    text = span.file.text
    start, end = text.rfind("\n", 0, span.start) + 1, text.find("\n", span.end) + 1
    if text[start : span.start].strip() != "-" or not end or text[span.end : end].strip():
        return None
    return Edit(Span(span.file, start, end), "")
