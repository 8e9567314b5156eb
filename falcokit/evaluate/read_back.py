"""Reading the fields of an alert back out of its text, as far as the output of its rule tells where each stands.

A text may contain what looks like another part of the output: what is written between two literal texts is certain only where
these have but one place each.  A wrong value could become a wrong whitelist, so everything else stays unknown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

from falcokit.catalogue import Catalogue, FieldUse
from falcokit.condition.ast import Field
from falcokit.record import Record
from falcokit.ruleset.literals import NUMBER_WIDTHS
from falcokit.ruleset.operands import glued
from falcokit.ruleset.output_compiler import output_tokens
from falcokit.ruleset.rule_compiler import CompiledRule

__all__ = ["ReadBack", "ReadFields"]

_MAX_TEXT: Final = 1 << 17
_SUFFIX_KEYS: Final = {
    "container_id": "container.id", "container_name": "container.name", "container_image_repository": "container.image.repository",
    "container_image_tag": "container.image.tag", "k8s_pod_name": "k8s.pod.name", "k8s_ns_name": "k8s.ns.name",
    "k8s.ns": "k8s.ns.name", "k8s.pod": "k8s.pod.name", "container": "container.id",
}  # fmt: skip
_NO_TEXTS: Final = frozenset((*NUMBER_WIDTHS, "PORT", "BOOL"))
_SUFFIX: Final = re.compile(rf"(?: (?:{'|'.join(map(re.escape, _SUFFIX_KEYS))})=[^\s=()]{{1,512}})+$")
"""What Falco put behind outputs by itself: ``-pk`` and ``-pc`` of old, the suggested fields of the container plugin of today."""


class ReadFields(Record):
    """What a text tells: the ``rules`` whose output it can be, and the ``fields`` that are certain (None: no value)."""

    __slots__ = ("fields", "rules")

    def __init__(self, rules: tuple[str, ...], fields: dict[str, object]) -> None:
        self.rules: Final = rules
        self.fields: Final = fields


class ReadBack:
    """Reads texts printed by *rules*."""

    def __init__(self, rules: Iterable[CompiledRule], catalogue: Catalogue) -> None:
        patterns = [_Pattern(rule, catalogue) for rule in rules if rule.output_result is not None]
        # An output that begins with a field could be anything.
        self._patterns: Final = [pattern for pattern in patterns if len(pattern.literals[0].strip()) >= 3]

    def read(self, message: str) -> ReadFields | None:
        """The fields of *message*, an alert's text without time and priority; None where no rule prints such a text."""
        if len(message) > _MAX_TEXT:
            return None
        message = _unescaped(message)
        suffix = _SUFFIX.search(message)
        found: list[tuple[str, dict[str, object]]] = []
        for pattern in self._patterns:
            if not message.startswith(pattern.literals[0]):
                continue
            fields = pattern.fields(message)
            if suffix is not None and (fields is None if pattern.literals[-1] else pattern.ends_plainly):
                # Nothing that the output prints at its end can be part of the suffix, nor the other way round.
                fields = pattern.fields(message[: suffix.start()])
                fields = _suffix_fields(suffix[0]) | fields if fields is not None else None
            if fields is not None:
                found.append((pattern.rule, fields))
        if not found:
            return None
        first = found[0][1]
        agreed = {
            name: value
            for name, value in first.items()
            if all(name in other and other[name] == value for _, other in found)
        }
        return ReadFields(tuple([rule for rule, _ in found]), agreed)


class _Pattern:
    """The output of a rule: literal texts, and between each two of them a field (None for what cannot be read back)."""

    def __init__(self, rule: CompiledRule, catalogue: Catalogue) -> None:
        self.rule: Final = rule.name
        source = rule.definition.source
        text = rule.output.removeprefix("*").strip()
        literals: list[str] = []
        self._tokens: Final[list[tuple[str, str, bool] | None]] = []
        at = 0
        for token in output_tokens(text, source, catalogue):
            literals.append(text[at : token.start])
            self._tokens.append(_token(token.operand, source, catalogue) if not token.width else None)
            at = token.end
        self.literals: Final = (*literals, text[at:])
        last = self._tokens[-1] if self._tokens else None
        self.ends_plainly: Final = last is not None and not self.literals[-1] and (last[1] in _NO_TEXTS and not last[2])

    def fields(self, message: str) -> dict[str, object] | None:
        """The certain fields of *message*, None where it is no text of this output."""
        literals = self.literals
        if len(literals) == 1:
            return {} if message == literals[0] else None
        if not message.startswith(literals[0]) or not message.endswith(literals[-1]):
            return None
        inner_end = len(message) - len(literals[-1])
        # The first and the last place that each literal can have.
        first = [0]
        at = len(literals[0])
        for literal in literals[1:-1]:
            at = message.find(literal, at, inner_end)
            if at < 0:
                return None
            first.append(at)
            at += len(literal)
        if at > inner_end:
            return None
        first.append(inner_end)
        last = [inner_end]
        end = inner_end
        for literal in reversed(literals[1:-1]):
            end = message.rfind(literal, len(literals[0]), end)
            last.append(end)
        last.append(0)
        last.reverse()
        found: dict[str, object] = {}
        dropped: set[str] = set()
        for number, token in enumerate(self._tokens):
            if token is None:
                continue
            left, right = number, number + 1
            if first[left] != last[left] or first[right] != last[right]:
                continue
            if (not literals[left] and left) or (not literals[right] and right < len(literals) - 1):
                continue  # Two values without a text between them.
            name, type_name, is_list = token
            known, value = _value(message[first[left] + len(literals[left]) : first[right]], type_name, is_list)
            if not known or (name in found and found[name] != value):
                dropped.add(name)
            found[name] = value
        return {name: value for name, value in found.items() if name not in dropped}


def _token(operand: object, source: str, catalogue: Catalogue) -> tuple[str, str, bool] | None:
    """The name and type of a field whose printed value can be read; None for others."""
    if not isinstance(operand, Field):
        return None
    name = glued(operand)
    use = catalogue.resolve(name, source)
    if (
        not isinstance(use, FieldUse)
        or name.startswith(("evt.time", "evt.datetime"))
        or use.field.print_format in ("hex", "10_padded_dec")
    ):
        return None
    return name, use.type, use.is_list


def _value(text: str, type_name: str, is_list: bool) -> tuple[bool, object]:
    """Whether *text* tells a value of its type for certain, and which."""
    if text == "<NA>":
        return True, None
    if is_list:
        inner = text[1:-1]
        certain = text[:1] == "(" and text[-1:] == ")" and "," not in inner and inner != ""
        return certain, [inner]
    if type_name in NUMBER_WIDTHS or type_name == "PORT":
        digits = text.removeprefix("-")
        certain = digits.isdecimal() and digits.isascii() and len(digits) < 25
        return certain, int(text) if certain else None
    if type_name == "BOOL":
        return text in ("true", "false"), text == "true"
    return True, text


def _suffix_fields(text: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for part in text.split():
        key, _, value = part.partition("=")
        found.setdefault(_SUFFIX_KEYS[key], None if value == "<NA>" else value)
    return found


def _unescaped(text: str) -> str:
    """*text* as it was before Falco escaped it for its line."""
    if "\\" not in text:
        return text
    try:
        found = json.loads(f'"{text}"', strict=False)
    except ValueError:
        return text
    return found if isinstance(found, str) else text
