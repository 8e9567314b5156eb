"""What Falco prints of an event: the text that a rule's output makes of it, and the alert around that."""

from __future__ import annotations

import json
import math
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeGuard

import orjson

from falcokit.catalogue import Catalogue, FieldUse
from falcokit.condition.ast import Field, Operand, Transformer
from falcokit.condition.render import render_operand
from falcokit.evaluate.given import event_time, fields_of, time_text
from falcokit.evaluate.operand import Event, compile_operand
from falcokit.evaluate.values import encoded, limits, read_value
from falcokit.ruleset.literals import NUMBER_WIDTHS
from falcokit.ruleset.operands import glued
from falcokit.ruleset.output_compiler import OutputToken, output_tokens
from falcokit.ruleset.rule_compiler import CompiledRule
from falcokit.ruleset.rule_reader import PRIORITIES

__all__ = ["MISSING", "TIMES", "AlertFormat", "OutputFormat", "json_line", "split_output", "text_line"]

MISSING: Final = "<NA>"
"""What is printed for a field without a value."""
TIMES: Final = ("evt.time", "evt.time.s", "evt.time.iso8601", "evt.datetime", "evt.datetime.s")
"""Fields that print the event's time as a text, and are given as nanoseconds since 1970."""
_RAW_TIMES: Final = ("evt.rawtime", "evt.rawtime.s", "evt.rawtime.ns")
_OWN_NUMBER: Final = ("evt.rawtime", "evt.reltime")
_NANOSECONDS: Final = 10**9
_ADDRESSES: Final = frozenset(("IPADDR", "IPV4ADDR", "IPV6ADDR"))
_AS_TEXT: Final = frozenset(("hex", "oct", "10_padded_dec"))
"""Numbers that are printed so stand in alerts as texts."""
_MAX_WIDTH: Final = 1 << 16
_MAX_LIST: Final = 1023
"""How many bytes of a list Falco prints."""
_UNSAFE: Final = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What a JSON string may hold and a terminal might obey: control characters, and those that turn the direction."""


def split_output(text: str, source: str, catalogue: Catalogue) -> tuple[tuple[str, ...], tuple[OutputToken, ...]]:
    """The literal texts of an output *text* of a rule of *source*, and the tokens between them, one less.

    The ``*`` that an output may begin with is not printed.  A text that does not compile is one literal.
    """
    text = text.removeprefix("*")
    tokens = output_tokens(text, source, catalogue)
    starts = [0, *[token.end for token in tokens]]
    ends = [*[token.start for token in tokens], len(text)]
    return tuple([text[start:end] for start, end in zip(starts, ends, strict=True)]), tokens


class OutputFormat:
    """The output *text* of rules of *source*, ready to be printed; *extra_fields* are pairs of a key and its format, if any.

    Events map full field expressions to values; one that is None or absent is missing.  A value is printed whatever its type:
    alerts hold texts for numbers, too.
    """

    __slots__ = ("_fields", "_parts")

    def __init__(
        self,
        text: str,
        source: str,
        catalogue: Catalogue,
        extra_fields: tuple[tuple[str, str | None], ...] = (),
    ) -> None:
        literals, tokens = split_output(text, source, catalogue)
        parts: list[str | Callable[[Event], str]] = [literals[0]]
        for token, literal in zip(tokens, literals[1:], strict=True):
            parts += [_printer(token, source, catalogue), literal]
        self._parts: Final = tuple([part for part in parts if part != ""])
        fields: dict[str, Callable[[Event], object]] = {"evt.time": _typed_time("evt.time")}
        _add_fields(fields, tokens, source, catalogue)
        for key, format_text in extra_fields:
            if format_text is None:
                _add_fields(fields, split_output(f"%{key}", source, catalogue)[1], source, catalogue)
            else:
                fields[key] = OutputFormat(format_text, source, catalogue).render
        self._fields: Final = fields

    def render(self, event: Event) -> str:
        """The text that is printed for *event*."""
        return "".join([part if isinstance(part, str) else part(event) for part in self._parts])

    def output_fields(self, event: Event) -> dict[str, object]:
        """The fields of the text in the types that alerts give them, after the time: None for what is missing.

        Of transformers only the fields inside them are there.
        """
        return {key: get(event) for key, get in self._fields.items()}


class AlertFormat:
    """The alerts of *rule*, with *extra_fields* as `OutputFormat` has them."""

    __slots__ = ("_message", "_rule")

    def __init__(
        self, rule: CompiledRule, catalogue: Catalogue, extra_fields: tuple[tuple[str, str | None], ...] = ()
    ) -> None:
        self._rule: Final = rule
        self._message: Final = OutputFormat(rule.output, rule.definition.source, catalogue, extra_fields)

    def alert(self, event: Event, time: int | None = None, hostname: str = "") -> dict[str, Any]:
        """The alert about *event* as Falco's JSON has it.

        *time* is in nanoseconds since 1970; without one it is the event's, and None in the alert where that has none either.
        """
        rule = self._rule.definition
        time = event_time(event) if time is None else time
        own: dict[str, object] = {} if time is None else {**dict.fromkeys(TIMES, time), **_raw_times(time)}
        for key, value in (("evt.hostname", hostname or None), ("evt.source", rule.source)):
            if value is not None and event.get(key) is None:
                own[key] = value
        seen = _Over(own, event)
        priority = PRIORITIES[rule.priority]
        return {
            "hostname": hostname,
            "output": f"{_time_shown('evt.time', seen) or MISSING}: {priority} {self._message.render(seen)}",
            "output_fields": self._message.output_fields(seen),
            "priority": priority,
            "rule": rule.name,
            "source": rule.source,
            "tags": sorted(rule.tags),
            "time": time_text("evt.time.iso8601", time).removesuffix("+0000") + "Z" if _is_time(time) else None,
        }


def json_line(alert: Mapping[str, Any]) -> bytes:
    """*alert* as one line of JSON without its end, keys in Falco's order."""
    try:
        return orjson.dumps(alert, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return orjson.dumps(_writable(alert), option=orjson.OPT_SORT_KEYS)


def text_line(alert: Mapping[str, Any]) -> str:
    """*alert* as a line of text without its end, escaped as Falco does; a terminal obeys nothing in it."""
    text = json.dumps(_writable(alert["output"]), ensure_ascii=False)[1:-1]
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class _Over(Mapping[str, object]):
    """An event with *own* values instead of some of its own; asking for a field of an event may be costly."""

    def __init__(self, own: Mapping[str, object], event: Event) -> None:
        self._own = own
        self._event = event

    def __getitem__(self, key: str) -> object:
        return self._own[key] if key in self._own else self._event[key]

    def __iter__(self) -> Iterator[str]:
        yield from self._own
        yield from [key for key in self._event if key not in self._own]

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _printer(token: OutputToken, source: str, catalogue: Catalogue) -> Callable[[Event], str]:
    shown = _shown_operand(token.operand, source, catalogue)
    width = _width(token.width)

    def printed(event: Event) -> str:
        text = shown(event)
        text = MISSING if text is None else text
        return _cut(text, width, width) if width else text

    return printed


def _width(digits: str) -> int:
    digits = digits.lstrip("0")
    return _MAX_WIDTH if len(digits) > 6 else min(int(digits or "0"), _MAX_WIDTH)


def _cut(text: str, most: int, least: int = 0) -> str:
    """*text* with *most* and *least* so many bytes; a character that is torn so is one that cannot be read."""
    if text.isascii():
        return text[:most].ljust(least)
    return encoded(text)[:most].ljust(least).decode("utf-8", "replace")


def _shown_operand(operand: Field | Transformer, source: str, catalogue: Catalogue) -> Callable[[Event], str | None]:
    if isinstance(operand, Transformer):
        return _shown_transformer(operand, source, catalogue)
    key = glued(operand)
    if key in TIMES:
        return lambda event: _time_shown(key, event)
    type_name, form = _use(key, source, catalogue)
    if key in _RAW_TIMES:
        return lambda event: _shown(_raw_time(key, event), type_name, form)
    return lambda event: _shown(event.get(key), type_name, form)


def _shown_transformer(operand: Transformer, source: str, catalogue: Catalogue) -> Callable[[Event], str | None]:
    reader = compile_operand(operand, source, catalogue)
    times = [key for field in fields_of(operand) if (key := glued(field)) in TIMES]
    whole = reader.type == "BYTEBUF"

    def text(value: object) -> str:
        # Transformers leave a NUL behind their texts.
        value = value.partition(b"\0")[0] if isinstance(value, bytes) and not whole else value
        return _shown(value, reader.type, "dec") or ""

    def shown(event: Event) -> str | None:
        got = reader.get(_Over({key: _time_shown(key, event) for key in times}, event) if times else event)
        return None if got is None else _list([text(value) for value in got]) if isinstance(got, list) else text(got)

    return shown


def _add_fields(
    fields: dict[str, Callable[[Event], object]], tokens: tuple[OutputToken, ...], source: str, catalogue: Catalogue
) -> None:
    for token in tokens:
        for field in fields_of(token.operand):
            fields.setdefault(_written(field), _typed_field(field, source, catalogue))


def _written(operand: Operand) -> str:
    return operand.name if isinstance(operand, Field) and operand.argument is None else render_operand(operand)


def _typed_field(field: Field, source: str, catalogue: Catalogue) -> Callable[[Event], object]:
    key = glued(field)
    if key in TIMES:
        return _typed_time(key)
    type_name, form = _use(key, source, catalogue)
    if key in _RAW_TIMES:
        return lambda event: _typed(_raw_time(key, event), type_name, "dec")
    if form in _AS_TEXT and key.startswith(_OWN_NUMBER):
        form = "dec"
    return lambda event: _typed(event.get(key), type_name, form)


def _use(key: str, source: str, catalogue: Catalogue) -> tuple[str, str]:
    use = catalogue.resolve(key, source)
    assert isinstance(use, FieldUse)
    return use.type, use.field.print_format


def _typed_time(key: str) -> Callable[[Event], object]:
    return lambda event: _typed(_time(key, event), "CHARBUF", "na")


def _time(key: str, event: Event) -> object:
    value = event.get(key)
    return event_time(event) if value is None else value


def _time_shown(key: str, event: Event) -> str | None:
    value = _time(key, event)
    return time_text(key, value) if _is_time(value) else _shown(value, "CHARBUF", "na")


def _is_time(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64


def _raw_times(time: int) -> dict[str, object]:
    seconds, rest = divmod(time, _NANOSECONDS)
    return dict(zip(_RAW_TIMES, (time, seconds, rest), strict=True))


def _raw_time(key: str, event: Event) -> object:
    value = event.get(key)
    time = event_time(event) if value is None else None
    return value if time is None else _raw_times(time)[key]


def _typed(value: object, type_name: str, form: str) -> object:
    """*value* as alerts give it: numbers, truth values and lists as such, unless the field's form is a text."""
    if isinstance(value, (list, tuple)):
        inner = [_json(item) if isinstance(item, (list, tuple)) else item for item in value]
        return [_typed(item, type_name, form) for item in inner] or None
    if value is None or isinstance(value, (bool, float)) or (isinstance(value, int) and form not in _AS_TEXT):
        return value
    return _shown(value, type_name, form)


def _shown(value: object, type_name: str, form: str) -> str | None:
    """*value* of a field of *type_name* as it is printed; *form* is that of numbers."""
    if value is None:
        return None
    if isinstance(value, str):
        return _address(value, type_name) if type_name in _ADDRESSES else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) or (type_name == "DOUBLE" and isinstance(value, int) and abs(value) < 1 << 64):
        return f"{value:.1f}" if type_name == "DOUBLE" else repr(value)
    if isinstance(value, int):
        return _number(value, type_name, form)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (list, tuple)):
        return _list([_element(item, type_name, form) for item in value]) if value else None
    return _json(value)


