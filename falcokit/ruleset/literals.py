"""Which texts are values of a type: how Falco reads the literals of the right side."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final

__all__ = ["literal_problem", "needless_regex", "regex_problem"]

_NUMBER: Final = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+")
_QUAD: Final = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!$)|$)){4}")
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})*")
_MAX_BYTES: Final = 255
_MAX_INT: Final = 2147483647


def literal_problem(type_name: str, text: str, operator: str) -> tuple[str, str, bool] | None:
    """Why *text* is no value of *type_name*: message, help, and whether Falco itself ends on it; None when it is one."""
    if type_name == "CHARBUF" or type_name in ("FSPATH", "FSRELPATH"):
        return _text_problem(text)
    if type_name == "BYTEBUF":
        if operator in ("bcontains", "bstartswith"):
            if not _HEX.fullmatch(text):
                return f"`{operator}` takes an even number of hexadecimal digits", "such as cafe for two bytes", False
            return None
        return _too_long(text)
    if "\0" in text:
        return "a value cannot contain a NUL", "", False
    found = _OTHERS.get(type_name, _number_problem)(text)
    return found


def _text_problem(text: str) -> tuple[str, str, bool] | None:
    if "\0" in text:
        return "a text cannot contain a NUL", "", False
    return _too_long(text) if len(text) > 60 else None


def _too_long(text: str) -> tuple[str, str, bool] | None:
    size = len(text.encode("utf-8", "surrogateescape"))
    if size > _MAX_BYTES:
        return f"the text has {size} bytes, Falco takes {_MAX_BYTES}", "use a shorter text with another operator", False
    return None


def _number_problem(text: str) -> tuple[str, str, bool] | None:
    if _NUMBER.fullmatch(text):
        return None
    help_text = "numbers are written in decimal digits"
    if re.fullmatch(r"0[xX][0-9a-fA-F]+", text) and len(text) < 20:
        help_text = f"numbers are decimal: write {int(text, 16)}"
    elif re.fullmatch(r"[0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h)", text):
        help_text = "times are written in nanoseconds, as a number"
    elif re.fullmatch(r"[A-Z][A-Z0-9_]+(\|[A-Z0-9_]+)*", text):
        help_text = "names of flags exist only as text, by way of `evt.arg.NAME`"
    return f"`{_shown(text)}` is not a whole number", help_text, False


def _port_problem(text: str) -> tuple[str, str, bool] | None:
    if not text:
        return None
    if text.isdigit() and text.isascii():
        if len(text) > 10 or int(text) > _MAX_INT:
            return f"`{_shown(text)}` is too large for a port", "ports go up to 65535", True
        return None
    if text in _services():
        return None
    from falcokit.ruleset.suggest import nearest

    near = nearest(text.lower(), _services())
    help_text = f"did you mean `{near[0]}`?" if near else "write the number of the port"
    return f"`{_shown(text)}` is neither a port number nor a known service", help_text, False


@cache
def _services() -> frozenset[str]:
    import json

    from falcokit.data import read_data

    return frozenset(json.loads(read_data("schemas", "catalogue/services.json")))


def _boolean_problem(text: str) -> tuple[str, str, bool] | None:
    if text in ("true", "false"):
        return None
    return f"`{_shown(text)}` is neither true nor false", "write `true` or `false`", False


def _is_v6(text: str) -> bool:
    import socket

    try:
        socket.inet_pton(socket.AF_INET6, text)
    except (OSError, ValueError):
        return False
    return True


def _address_problem(text: str) -> tuple[str, str, bool] | None:
    if "." in text:
        return None if _QUAD.fullmatch(text) else _no_address(text, "IPv4")
    return None if _is_v6(text) else _no_address(text, "IPv6" if ":" in text else "IP")


def _no_address(text: str, family: str) -> tuple[str, str, bool]:
    help_text = "addresses have no prefix length: use a field such as `fd.snet` for networks" if "/" in text else ""
    return f"`{_shown(text)}` is no {family} address", help_text or "names and port numbers cannot stand here", False


def _network_problem(text: str) -> tuple[str, str, bool] | None:
    address, slash, prefix = text.partition("/")
    if not slash:
        help_text = f"write `{text}/32`" if _QUAD.fullmatch(text) else "write an address, `/` and the prefix length"
        return f"`{_shown(text)}` is no network", help_text, False
    v4 = "." in text
    if not (_QUAD.fullmatch(address) if v4 else _is_v6(address)):
        return _no_address(address, "IPv4" if v4 else "IPv6")
    if not _NUMBER.fullmatch(prefix) or len(prefix) > 40:
        return f"`{_shown(prefix)}` is no prefix length", "write a number of bits", False
    bits = int(prefix) % 256
    if bits > (32 if v4 else 128) or (bits == 0 and not v4):
        allowed = "0 to 32" if v4 else "1 to 128"
        return f"`{prefix}` is no prefix length", f"it goes from {allowed}", False
    return None


def _never(text: str) -> tuple[str, str, bool] | None:
    return f"no value can be written for this type, `{_shown(text)}` neither", "only `exists` works", False


def _opaque(text: str) -> tuple[str, str, bool] | None:
    return f"`{_shown(text)}` cannot be read as this type", "only `exists` works", False


_OTHERS: Final[dict[str, Callable[[str], tuple[str, str, bool] | None]]] = {
    "PORT": _port_problem,
    "BOOL": _boolean_problem,
    **dict.fromkeys(("IPADDR", "IPV4ADDR", "IPV6ADDR"), _address_problem),
    **dict.fromkeys(("IPNET", "IPV4NET", "IPV6NET"), _network_problem),
    **dict.fromkeys(("SYSCALLID", "SIGTYPE"), _never),
}


def _shown(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


@cache
def _options() -> Any:
    import re2

    options = re2.Options()
    options.posix_syntax = True
    options.longest_match = True
    options.log_errors = False
    return options


def regex_problem(pattern: str) -> str | None:
    """What is wrong with a regular expression, None when it compiles."""
    import re2

    try:
        re2.compile(pattern, options=_options())
    except (re2.error, UnicodeEncodeError) as error:
        reason = error.args[0] if error.args else ""
        return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    return None


_SPECIAL: Final = frozenset(".+*?^$()[]{}|\\")


def needless_regex(pattern: str) -> bool:
    """Whether Falco thinks a simpler operator would do: nothing special but at the ends."""
    last, at = len(pattern) - 1, 0
    while at <= last:
        character = pattern[at]
        if (character == "^" and at == 0) or (character == "$" and at == last):
            at += 1
            continue
        if (
            character == "."
            and last > 0
            and (at == 0 or at == last - 1)
            and at < last
            and pattern[at + 1] in "+*?"
        ):
            at += 2
            continue
        if character in _SPECIAL:
            return False
        at += 1
    return True
