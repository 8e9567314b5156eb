"""Field types: their groups, and which operators and modifiers each group permits."""

from __future__ import annotations

from typing import Final

from falcokit.record import Record

__all__ = ["LIST_OPERATORS", "TYPES", "Group", "group_of"]


class Group(Record):
    """Types that are compared alike: the name for messages, and the operators that compare them with values."""

    __slots__ = ("name", "operators")

    def __init__(self, name: str, operators: frozenset[str]) -> None:
        self.name: Final = name
        self.operators: Final = operators

    @property
    def with_modifier(self) -> frozenset[str]:
        """The operators that may carry oneof, anyof or allof."""
        return self.operators - _UNMODIFIED


_EQUAL: Final = ("=", "==", "!=", "in", "intersects", "exists")
_ORDER: Final = ("<", "<=", ">", ">=")
_NUMERIC: Final = Group("numeric", frozenset((*_EQUAL, *_ORDER)))
_BOOLEAN: Final = Group("boolean", frozenset(_EQUAL))
_STRING: Final = Group(
    "text",
    frozenset(
        (*_EQUAL, *_ORDER, "contains", "icontains", "startswith", "endswith", "glob", "iglob", "regex", "pmatch")
    ),
)
_BUFFER: Final = Group("buffer", frozenset((*_EQUAL, "contains", "bcontains", "startswith", "bstartswith", "endswith")))
_ADDRESS: Final = Group("address", frozenset(_EQUAL))
_OTHER: Final = Group("opaque", frozenset(("exists",)))

_UNMODIFIED: Final = frozenset((*_ORDER, "in", "intersects", "pmatch", "exists"))

LIST_OPERATORS: Final = frozenset(("in", "intersects", "exists"))
"""What a list field permits, whatever the type of its elements, as far as that type can stand in lists."""

TYPES: Final[dict[str, Group]] = {
    **dict.fromkeys(
        (
            "INT8", "INT16", "INT32", "INT64", "FD", "ERRNO", "PID", "UINT8", "UINT16", "UINT32", "UINT64", "RELTIME",
            "ABSTIME", "FLAGS8", "FLAGS16", "FLAGS32", "ENUMFLAGS8", "ENUMFLAGS16", "ENUMFLAGS32", "MODE", "PORT",
            "DOUBLE", "SYSCALLID", "SIGTYPE",
        ),
        _NUMERIC,
    ),
    "BOOL": _BOOLEAN,
    **dict.fromkeys(("CHARBUF", "FSPATH", "FSRELPATH"), _STRING),
    "BYTEBUF": _BUFFER,
    **dict.fromkeys(("IPADDR", "IPV4ADDR", "IPV6ADDR", "IPNET", "IPV4NET", "IPV6NET"), _ADDRESS),
    **dict.fromkeys(
        (
            "UID", "GID", "SOCKADDR", "SOCKTUPLE", "FDLIST", "SOCKFAMILY", "L4PROTO", "SIGSET", "DYN", "CHARBUFARRAY",
            "CHARBUF_PAIR_ARRAY", "NONE", "FD32", "PID32",
        ),
        _OTHER,
    ),
}  # fmt: skip
"""Every type of a field and its group."""

_LISTABLE: Final = frozenset(("CHARBUF", "UINT64", "RELTIME", "ABSTIME", "BOOL", "IPADDR", "IPNET"))
_LIST: Final = Group("list", LIST_OPERATORS)


def group_of(type_name: str, is_list: bool) -> Group:
    """The group that decides on operators."""
    if is_list:
        return _LIST if type_name in _LISTABLE else _OTHER
    return TYPES[type_name]
