"""Values of fields and literals in the form in which Falco compares them.

Texts and addresses are bytes, numbers are int, truth values bool; a network is a `Network`.  None stands for a value that is missing.
"""

from __future__ import annotations

import socket
from functools import lru_cache
from typing import Final, TypeAlias

from falcokit.record import Record
from falcokit.ruleset.literals import NUMBER_WIDTHS, read_number, service_port

__all__ = [
    "ADDRESSES", "TEXTS", "Network", "Single", "WrongValues", "as_text", "as_type", "encoded", "inside", "limits", "read_literal", "read_value",
]  # fmt: skip

Single: TypeAlias = "bytes | int | bool | float"

TEXTS: Final = frozenset(("CHARBUF", "FSPATH", "FSRELPATH"))
_MAX_WRONG: Final = 1000
ADDRESSES: Final = frozenset(("IPADDR", "IPV4ADDR", "IPV6ADDR", "IPNET", "IPV4NET", "IPV6NET"))


class Network(Record):
    """A network of a condition: the first ``bits`` bits of ``address``, which has 4 or 16 bytes."""

    __slots__ = ("address", "bits")

    def __init__(self, address: bytes, bits: int) -> None:
        self.address: Final = address
        self.bits: Final = bits


class WrongValues(dict[str, str]):
    """What was wrong with values that events gave: a sentence by field, for the first value only."""

    def note(self, field: str, type_name: str, value: object) -> None:
        """Note that *field*, which has *type_name*, was given as *value*."""
        if field not in self and len(self) < _MAX_WRONG:
            written = repr(value)
            shown = written if len(written) <= 60 else written[:57] + "..."
            self[field] = f"`{field}` is of type {type_name} and {shown} is none: it counts as missing"


def inside(value: Single, network: Network) -> bool:
    """Whether the address *value* lies in *network*; never where it is of the other family."""
    if not isinstance(value, bytes) or len(value) != len(network.address):
        return False
    shift = 8 * len(value) - network.bits
    return int.from_bytes(value, "big") >> shift == int.from_bytes(network.address, "big") >> shift


def read_value(value: object, type_name: str) -> Single | None:
    """The *value* that an event gives for a field of type *type_name*; None where it is none of this type."""
    if type_name in TEXTS:
        text = encoded(value) if isinstance(value, str) else value
        return text.partition(b"\0")[0] if isinstance(text, bytes) else None
    if type_name == "BOOL":
        return value if isinstance(value, bool) else None
    if type_name in ADDRESSES:
        return _address(value) if isinstance(value, str) and len(value) < 64 else _only_bytes(value)
    if type_name == "BYTEBUF":
        return encoded(value) if isinstance(value, str) else _only_bytes(value)
    if type_name == "DOUBLE" and isinstance(value, float):
        return value if value == value else None
    if not isinstance(value, int) or isinstance(value, bool):
        # Of the remaining types only numbers are compared; the others only ever exist.
        return None if type_name in NUMBER_WIDTHS or type_name == "PORT" or value is None else b""
    low, high = limits(type_name)
    return value if low <= value <= high else None


def limits(type_name: str) -> tuple[int, int]:
    """The smallest and the largest number of type *type_name*."""
    bits, signed = NUMBER_WIDTHS.get(type_name, (16, False) if type_name == "PORT" else (64, False))
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)


def encoded(text: str) -> bytes:
    """The bytes of *text*; bytes that were no UTF-8 when it was read are themselves again."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _only_bytes(value: object) -> bytes | None:
    return value if isinstance(value, bytes) else None


@lru_cache(maxsize=8192)
def _address(text: str) -> bytes | None:
    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):
        return None


def read_literal(text: str, type_name: str, operator: str) -> Single | Network:
    """The literal *text* of a check that Falco takes, for a left side of type *type_name*."""
    if type_name in NUMBER_WIDTHS:
        number = read_number(text, type_name)
        assert number is not None
        return number
    if type_name == "BOOL":
        return text == "true"
    if type_name == "PORT":
        return service_port(text)
    if type_name.endswith("NET"):
        address, _, prefix = text.partition("/")
        bits = read_number(prefix, "UINT8")
        assert bits is not None
        return Network(_address(address) or b"", bits)
    if type_name in ADDRESSES:
        return _address(text) or b""
    if type_name == "BYTEBUF" and operator in ("bcontains", "bstartswith"):
        return bytes.fromhex(text)
    return encoded(text)


def as_text(value: object, field: str, wrong: WrongValues | None) -> str | None:
    """The text that *value*, given for a *field* of texts, is compared as: equal exactly where its bytes are."""
    if isinstance(value, str) and value.isascii() and "\0" not in value:
        return value
    found = read_value(value, "CHARBUF")
    if isinstance(found, bytes):
        return found.decode("utf-8", "surrogateescape")
    if value is not None and wrong is not None:
        wrong.note(field, "CHARBUF", value)
    return None


def as_type(value: object, field: str, type_name: str, wrong: WrongValues | None) -> Single | None:
    """What *value*, given for a *field* of numbers or truth values of *type_name*, is."""
    found = read_value(value, type_name)
    if found is None and value is not None and wrong is not None:
        wrong.note(field, type_name, value)
    return found
