"""Shell patterns, path prefixes and regular expressions as Falco matches them, on bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

__all__ = ["glob_matcher", "path_matcher", "regex_matcher"]

_CLASSES: Final = frozenset(
    ("alpha", "digit", "alnum", "upper", "lower", "space", "blank", "punct", "print", "graph", "cntrl", "xdigit")
)
_WILD: Final = frozenset(b"?*[")


@lru_cache(maxsize=4096)
def glob_matcher(pattern: bytes, ignore_case: bool = False) -> Callable[[bytes], bool]:
    """Whether a whole value fits the shell *pattern*, as the C library's fnmatch without flags says."""
    import re2

    options = re2.Options()
    options.dot_nl = True
    options.log_errors = False
    options.case_sensitive = not ignore_case
    options.encoding = re2.Options.Encoding.LATIN1
    compiled = re2.compile(_translated(pattern), options)
    return lambda value: compiled.fullmatch(value) is not None


def _translated(pattern: bytes) -> bytes:
    """*pattern* as a regular expression on bytes."""
    found: list[bytes] = []
    at, end = 0, len(pattern)
    while at < end:
        sign = pattern[at : at + 1]
        at += 1
        if sign == b"*":
            if found[-1:] != [b".*"]:
                found.append(b".*")
        elif sign == b"?":
            found.append(b".")
        elif sign == b"[":
            part, after = _set(pattern, at)
            found.append(part)
            at = after
        elif sign == b"\\":
            if at >= end:
                return b"[^\\x00-\\xff]"  # Nothing fits a pattern that ends in a lone backslash.
            found.append(_literal(pattern[at]))
            at += 1
        else:
            found.append(_literal(sign[0]))
    return b"".join(found)


def _literal(byte: int) -> bytes:
    return b"\\x%02x" % byte


def _set(pattern: bytes, start: int) -> tuple[bytes, int]:
    """The set that begins behind a ``[``, and where it ends; a ``[`` that is never closed stands for itself."""
    at = start
    negated = pattern[at : at + 1] in (b"!", b"^")
    at += negated
    members: list[bytes] = []
    first = True
    while at < len(pattern):
        if pattern[at : at + 1] == b"]" and not first:
            body = b"".join(members)
            if not body:
                return (b"." if negated else b"[^\\x00-\\xff]"), at + 1
            return b"[" + (b"^" if negated else b"") + body + b"]", at + 1
        first = False
        if pattern[at : at + 2] == b"[:" and (close := pattern.find(b":]", at + 2)) >= 0:
            name = pattern[at + 2 : close]
            if name.decode("latin-1") in _CLASSES:
                members.append(b"[:" + name + b":]")
                at = close + 2
                continue
        low, at = _member(pattern, at)
        if pattern[at : at + 1] == b"-" and pattern[at + 1 : at + 2] not in (b"]", b""):
            high, at = _member(pattern, at + 1)
            if low <= high:
                members.append(_literal(low) + b"-" + _literal(high))
        else:
            members.append(_literal(low))
    return _literal(ord("[")), start


def _member(pattern: bytes, at: int) -> tuple[int, int]:
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
