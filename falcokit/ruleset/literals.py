"""Literals on the right side of a check: how Falco reads one as a value of the left side's type, and why it may not.

Everything works on the literal's text as the condition language leaves it, escapes already read.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

from falcokit.record import Record

__all__ = [
    "MAX_TEXT",
    "NUMBER_WIDTHS",
    "BadLiteral",
    "literal_problem",
    "needless_regex",
    "read_number",
    "regex_problem",
    "service_port",
    "shown",
]

MAX_TEXT: Final = 255
"""How many bytes a text may have."""


class BadLiteral(Record):
    """Why a text is no value of a type; ``kind`` is that of a problem."""

    __slots__ = ("ends_falco", "help", "kind", "message")

    def __init__(self, message: str, help: str = "", kind: str = "wrong-literal", ends_falco: bool = False) -> None:
        self.message: Final = message
        self.help: Final = help
        self.kind: Final = kind
        self.ends_falco: Final = ends_falco


NUMBER_WIDTHS: Final = {
    "INT8": (8, True), "INT16": (16, True), "INT32": (32, True), "INT64": (64, True), "FD": (64, True),
    "ERRNO": (64, True), "PID": (64, True), "DOUBLE": (32, True), "UINT8": (8, False), "UINT16": (16, False),
    "UINT32": (32, False), "UINT64": (64, False), "RELTIME": (64, False), "ABSTIME": (64, False),
    "FLAGS8": (8, False), "FLAGS16": (16, False), "FLAGS32": (32, False), "ENUMFLAGS8": (8, False),
    "ENUMFLAGS16": (16, False), "ENUMFLAGS32": (32, False), "MODE": (32, False),
}  # fmt: skip
_TEXTS: Final = frozenset(("CHARBUF", "FSPATH", "FSRELPATH"))
_FAMILIES: Final = {
    "IPADDR": "46", "IPV4ADDR": "4", "IPV6ADDR": "6", "IPNET": "46", "IPV4NET": "4", "IPV6NET": "6"
}  # fmt: skip

_NUMBER: Final = re.compile(r"[ \t\n\v\f\r]*([+-]?)([0-9]+)").fullmatch
_DIGITS: Final = re.compile(r"[0-9]+").fullmatch
_HEX_PAIRS: Final = re.compile(r"(?:[0-9a-fA-F]{2})*").fullmatch
_BYTE: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4: Final = re.compile(rf"{_BYTE}(?:\.{_BYTE}){{3}}").fullmatch
_GROUP: Final = re.compile(r"[0-9a-fA-F]{1,4}").fullmatch
_WORD: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII).fullmatch
_MAX_PORT_READ: Final = (1 << 31) - 1


def _byte_length(text: str) -> int:
    """The length of *text* in bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


def read_number(text: str, type_name: str) -> int | None:
    """The number that *text* is for a numeric type, None where it is none.

    As C's scanf reads it: blanks before it, decimal digits only, nothing behind; what does not fit into 64 bits
    saturates, and narrower types keep their lowest bits.
    """
    found = _NUMBER(text)
    if found is None:
        return None
    bits, signed = NUMBER_WIDTHS[type_name]
    digits = found[2].lstrip("0") or "0"
    # The digits are cut because Python refuses to read very long ones; 20 are more than any of these types holds.
    value = int(digits) if len(digits) <= 20 else 1 << 80
    if signed:
        value = max(-value, -1 << 63) if found[1] == "-" else min(value, (1 << 63) - 1)
    elif value >= 1 << 64:
        value = (1 << 64) - 1
    elif found[1] == "-":
        value = -value
    value &= (1 << bits) - 1
    return value - (1 << bits) if signed and value >> (bits - 1) else value


def literal_problem(type_name: str, text: str, operator: str) -> BadLiteral | None:
    """Why *text* cannot stand behind *operator* for a left side of type *type_name*; None where it can."""
    if "\0" in text and type_name != "BYTEBUF":
        return BadLiteral("a value with a NUL byte can only be compared with raw bytes", "take `\\x00` out")
    if type_name in _TEXTS:
        return _text_error(text) or (_regex(text) if operator == "regex" else None)
    if type_name in NUMBER_WIDTHS:
        return _number_error(text, type_name)
    if type_name in _FAMILIES:
        return _network_error(text, type_name) if type_name.endswith("NET") else _address_error(text, type_name)
    if type_name == "BOOL":
        return None if text in ("true", "false") else BadLiteral(f"{shown(text)} is neither `true` nor `false`", "")
    if type_name == "PORT":
        return _port_error(text)
    if type_name == "BYTEBUF":
        return _bytes_error(text, operator)
    return BadLiteral(f"no value can be written for a field of type {type_name}", "only `exists` works with this field")


def shown(text: str) -> str:
    """*text* for a message, cut where it is long."""
    if not text:
        return "an empty text"
    if not text.isprintable():
        text = repr(text)[1:-1]
    return f"`{text}`" if len(text) <= 60 else f"`{text[:50]}...`"


