"""From the text of a file to its documents: nodes built from the YAML parser's events.

Falco reads YAML with another library (yaml-cpp) than ours (libyaml, by way of ruamel.yaml); what they read differently
is evened out here, before, during and after the parse.  Events and not the parser's own composer, because that one is
recursive and a hostile file crashes it; the depth limit is Falco's.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from falcokit.document.node import Document, Mapping, Node, Scalar, Sequence
from falcokit.record import Record
from falcokit.source import SourceFile

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MAX_DEPTH", "YamlError", "compose"]

MAX_DEPTH: Final = 500
"""The nesting of collections that Falco's YAML reader refuses to exceed."""
_MAX_REPAIRS: Final = 50

_NULLS: Final = frozenset(("", "~", "null", "Null", "NULL"))
_FOREIGN_ASCII: Final = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]").search
_NEXT_TOKEN: Final = re.compile(r"(?:[ \t\r\n]+|(?:^|(?<=[ \t\r\n]))#[^\r\n]*)*", re.MULTILINE)
_ANCHOR: Final = re.compile(r"[&*]([^ \t\r\n,\[\]{}]+)")
_PRIVATE: Final = range(0xF0000, 0xFFFFE)


class YamlError(Record):
    """Why a text is not YAML: a sentence, the character it was noticed at, and the same as Falco counts it."""

    __slots__ = ("falco_offset", "in_tree", "message", "offset")

    def __init__(self, message: str, offset: int, falco_offset: int, in_tree: bool = False) -> None:
        self.message: Final = message
        self.offset: Final = offset
        self.falco_offset: Final = falco_offset
        self.in_tree: Final = in_tree


def compose(file: SourceFile) -> tuple[tuple[Document, ...], YamlError | None]:
    """The documents of *file*; on an error none, as in Falco."""
    text = file.text
    if (nul := text.find("\0")) >= 0:
        return (), YamlError("the file contains a NUL character", nul, min(nul + 2, len(text)))
    text, back = _hidden(text)
    reading = _Reading(file, text, back)
    for _ in range(_MAX_REPAIRS):
        documents, error = reading.documents()
        if error is None or not reading.repair(error):
            return documents, error
    return (), error


def _hidden(text: str) -> tuple[str, dict[int, int]]:
    """*text* with the characters that libyaml refuses or takes for line ends replaced by private ones that the text
    does not have, and the way back."""
    if text.isascii():
        if _FOREIGN_ASCII(text) is None:
            return text, {}
        foreign = {c for c in text if _FOREIGN_ASCII(c)}
    else:
        start = 1 if text.startswith("\ufeff") else 0
        pattern = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
        foreign = set(pattern.findall(text, start))
        if not foreign:
            return text, {}
    present = set(text)
    free = (code for code in _PRIVATE if chr(code) not in present)
    there = {ord(character): code for character, code in zip(sorted(foreign), free, strict=False)}
    hidden = text.translate(there)
    if text.startswith("\ufeff"):
        hidden = "\ufeff" + hidden[1:]
    return hidden, {code: character for character, code in there.items()}


