"""Audit events of which only some parts are known, and what each field of a condition reads of an event.

Fields are extracted from them by the code that extracts them from real events: one that needs a part that is not known is
left open, one that needs a part which the event lacks has no value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, NoReturn

from falcokit.event.audit import AuditEvent
from falcokit.event.json_text import JsonValue

__all__ = ["REQUEST_BODY", "RESPONSE_BODY", "WHOLE", "Told", "reads"]

REQUEST_BODY: Final = "/requestObject"
"""What levels from Request on record."""
RESPONSE_BODY: Final = "/responseObject"
"""What the level RequestResponse records."""
WHOLE: Final = ""
"""The place of an event as a whole."""
_OBJECTS: Final = frozenset((WHOLE, "/user", "/impersonatedUser", "/objectRef", "/responseStatus", "/annotations"))
"""What is an object where it is there at all."""
_TIME: Final = 1_700_000_000_000_000_000


class _NotKnown(Exception):
    """A part that is not known was to be read; ``path`` is its place."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class _Node(JsonValue):
    """The part at *path* of an event of which *known* tells some places: their texts, or None where nothing is."""

    __slots__ = ("_known", "_path")

    def __init__(self, path: str, known: Mapping[str, str | None]) -> None:
        self._path: Final = path
        self._known: Final = known

    def get(self, key: str) -> JsonValue | None:
        path = f"{self._path}/{key}"
        if path not in self._known:
            return _Node(path, self._known)
        text = self._known[path]
        return None if text is None else JsonValue("text", json.dumps(text, ensure_ascii=False))

    def compact(self) -> str:
        self._refuse()

    def indented(self, indent: str = "") -> str:
        self._refuse()

    def whole(self) -> str:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise _NotKnown(self._path)

    @property  # type: ignore[misc]
    def kind(self) -> str:
        return "object" if self._path in _OBJECTS else self._refuse()

    @property  # type: ignore[misc]
    def raw(self) -> str:
        self._refuse()

    @property  # type: ignore[misc]
    def members(self) -> Sequence[tuple[str, str, JsonValue]]:
        self._refuse()

    @property  # type: ignore[misc]
    def items(self) -> Sequence[JsonValue]:
        self._refuse()


class Told(Mapping[str, object]):
    """An event of which *known* tells some places (JSON pointers): the text there, or None where nothing is.

    Its keys are the field expressions that can be answered from these; one that has no value is there with None.
    """

    def __init__(self, known: Mapping[str, str | None]) -> None:
        self._event: Final = AuditEvent(_Node(WHOLE, known), _TIME)
        self._values: Final[dict[str, tuple[bool, object]]] = {}

    def _value(self, expression: str) -> tuple[bool, object]:
        found = self._values.get(expression)
        if found is None:
            try:
                found = True, self._event.get(expression)
            except _NotKnown:
                found = False, None
            self._values[expression] = found
        return found

    def __getitem__(self, expression: str) -> object:
        known, value = self._value(expression)
        if not known:
            raise KeyError(expression)
        return value

    def __contains__(self, expression: object) -> bool:
        return isinstance(expression, str) and self._value(expression)[0]

    def __iter__(self) -> Iterator[str]:
        return iter(())  # Fields are asked for, never listed.

    def __len__(self) -> int:
        return 0


_TRACED: Final[tuple[Mapping[str, str | None], ...]] = (
    {},
    {"/objectRef/resource": "pods", "/objectRef/subresource": None},
)
"""What is known while fields are watched: nothing, and what the fields of pods look at before they read on."""


@lru_cache(maxsize=4096)
def reads(expression: str) -> frozenset[str]:
    """The places of an event that the field *expression* needs, found by extracting it where they are not known."""
    found = set()
    for known in _TRACED:
        try:
            AuditEvent(_Node(WHOLE, known), _TIME).get(expression)
        except _NotKnown as missing:
            found.add(missing.path)
    return frozenset(found)