def _text_error(text: str) -> BadLiteral | None:
    if len(text) * 4 > MAX_TEXT and (length := _byte_length(text)) > MAX_TEXT:
        message = f"this text has {length} bytes, Falco takes {MAX_TEXT} at most"
        return BadLiteral(message, "compare with a part of it: `startswith`, `endswith` or `contains`")
    return None


def _number_error(text: str, type_name: str) -> BadLiteral | None:
    if _NUMBER(text) is not None:
        return None
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,16}", text):
        return BadLiteral(f"{shown(text)} is not decimal", f"write `{int(text, 16)}`")
    if re.fullmatch(r"[0-9]{1,9}(?:ns|us|ms|s|m|h)", text) and type_name in ("RELTIME", "ABSTIME"):
        number, unit = re.findall(r"[0-9]+|[a-z]+", text)
        factor = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}[unit]
        return BadLiteral(f"{shown(text)} has a unit", f"times are in nanoseconds: write `{int(number) * factor}`")
    if re.fullmatch(r"[+-]?[0-9]{1,18}\.[0-9]*", text):
        return BadLiteral(f"{shown(text)} is no whole number", f"write `{text.partition('.')[0]}`")
    if re.fullmatch(r"[A-Z][A-Z0-9_]+(?:\|[A-Z0-9_]+)*", text):
        return BadLiteral(f"{shown(text)} is no number", "names of flags exist only as text: compare `evt.arg.NAME`")
    return BadLiteral(f"{shown(text)} is no number", "write decimal digits, with a sign if needed")


def _port_error(text: str) -> BadLiteral | None:
    if not text:
        return None
    if _DIGITS(text):
        digits = text.lstrip("0")
        if len(digits) > 10 or int(digits or "0") > _MAX_PORT_READ:
            return BadLiteral(
                f"the port {shown(text)} is so large that Falco ends", "ports go up to 65535", ends_falco=True
            )
        return None
    services = _services()
    if text in services:
        return None
    from falcokit.ruleset.suggest import nearest

    near = nearest(text.lower(), services)
    help_text = f"did you mean `{near[0]}`?" if near else "write the number of the port"
    return BadLiteral(f"{shown(text)} is neither a port number nor a known service", help_text)


@cache
def _services() -> dict[str, int]:
    import json

    from falcokit.data import read_data

    services: dict[str, int] = json.loads(read_data("schemas", "catalogue/services.json"))
    return services


def service_port(text: str) -> int:
    """The port that *text*, a literal that Falco takes, stands for."""
    if not text:
        return 0
    return int(text.lstrip("0") or "0") % 65536 if _DIGITS(text) else _services()[text]


def _bytes_error(text: str, operator: str) -> BadLiteral | None:
    length = _byte_length(text)
    if operator in ("bcontains", "bstartswith"):
        if not _HEX_PAIRS(text):
            message = f"`{operator}` compares with bytes written in hexadecimal, {shown(text)} is not"
            return BadLiteral(message, "write two hexadecimal digits a byte, such as `cafe00`, without `0x` or blanks")
        length //= 2
    if length > MAX_TEXT:
        return BadLiteral(f"this value has {length} bytes, Falco takes {MAX_TEXT} at most")
    return None


def _is_ipv6(text: str) -> bool:
    """Whether *text* is an IPv6 address, without zone or brackets."""
    if "." in text:
        rest, _, last = text.rpartition(":")
        if not rest or not _IPV4(last):
            return False
        text = f"{rest}:0:0"
    before, gap, after = text.partition("::")
    groups = [*(before.split(":") if before else ()), *(after.split(":") if after else ())]
    if len(text) > 45 or any(not _GROUP(group) for group in groups):
        return False
    return len(groups) < 8 if gap else len(groups) == 8


def _family(text: str, type_name: str) -> str:
    families = _FAMILIES[type_name]
    return families if len(families) == 1 else "4" if "." in text else "6"


def _address_error(text: str, type_name: str) -> BadLiteral | None:
    family = _family(text, type_name)
    if _IPV4(text) if family == "4" else _is_ipv6(text):
        return None
    if "/" in text:
        help_text = "compare networks with a field that takes them, such as `fd.net`, `fd.snet`, `fd.cnet`"
        return BadLiteral(f"{shown(text)} is a network, not an address", help_text)
    if family == "4" and "." in text and _is_ipv6(text):
        return BadLiteral(f"{shown(text)} cannot be used: Falco reads every address with a dot as IPv4")
    if _WORD(text):
        return BadLiteral(f"{shown(text)} is no IP address", "write an address, or define a list of this name before")
    if family == "4":
        return BadLiteral(f"{shown(text)} is no IPv4 address", "write four numbers up to 255 without leading zeros")
    return BadLiteral(f"{shown(text)} is no IP address", "write an address such as `10.0.0.1` or `fe80::1`")