class _Reading:
    """One file being read: its text with some characters hidden, and ``back``, the way to the hidden ones.

    ``inserted`` are the characters put in to repair what only libyaml refuses.
    """

    def __init__(self, file: SourceFile, text: str, back: dict[int, int]) -> None:
        self.file = file
        self.text = text
        self.back = back
        self.shift = 1 if text.startswith("\ufeff") else 0
        if self.shift:
            self.text = text[1:]
        self.inserted: list[int] = []
        self.unclosed: int | None = None

    def offset(self, index: int) -> int:
        """The character of the file that character *index* of the repaired text is."""
        return index - sum(1 for at in self.inserted if at < index) + self.shift

    def documents(self) -> tuple[tuple[Document, ...], YamlError | None]:
        from ruamel.yaml.events import (
            AliasEvent,
            DocumentStartEvent,
            MappingEndEvent,
            MappingStartEvent,
            ScalarEvent,
            SequenceEndEvent,
            SequenceStartEvent,
            StreamEndEvent,
        )

        parse, failures = _parser()
        documents: list[Document] = []
        stack: list[tuple[bool, int, bool, list[Any], str | None]] = []
        anchors: dict[str, Node | None] = {}
        plain_offsets = not self.inserted and not self.shift
        text, offset, length = self.text, self.offset, len(self.text)
        non_scalar_key: Node | None = None
        start = 0
        try:
            next_event = parse(text)
            while True:
                event = next_event()
                kind = event.__class__
                node: Node
                if kind is ScalarEvent:
                    begin, end = event.start_mark.index, event.end_mark.index
                    value = event.value
                    style = event.style or ""
                    null = not style and event.tag is None and value in _NULLS
                    if null and begin == end:
                        found = _NEXT_TOKEN.match(text, end)
                        begin = end = found.end() if found else end
                    elif style in ("|", ">"):
                        end = _rstrip(text, begin, end)
                    if self.back:
                        value = value.translate(self.back)
                    if not plain_offsets:
                        begin, end = offset(begin), offset(end)
                    node = Scalar(value, begin, end, style, null)
                    if event.anchor is not None:
                        anchors[event.anchor] = node
                elif kind is MappingStartEvent or kind is SequenceStartEvent:
                    if len(stack) >= MAX_DEPTH:
                        at = text.find("\n", event.start_mark.index)
                        at = offset(at if at >= 0 else length)
                        return (), YamlError(
                            f"collections nest deeper than {MAX_DEPTH} levels", offset(event.start_mark.index), at
                        )
                    if event.anchor is not None:
                        anchors[event.anchor] = None
                    begin = event.start_mark.index
                    is_map = kind is MappingStartEvent
                    stack.append((is_map, begin, event.flow_style is True, [], event.anchor))
                    continue
                elif kind is MappingEndEvent or kind is SequenceEndEvent:
                    is_map, begin, flow, parts, anchor = stack.pop()
                    end = event.end_mark.index if flow else _trimmed(text, begin, event.end_mark.index)
                    if not plain_offsets:
                        begin, end = offset(begin), offset(end)
                    if is_map:
                        keys = parts[::2]
                        node = Mapping(tuple(zip(keys, parts[1::2], strict=True)), begin, end, flow)
                        for key in keys:
                            if key.__class__ is not Scalar and non_scalar_key is None:
                                non_scalar_key = key
                    else:
                        node = Sequence(tuple(parts), begin, end, flow)
                    if anchor is not None:
                        anchors[anchor] = node
                elif kind is AliasEvent:
                    target = anchors.get(event.anchor)
                    if target is None:
                        at = offset(event.start_mark.index)
                        known = event.anchor in anchors
                        why = "stands inside its own anchor" if known else "names an anchor that is not defined before"
                        written = _ANCHOR.match(self.file.text, at)
                        return (), YamlError(f"the alias `{written[0] if written else '*'}` {why}", at, at)
                    node = target
                elif kind is DocumentStartEvent:
                    if event.version is not None and event.version[0] > 1:
                        at = offset(event.start_mark.index)
                        return (), YamlError("only YAML 1 can be read", at, at)
                    start = offset(event.start_mark.index)
                    anchors = {}
                    continue
                elif kind is StreamEndEvent:
                    break
                else:
                    continue
                if stack:
                    stack[-1][3].append(node)
                else:
                    root = None if node.__class__ is Scalar and node.null else node
                    documents.append(Document(self.file, root, start))
        except failures as failure:
            return (), self.error(failure)
        except RecursionError:  # only the pure parser recurses
            return (), YamlError(f"collections nest deeper than {MAX_DEPTH} levels", 0, 0)
        if non_scalar_key is not None:
            error = YamlError("a key is a sequence or mapping", non_scalar_key.start, 0, in_tree=True)
            return tuple(documents), error
        if self.unclosed is not None:
            documents[-1] = documents[-1].replaced(unclosed_quote=self.unclosed)
        return tuple(documents), None

    def error(self, failure: Any) -> YamlError:
        """What the parser complains of, at the place where Falco's YAML reader would."""
        mark = getattr(failure, "problem_mark", None) or getattr(failure, "context_mark", None)
        problem = str(getattr(failure, "problem", None) or getattr(failure, "reason", None) or failure)
        context = str(getattr(failure, "context", None) or "")
        index = min(mark.index if mark is not None else getattr(failure, "position", 0) or 0, len(self.text))
        context_mark = getattr(failure, "context_mark", None)
        falco = index
        if "alias" in context or "anchor" in context or "simple key" in context:
            falco = context_mark.index if context_mark is not None else index
        message = _MESSAGES.get(problem, problem)
        if "flow sequence" in context:
            message, index = "a `[` is never closed", context_mark.index if context_mark is not None else index
        elif "flow mapping" in context:
            message, index = "a `{` is never closed", context_mark.index if context_mark is not None else index
        elif "quoted" in context and "end of stream" in problem:
            message, index = "a quoted text is never closed", context_mark.index if context_mark is not None else index
        return YamlError(message, self.offset(index), self.offset(falco))

    def repair(self, error: YamlError) -> bool:
        """Put in what Falco's reader does without, where that is the trouble; whether anything was put in."""
        at = error.falco_offset - self.shift + len(self.inserted)
        text = self.text
        if error.message == "a quoted text is never closed" and text[_index(self, error.offset)] == '"':
            self.unclosed = error.offset
            return self.insert(len(text), '"')
        if "node content" in error.message and text[at : at + 1] == ",":
            return self.insert(at, "~")
        if text[at : at + 1] in ("&", "*"):
            return self.rename(at)
        if text[at : at + 1] == "!" and "tag handle" in error.message:
            # Falco's reader asks nobody what a handle stands for: any mark will do.
            second = text.find("!", at + 1)
            self.text = f"{text[:second]}-{text[second + 1 :]}"
            return second > 0
        return False

    def rename(self, at: int) -> bool:
        """Give the anchor at *at* a name that libyaml takes, of the same length, wherever it is named."""
        found = _ANCHOR.match(self.text, at)
        if found is None:
            return False
        name = found[1]
        plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)
        self.text = re.sub(rf"(?<=[&*]){re.escape(name)}(?![^ \t\r\n,\[\]{{}}])", plain, self.text)
        return plain != name

    def insert(self, at: int, character: str) -> bool:
        self.text = self.text[:at] + character + self.text[at:]
        self.inserted = sorted([*(i + (i >= at) for i in self.inserted), at])
        return True


