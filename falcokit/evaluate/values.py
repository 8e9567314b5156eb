"""Values of fields and literals in the form in which Falco compares them.

Texts and addresses are bytes, numbers are int, truth values bool; a network is a `Network`.  None stands for a value that is missing.
"""

from __future__ import annotations

import socket
from typing import Final, TypeAlias

from falcokit.record import Record
from falcokit.ruleset.literals import NUMBER_WIDTHS, read_number, service_port

__all__ = ["TEXTS", "Network", "Single", "encoded", "inside", "read_literal", "read_value"]

Single: TypeAlias = "bytes | int | bool"

TEXTS: Final = frozenset(("CHARBUF", "FSPATH", "FSRELPATH"))
_ADDRESSES: Final = frozenset(("IPADDR", "IPV4ADDR", "IPV6ADDR", "IPNET", "IPV4NET", "IPV6NET"))


class Network(Record):
    """A network of a condition: the first ``bits`` bits of ``address``, which has 4 or 16 bytes."""

    __slots__ = ("address", "bits")

    def __init__(self, address: bytes, bits: int) -> None:
        self.address: Final = address
        self.bits: Final = bits


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
    if type_name in _ADDRESSES:
        return _address(value) if isinstance(value, str) else value if isinstance(value, bytes) else None
    if type_name == "BYTEBUF":
        return encoded(value) if isinstance(value, str) else _only_bytes(value)
    if not isinstance(value, int) or isinstance(value, bool):
        # Of the remaining types only numbers are compared; the others only ever exist.
        return None if type_name in NUMBER_WIDTHS or type_name == "PORT" or value is None else b""
    bits, signed = NUMBER_WIDTHS.get(type_name, (16, False) if type_name == "PORT" else (64, False))
    low, high = (-(1 << (bits - 1)), 1 << (bits - 1)) if signed else (0, 1 << bits)
    return value if low <= value < high else None


def encoded(text: str) -> bytes:
    """The bytes of *text*; bytes that were no UTF-8 when it was read are themselves again."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _only_bytes(value: object) -> bytes | None:
    return value if isinstance(value, bytes) else None


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
    if type_name in _ADDRESSES:
        return _address(text) or b""
    if type_name == "BYTEBUF" and operator in ("bcontains", "bstartswith"):
        return bytes.fromhex(text)
    return encoded(text)
