"""What Falco prints where a rule fires: the message, and the alert as JSON or as a line of text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from falcokit.catalogue import Catalogue, FieldUse
from falcokit.condition.ast import Field
from falcokit.evaluate.given import event_time, fields_of, time_text
from falcokit.evaluate.operand import compile_operand
from falcokit.ruleset.operands import glued
from falcokit.ruleset.output_compiler import output_tokens
from falcokit.ruleset.rule_compiler import CompiledRule
from falcokit.ruleset.rule_reader import PRIORITIES

__all__ = ["AlertFormat", "printed"]

_Event: TypeAlias = "Mapping[str, object]"
_NOTHING: Final = "<NA>"
_OF_TIME: Final = ("evt.time", "evt.datetime")


class AlertFormat:
    """The alerts of *rule*."""

    def __init__(self, rule: CompiledRule, catalogue: Catalogue) -> None:
        self._rule: Final = rule
        self._catalogue: Final = catalogue
        self._source: Final = rule.definition.source
        text = rule.output.removeprefix("*")
        self._parts: Final[list[str | tuple[str, _Print]]] = []
        fields: dict[str, None] = {}
        at = 0
        for token in output_tokens(text, self._source, catalogue):
            if text[at : token.start]:
                self._parts.append(text[at : token.start])
            self._parts.append((token.width, _Print(token.operand, self._source, catalogue)))
            fields.update(dict.fromkeys([glued(field) for field in fields_of(token.operand)]))
            at = token.end
        if text[at:]:
            self._parts.append(text[at:])
        self.fields: Final = tuple(fields)
        """The fields that are printed, each once."""

    def message(self, event: _Event, time: int | None = None, host: str = "") -> str:
        """The output with the values of *event* put in; what is missing prints as ``<NA>``."""
        time = event_time(event) if time is None else time
        found = []
        for part in self._parts:
            if isinstance(part, str):
                found.append(part)
                continue
            width, print_ = part
            text = print_.text(event, time, host)
            found.append(_fitted(text, int(width)) if width else text)
        return "".join(found)

    def alert(self, event: _Event, time: int | None = None, host: str = "") -> dict[str, Any]:
        """The alert as Falco writes it as JSON, its keys in Falco's order; without ``time`` where none is known."""
        time = event_time(event) if time is None else time
        definition = self._rule.definition
        priority = PRIORITIES[definition.priority]
        moment = "" if time is None else f"{time_text('evt.time', time)}: "
        found: dict[str, Any] = {
            "hostname": host or str(event.get("evt.hostname") or "localhost"),
            "output": f"{moment}{priority} {self.message(event, time, host)}",
            "output_fields": dict(self._output_fields(event, time, host)),
            "priority": priority,
            "rule": self._rule.name,
            "source": self._source,
            "tags": sorted(definition.tags),
        }
        if time is not None:
            found["time"] = time_text("evt.time.iso8601", time).removesuffix("+0000") + "Z"
        return found

    def _output_fields(self, event: _Event, time: int | None, host: str) -> Iterator[tuple[str, object]]:
        if time is not None:
            yield "evt.time", time
        for name in self.fields:
            if name.startswith(_OF_TIME) and (time is not None or name == "evt.time"):
                yield name, time
            else:
                value = _value(name, event, self._source, host)
                yield name, list(value) if isinstance(value, tuple) else _shown(value)


def _shown(value: object) -> object:
    """A value as JSON takes it."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _value(name: str, event: _Event, source: str, host: str) -> object:
    value = event.get(name)
    if value is None and name == "evt.source":
        return source
    return host or None if value is None and name == "evt.hostname" else value


class _Print:
    """One thing that an output prints."""

    def __init__(self, operand: Any, source: str, catalogue: Catalogue) -> None:
        self._source = source
        self._name = glued(operand) if isinstance(operand, Field) else ""
        self._reader = None if self._name else compile_operand(operand, source, catalogue)
        use = catalogue.resolve(self._name, source) if self._name else None
        self._format = use.field.print_format if isinstance(use, FieldUse) else "na"

    def text(self, event: _Event, time: int | None, host: str) -> str:
        if self._reader is not None:
            return printed(self._reader.get(event))
        value = _value(self._name, event, self._source, host)
        if self._name.startswith(_OF_TIME) and not isinstance(value, str):
            return _NOTHING if time is None else time_text(self._name, time)
        return printed(value, self._format)


def printed(value: object, print_format: str = "na") -> str:
    """A *value* of an event as outputs print it."""
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        if print_format == "hex":
            return f"{value & (2**64 - 1):X}"
        return f"{value:09}" if print_format == "10_padded_dec" else str(value)
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, (list, tuple)):
        text = ""
        for one in value:
            # Empty texts at the beginning leave no comma behind.
            text += ("," if text else "") + printed(one)
        return f"({text})"
    if isinstance(value, bytes):
        return value.partition(b"\0")[0].decode("utf-8", "replace")
    return value.partition("\0")[0] if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _fitted(text: str, width: int) -> str:
    """*text* padded with blanks, or cut, to *width* bytes; no more than a million."""
    data = text.encode("utf-8", "surrogateescape")[: min(width, 1_000_000)]
    return data.ljust(min(width, 1_000_000)).decode("utf-8", "replace")
