"""From the text of an alert back to the rule's output that it was printed by, and to the fields in it.

A text may be printed of several values: literal texts can stand inside values, too.  The places where each literal can stand lie
between its first and its last possible one, so where these are the same there is no other reading, and a value between two such
places is certain.  All else is left out: a rule written for a wrong value would let through what nobody meant.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from falcokit.catalogue import Catalogue, FieldUse
from falcokit.condition.ast import Field
from falcokit.evaluate.ancestors import ANCESTORS
from falcokit.evaluate.output import MISSING, TIMES, split_output
from falcokit.evaluate.sockets import BOTH_ENDS
from falcokit.evaluate.values import TEXTS, limits, read_value
from falcokit.record import Record
from falcokit.ruleset.definitions import joined
from falcokit.ruleset.literals import NUMBER_WIDTHS
from falcokit.ruleset.operands import glued
from falcokit.ruleset.output_compiler import OutputToken
from falcokit.ruleset.rule_compiler import CONTAINER_INFO, CompiledRule
from falcokit.ruleset.rule_reader import PRIORITIES

__all__ = ["ReadBack", "ReadFields", "unescaped"]

_Values: TypeAlias = "dict[str, object]"

_MAX_TEXT: Final = 1 << 20
_MAX_ADDED: Final = 24
"""How many words of what a configuration adds are read: Falco has added the same three times over."""
_PREFIX: Final = re.compile(
    r"(?:(?:\d{4}-\d\d-\d\dT)?\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?|<NA>): "
    rf"(?:{'|'.join(PRIORITIES)}|Info) ",
    re.ASCII,
)
_BLANK: Final = re.compile(r"\s")
_UNREADABLE: Final = "\ufffd"
"""Stands for bytes that are no text: which ones is not known any more."""
_WHOLE_NUMBER: Final = re.compile(r"0|-?[1-9][0-9]{0,19}")
_PADDED: Final = re.compile(r"[0-9]{9}|[1-9][0-9]{9,19}")
_ADDRESSES: Final = frozenset(("IPADDR", "IPV4ADDR", "IPV6ADDR"))
_NUMBERS: Final = frozenset((*NUMBER_WIDTHS, "PORT")) - {"DOUBLE"}
_WORDS: Final = frozenset(
    (
        "evt.type", "syscall.type", "evt.category", "evt.dir", "evt.res", "evt.arg.flags", "fd.type", "fd.typechar",
        "fd.l4proto", "container.id", "container.full_id", "container.name", "container.type", "container.image",
        "container.image.id", "container.image.repository", "container.image.tag", "container.image.digest", "k8s.ns.name",
        "k8s.pod.name", "k8s.pod.id", "k8s.pod.uid",
    )
)  # fmt: skip
"""Texts that never have a blank in them, whoever makes them up."""
_ADDED: Final = {
    "k8s.ns": "k8s.ns.name", "k8s.pod": "k8s.pod.name", "container": "container.id",
    "container_id": "container.id", "container_name": "container.name",
    "container_image_repository": "container.image.repository", "container_image_tag": "container.image.tag",
    "k8s_pod_name": "k8s.pod.name", "k8s_ns_name": "k8s.ns.name",
}  # fmt: skip
"""What Falco's own additions to outputs print before which field."""
_INFOS: Final = (
    "container_id=%container.id container_name=%container.name",
    "k8s.ns=%k8s.ns.name k8s.pod=%k8s.pod.name container=%container.id",
    "container=%container.name (id=%container.id)",
)
"""What Falco before 0.41 put where ``%container.info`` stood, as it was told with ``-p``."""
_OF_CONTAINER: Final = re.compile(r" container=(\S+) \(id=(\S+)\)")


class ReadFields(Record):
    """What the text of an alert tells: the names of the rules whose output it can be, and the values that are certain.

    None as a value says that the field is missing; one that is absent is not known.
    """

    __slots__ = ("fields", "rules")

    def __init__(self, rules: tuple[str, ...], fields: Mapping[str, object]) -> None:
        self.rules: Final = rules
        self.fields: Final = fields