def _element(value: object, type_name: str, form: str) -> str:
    shown = _json(value) if isinstance(value, (list, tuple)) else _shown(value, type_name, form)
    return MISSING if shown is None else shown


def _list(texts: list[str]) -> str:
    """A list as it is printed: a comma stands only where something is in front of it, so empty texts at its start leave none."""
    first = next((at for at, text in enumerate(texts) if text), len(texts))
    return _cut(f"({','.join(texts[first:])})", _MAX_LIST)


def _number(value: int, type_name: str, form: str) -> str:
    if form in ("hex", "oct"):
        bits, _ = NUMBER_WIDTHS.get(type_name, (64, False))
        low, high = limits(type_name)
        rest = value & ((1 << bits) - 1) if low <= value <= high else value
        return f"{rest:X}" if form == "hex" else f"{rest:o}"
    try:
        return f"{value:09d}" if form == "10_padded_dec" else str(value)
    except ValueError:  # more digits than Python writes
        return hex(value)


def _address(text: str, type_name: str) -> str:
    data = read_value(text, type_name)
    if not isinstance(data, bytes) or len(data) not in (4, 16):
        return text
    return socket.inet_ntop(socket.AF_INET if len(data) == 4 else socket.AF_INET6, data)


def _json(value: object) -> str:
    """What no field of Falco's has, in a form that tells what it is."""
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError, RecursionError):
        return MISSING


def _writable(value: Any) -> Any:
    """*value* with what JSON cannot hold in the nearest form that it can."""
    if isinstance(value, str):
        return value if value.isascii() else encoded(value).decode("utf-8", "replace")
    if isinstance(value, Mapping):
        return {_writable(str(key)): _writable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_writable(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and not isinstance(value, bool) and not -(1 << 63) <= value < 1 << 64:
        return _number(value, "", "dec")
    return value
