"""The base of falcokit's immutable records.

A record names its fields in ``__slots__`` and takes them as arguments of the same names; they are declared `Final`, so
that a type checker refuses to set them.  The classes are written out because a command line imports fifty of them
before it does anything: what a named tuple or a dataclass generates for each one at import costs ten times as much.
"""

from __future__ import annotations

from typing import Any, Self

__all__ = ["Record"]


class Record:
    """Equality, hash and text by the fields, and `replaced`."""

    __slots__: tuple[str, ...] = ()

    def replaced(self, **changes: Any) -> Self:
        """The same record with *changes* to the fields that they name."""
        return type(self)(**{name: getattr(self, name) for name in self.__slots__} | changes)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in self.__slots__)))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"{type(self).__name__}({fields})"