class ReadBack:
    """Reads texts of alerts that *rules* have printed.

    Falco's own additions behind outputs (``container_id=...`` and the like) are read as well.  Others that a configuration
    makes must be in the output of *rules*, else they count as the end of the last value.
    """

    def __init__(self, rules: Iterable[CompiledRule], catalogue: Catalogue) -> None:
        found: dict[tuple[str, str], _Format] = {}
        for rule in rules:
            if rule.output_result is None or rule.output_result.problems:
                continue
            for text in _outputs(rule):
                key = (text, rule.definition.source)
                if key not in found:
                    found[key] = _Format(*key, catalogue)
                found[key].rules.append(rule.name)
        self._by_word: Final[dict[str, list[_Format]]] = {}
        self._others: Final[list[_Format]] = []
        for one in found.values():
            word, blank, _ = one.literals[0].partition(" ")
            (self._by_word.setdefault(word, []) if blank else self._others).append(one)

    def read(self, output: str, rule: str | None = None) -> ReadFields | None:
        """What *output*, the text of an alert with or without its time and priority, tells; None where no rule prints it.

        Where outputs of several rules fit, only that is certain on which they agree; *rule* is the name of the one that
        printed it, where that is known.
        """
        if len(output) > _MAX_TEXT:
            return None
        prefix = _PREFIX.match(output)
        fits: list[tuple[_Format, _Values]] = []
        # A value at the very start could look like a time: only where both readings agree is it certain.
        for start in (0,) if prefix is None else (0, prefix.end()):
            endings = _endings(output, start)
            for one in self._candidates(output, start):
                if rule is None or rule in one.rules:
                    fits += [(one, values) for values in _fitting(one, output, start, endings)]
        if not fits:
            return None
        names = [name for one, _ in fits for name in one.rules if rule is None or name == rule]
        return ReadFields(tuple(dict.fromkeys(names)), _agreed([values for _, values in fits]))

    def _candidates(self, text: str, start: int) -> Iterator[_Format]:
        blank = text.find(" ", start)
        if blank >= 0:
            yield from self._by_word.get(text[start:blank], ())
        yield from self._others


def _outputs(rule: CompiledRule) -> Iterator[str]:
    """The output of *rule*, and what older releases of Falco made of it."""
    yield rule.output
    written = joined(rule.definition.output)
    if CONTAINER_INFO not in written:
        return
    written = written.strip(" \t\n\v\f\r") if rule.definition.trimmed else written
    # What a configuration adds stands behind.
    own = written.replace(CONTAINER_INFO, "")
    if rule.output.startswith(own):
        yield from [written.replace(CONTAINER_INFO, info) + rule.output[len(own) :] for info in _INFOS]


class _Slot:
    """A token of an output: the field whose value it prints, if that can be read, and how."""

    __slots__ = ("_form", "_type", "key", "word")

    def __init__(self, token: OutputToken, source: str, catalogue: Catalogue) -> None:
        self.key = ""
        self.word = False
        self._type = self._form = ""
        operand = token.operand
        if not isinstance(operand, Field) or token.width:
            return
        key = glued(operand)
        use = catalogue.resolve(key, source)
        assert isinstance(use, FieldUse)
        if key in TIMES:
            return
        self.key = key
        # Lists are printed in ways that several lists share: of these only what is missing can be read.
        if not use.is_list and key not in ANCESTORS and key not in BOTH_ENDS:
            self._type, self._form = use.type, use.field.print_format
            self.word = key in _WORDS or use.type == "BOOL" or use.type in _NUMBERS or use.type in _ADDRESSES

    def value(self, text: str) -> tuple[object, ...]:
        """The value that is printed as *text*, alone in a tuple; nothing where that is not certain."""
        if text == MISSING:
            return (None,)
        type_name = self._type
        if type_name in TEXTS:
            return () if _UNREADABLE in text else (text,)
        if type_name == "BOOL":
            return (text == "true",) if text in ("true", "false") else ()
        if type_name in _ADDRESSES:
            return (text,) if read_value(text, type_name) is not None else ()
        if type_name in _NUMBERS and self._form not in ("hex", "oct"):
            pattern = _PADDED if self._form == "10_padded_dec" else _WHOLE_NUMBER
            low, high = limits(type_name)
            return (number,) if pattern.fullmatch(text) and low <= (number := int(text)) <= high else ()
        return ()


class _Format:
    """An output as literal texts and what stands between them, and the *rules* that have it."""

    __slots__ = ("literals", "rules", "slots")

    def __init__(self, text: str, source: str, catalogue: Catalogue) -> None:
        self.literals, tokens = split_output(text, source, catalogue)
        self.slots: Final = tuple([_Slot(token, source, catalogue) for token in tokens])
        self.rules: Final[list[str]] = []


