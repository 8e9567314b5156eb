"""Shell patterns, path prefixes and regular expressions as Falco matches them, on bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

__all__ = ["glob_matcher", "path_matcher", "regex_matcher"]

_CLASSES: Final[dict[bytes, Callable[[int], bool]]] = {
    b"alpha": lambda c: chr(c).isalpha(), b"digit": lambda c: chr(c).isdigit(), b"alnum": lambda c: chr(c).isalnum(),
    b"upper": lambda c: chr(c).isupper(), b"lower": lambda c: chr(c).islower(), b"space": lambda c: c == 32 or 9 <= c <= 13,
    b"blank": lambda c: c in b" \t", b"punct": lambda c: 32 < c < 127 and not chr(c).isalnum(), b"print": lambda c: 32 <= c < 127,
    b"graph": lambda c: 32 < c < 127, b"cntrl": lambda c: c < 32 or c == 127, b"xdigit": lambda c: c in b"0123456789abcdefABCDEF",
}  # fmt: skip
"""The classes of the C locale, in which only ASCII has any."""
_WILD: Final = frozenset(b"?*[")
_NOTHING: Final = b"[^\\x00-\\xff]"
_MAX_PATTERN: Final = 1 << 16
"""How long a pattern that an event gives may be: a longer one fits nothing."""


@lru_cache(maxsize=4096)
def glob_matcher(pattern: bytes, ignore_case: bool = False) -> Callable[[bytes], bool]:
    """Whether a whole value fits the shell *pattern*, as the C library's fnmatch without flags says in the C locale."""
    import re2

    if len(pattern) > _MAX_PATTERN:
        return lambda value: False
    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    options.max_mem = 1 << 28
    options.encoding = re2.Options.Encoding.LATIN1
    compiled = re2.compile(_translated(pattern, ignore_case), options)
    return lambda value: compiled.fullmatch(value) is not None


def _translated(pattern: bytes, ignore_case: bool) -> bytes:
    """*pattern* as a regular expression on bytes."""
    found: list[bytes] = []
    at, end, last_close = 0, len(pattern), pattern.rfind(b"]")
    while at < end:
        sign = pattern[at : at + 1]
        at += 1
        if sign == b"*":
            if found[-1:] != [b".*"]:
                found.append(b".*")
        elif sign == b"?":
            found.append(b".")
        elif sign == b"[" and at <= last_close:
            part, at = _set(pattern, at, ignore_case)
            found.append(part)
        elif sign == b"[" and pattern.endswith(b"-") and end - at > 1:
            return _NOTHING  # A range that the pattern ends in.
        elif sign == b"\\":
            if at >= end:
                return _NOTHING  # As is a lone backslash.
            found.append(_any_of({pattern[at]}, ignore_case))
            at += 1
        else:
            found.append(_any_of({sign[0]}, ignore_case))
    return b"".join(found)


def _any_of(members: set[int], ignore_case: bool) -> bytes:
    """One byte of *members*, or of the other case."""
    if ignore_case:
        members = members | {other for c in members for other in (*bytes([c]).lower(), *bytes([c]).upper())}
    written = b"".join([b"\\x%02x" % c for c in sorted(members)])
    return written if len(members) == 1 else b"[" + written + b"]" if members else _NOTHING


def _set(pattern: bytes, start: int, ignore_case: bool) -> tuple[bytes, int]:
    """The set that begins behind a ``[``, and where it ends; a ``[`` that is never closed stands for itself."""
    at = start
    negated = pattern[at : at + 1] in (b"!", b"^")
    at += negated
    members: set[int] = set()
    first = True
    while at < len(pattern):
        if pattern[at : at + 1] == b"]" and not first:
            return _any_of(set(range(256)) - members if negated else members, False), at + 1
        first = False
        if (found := _CLASS.match(pattern, at)) is not None:
            test = _CLASSES.get(found[1])
            if test is None:
                return _NOTHING, len(pattern)  # The C library gives up at a class that it does not know.
            members |= {c for c in range(128) if test(c)}
            at = found.end()
            continue
        low, at = _member(pattern, at)
        high = low
        if pattern[at : at + 1] == b"-" and pattern[at + 1 : at + 2] not in (b"]", b""):
            high, at = _member(pattern, at + 1)
        if ignore_case:
            low, high = (_folded(c) for c in (low, high))
        inside = range(low, high + 1)
        # A capital is in a range where its small letter is.
        members.update([c for c in inside if not 65 <= c <= 90] if ignore_case else inside)
        if ignore_case:
            members.update([c - 32 for c in inside if 97 <= c <= 122])
    return b"\\x5b", start


_CLASS: Final = re.compile(rb"\[:([a-z]+):\]")
_SINGLE: Final = re.compile(rb"\[([.=])(.)\1\]", re.DOTALL)


def _folded(byte: int) -> int:
    return byte + 32 if 65 <= byte <= 90 else byte


def _member(pattern: bytes, at: int) -> tuple[int, int]:
    if (found := _SINGLE.match(pattern, at)) is not None:
        return found[2][0], found.end()
    if pattern[at : at + 1] == b"\\" and at + 1 < len(pattern):
        at += 1
    return pattern[at], at + 1


@lru_cache(maxsize=4096)
def regex_matcher(pattern: str) -> Callable[[bytes], bool]:
    """Whether a whole value fits *pattern* in RE2's POSIX syntax."""
    import re2

    options = re2.Options()
    options.posix_syntax = True
    options.longest_match = True
    options.log_errors = False
    compiled = re2.compile(pattern, options)
    return lambda value: compiled.fullmatch(value.decode("utf-8", "replace")) is not None


def path_matcher(paths: Sequence[bytes]) -> Callable[[bytes], bool]:
    """Whether the parts of one of *paths* are the first ones of a value's."""
    wanted = [[_part(part) for part in path.split(b"/") if part] for path in paths]

    def matches(value: bytes) -> bool:
        parts = [part for part in value.split(b"/") if part]
        return any(
            len(tests) <= len(parts) and all(test(part) for test, part in zip(tests, parts, strict=False))
            for tests in wanted
        )

    return matches


def _part(part: bytes) -> Callable[[bytes], bool]:
    return glob_matcher(part) if _WILD.intersection(part) else part.__eq__