def _index(reading: _Reading, offset: int) -> int:
    index = offset - reading.shift
    for at in reading.inserted:
        if at <= index:
            index += 1
    return index


_MESSAGES: Final = {
    "mapping values are not allowed in this context": "a `: ` stands where no mapping can begin: quote the text, or "
    "check the indentation",
    "could not find expected ':'": "a key without its `:`",
    "did not find expected key": "the indentation fits no mapping around it",
    "did not find expected '-' indicator": "the indentation fits no sequence around it",
    "found character that cannot start any token": "a plain text cannot begin with this character: quote it",
    "found a tab character where an indentation space is expected": "a tab stands where blanks must indent",
    "block sequence entries are not allowed in this context": "a `- ` stands where no sequence can begin",
}


def _trimmed(text: str, begin: int, end: int) -> int:
    """*end* moved back over white space and whole comment lines: block nodes end where the next token starts."""
    lowest = text.rfind("\n", begin, end)
    while end > begin:
        stripped = len(text[begin:end].rstrip()) + begin if end - begin < 256 else _rstrip(text, begin, end)
        line = text.rfind("\n", begin, stripped) + 1
        if line > begin and lowest >= 0 and text[line:stripped].lstrip(" \t").startswith("#"):
            end = line
            continue
        return stripped
    return end


def _rstrip(text: str, begin: int, end: int) -> int:
    while end > begin and text[end - 1] in " \t\r\n":
        end -= 1
    return end


def _parser() -> tuple[Callable[[str], Callable[[], Any]], tuple[type[BaseException], ...]]:
    """How to read events, with the extension where there is one, and what the reading can raise."""
    from ruamel.yaml.error import YAMLError

    try:
        from _ruamel_yaml import CParser
    except ImportError:
        from ruamel.yaml import YAML

        def pure(text: str) -> Callable[[], Any]:
            events = YAML(typ="safe", pure=True).parse(text)
            return lambda: next(events)

        return pure, (YAMLError, ValueError)

    def fast(text: str) -> Callable[[], Any]:
        get: Callable[[], Any] = CParser(text).get_event
        return get

    return fast, (YAMLError, ValueError)