def _endings(text: str, start: int) -> list[tuple[int, _Values | None]]:
    """Where the rule's own text may end, and what is added behind it there; None where that contradicts itself."""
    found: list[tuple[int, _Values | None]] = [(len(text), {})]
    end = len(text)
    values: _Values | None = {}
    while len(found) < _MAX_ADDED:
        at, added = _last_added(text, start, end)
        if not added:
            break
        values = _merged(values, added)
        found.append((at, values))
        end = at
    return found


def _last_added(text: str, start: int, end: int) -> tuple[int, _Values]:
    """Where the last addition before *end* begins, blank included, and its fields, of which there are none if it is none."""
    at = text.rfind(" ", start, end)
    if at < 0:
        return end, {}
    key, equals, value = text[at + 1 : end].partition("=")
    if not equals or key not in ("(id", *_ADDED):
        return end, {}
    before = text.rfind(" ", start, at)
    if key == "(id":
        pair = _OF_CONTAINER.fullmatch(text, before, end) if before >= 0 else None
        if pair is None:
            return end, {}
        return before, {"container.name": _plain(pair[1]), "container.id": _plain(pair[2])}
    # By itself `container=` says too little: only behind the pod is it known to be the id.
    if (
        _BLANK.search(value)
        or _UNREADABLE in value
        or (key == "container" and not (before >= 0 and text.startswith("k8s.pod=", before + 1)))
    ):
        return end, {}
    return at, {_ADDED[key]: _plain(value)}


def _plain(text: str) -> str | None:
    return None if text == MISSING else text


def _fitting(one: _Format, text: str, start: int, endings: list[tuple[int, _Values | None]]) -> Iterator[_Values]:
    """The certain values of each reading of *text* as printed by the format, one for each of the *endings* that fit."""
    if text.startswith(one.literals[0], start):
        for end, added in endings:
            values = _merged(_values(one, text, start, end), added)
            if values is not None:
                yield values


def _values(one: _Format, text: str, start: int, end: int) -> _Values | None:
    """The certain values where the format printed all of the *text* from *start* to *end*; None where it cannot have.

    Each literal is looked for once from the left and once from the right, each time behind the one before: so the time taken
    grows with the text alone, whatever stands in it.
    """
    first, last = one.literals[0], one.literals[-1]
    if not one.slots:
        return {} if text[start:end] == first else None
    low, high = start + len(first), end - len(last)
    if low > high or not text.startswith(last, high):
        return None
    inner = one.literals[1:-1]
    earliest, at = [], low
    for literal in inner:
        at = text.find(literal, at, high)
        if at < 0:
            return None
        earliest.append(at)
        at += len(literal)
    latest, at = [], high
    for literal in reversed(inner):
        at = text.rfind(literal, low, at)
        latest.append(at)
    begins = [(low, low), *[(e + len(x), r + len(x)) for e, r, x in zip(earliest, latest[::-1], inner, strict=True)]]
    ends = [*zip(earliest, latest[::-1], strict=True), (high, high)]
    found: _Values | None = {}
    for slot, begin, until in zip(one.slots, begins, ends, strict=True):
        if begin[0] != begin[1] or until[0] != until[1]:
            continue
        piece = text[begin[0] : until[0]]
        if slot.word and _BLANK.search(piece):
            return None
        if slot.key and (value := slot.value(piece)):
            found = _merged(found, {slot.key: value[0]})
    return found


def _merged(one: _Values | None, other: _Values | None) -> _Values | None:
    """The values of both; None where a field would have two, which no event has."""
    if one is None or other is None or any(not _same(one[key], other[key]) for key in one.keys() & other.keys()):
        return None
    return {**one, **other}


def _agreed(readings: list[_Values]) -> _Values:
    first, *others = readings
    return {key: value for key, value in first.items() if all(key in o and _same(value, o[key]) for o in others)}


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other


def unescaped(line: str) -> str:
    """The text of an alert from its *line* in a log, in which Falco escapes it like the inside of a JSON string."""
    if "\\" not in line:
        return line
    try:
        found = json.loads(f'"{line}"', strict=False)
    except ValueError:
        return line
    return found if isinstance(found, str) else line