def _network_error(text: str, type_name: str) -> BadLiteral | None:
    family = _family(text, type_name)
    address, slash, prefix = text.partition("/")
    if not slash:
        width = "32" if family == "4" else "128"
        good = _IPV4(text) if family == "4" else _is_ipv6(text)
        help_text = f"write `{text}/{width}` for one address" if good else "write a network such as `10.0.0.0/8`"
        return BadLiteral(f"{shown(text)} has no prefix length", help_text)
    if not (_IPV4(address) if family == "4" else _is_ipv6(address)):
        return BadLiteral(f"{shown(address)} is no IPv{family} address", "write a network such as `10.0.0.0/8`")
    length = read_number(prefix, "UINT8")
    if length is None:
        return BadLiteral(f"{shown(prefix)} is no prefix length", "write a number behind `/`, such as `10.0.0.0/8`")
    if family == "4" and length > 32:
        return BadLiteral(f"the prefix length {shown(prefix)} is larger than 32")
    if family == "6" and not 1 <= length <= 128:
        return BadLiteral(f"the prefix length {shown(prefix)} is not between 1 and 128")
    return None


def _regex(text: str) -> BadLiteral | None:
    return regex_problem(text)


_REGEX_WORDS: Final = {
    "missing )": "a `(` is never closed",
    "missing ]": "a `[` is never closed",
    "unexpected )": "a `)` closes nothing",
    "no argument for repetition operator": "there is nothing to repeat before the repetition",
    "bad repetition operator": "a repetition follows a repetition",
    "invalid repetition size": "a repetition count is above 1000, or its bounds are the wrong way round",
    "invalid escape sequence": "an escape is not known",
    "invalid character class range": "a range in `[...]` is the wrong way round or not known",
    "invalid character class": "a class in `[...]` is not known",
    "trailing \\": "it ends with a lone backslash",
    "invalid UTF-8": "its bytes are not UTF-8",
    "pattern too large": "it is too large once its repetitions are written out",
}
_ESCAPES: Final = {
    "d": "[0-9]", "D": "[^0-9]", "w": "[[:alnum:]_]", "W": "[^[:alnum:]_]", "s": "[[:space:]]", "S": "[^[:space:]]"
}  # fmt: skip


@lru_cache(maxsize=1024)
def regex_problem(pattern: str) -> BadLiteral | None:
    """Why *pattern* is no regular expression of RE2's POSIX syntax; None where it is one."""
    import re2

    detail = ""
    try:
        encoded = pattern.encode("utf-8")
    except UnicodeEncodeError:
        detail = "invalid UTF-8"
    else:
        options = re2.Options()
        options.posix_syntax = True
        options.longest_match = True
        options.log_errors = False
        try:
            re2.compile(encoded, options)
        except re2.error as error:
            detail = error.args[0] if isinstance(error.args[0], str) else error.args[0].decode("utf-8", "replace")
            # RE2 says so of every range that the end of the pattern cuts off, whatever its bytes.
            detail = detail.replace("invalid UTF-8", "missing ]")
        else:
            return None
    reason, colon, piece = detail.partition(": ")
    words = _REGEX_WORDS.get(reason, "its syntax is wrong")
    if colon and reason in ("invalid escape sequence", "invalid repetition size", "invalid character class range"):
        words += f" ({shown(piece)})"
    return BadLiteral(
        f"{shown(pattern)} is no regular expression: {words}", _regex_help(pattern, piece), "invalid-regex"
    )


def _regex_help(pattern: str, piece: str) -> str:
    if pattern.startswith("(?i)"):
        return "there are no flags: use `icontains` or `iglob`, or classes such as `[Aa]`"
    if "(?" in pattern:
        return "Falco's POSIX syntax has no `(?...)`: write a plain group `(...)`"
    if piece.startswith("\\") and len(piece) == 2:
        if piece[1] in _ESCAPES:
            return f"Falco's POSIX syntax has no `{piece}`: write `{_ESCAPES[piece[1]]}`"
        if piece[1] in "bBAz":
            return f"take `{piece}` out: the whole value must match anyway"
    return ""


def needless_regex(pattern: str) -> str:
    """What does the same as matching *pattern*, by Falco's own heuristic; empty where a regex is needed."""
    last = len(pattern) - 1
    i, before, after = 0, False, False
    while i <= last:
        character = pattern[i]
        if (i == 0 and character == "^") or (i == last and character == "$"):
            i += 1
        elif character == "." and i < last and (i == 0 or i == last - 1) and pattern[i + 1] in "+*?":
            before, after = before or i == 0, after or i != 0
            i += 2
        elif character in ".+*?^$()[]{}|\\":
            return ""
        else:
            i += 1
    word = ("contains" if after else "endswith") if before else "startswith" if after else "="
    core = pattern[2 if before else 0 :]
    core = (core[:-2] if after else core).removeprefix("^").removesuffix("$")
    if not core and (before or after):
        return "exists"
    return f"{word} {core}" if re.fullmatch(r"[^()\"'\s=,]+", core) else f"{word} '{core}'"
