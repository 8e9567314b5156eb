"""Flags in the ways that they are written: a list of ``--a=b``, one line of them, or a mapping."""

from __future__ import annotations

import re
from typing import Final

from falcokit.audit.flags import FLAGS, Flag, known
from falcokit.audit.patch.draft import Draft, Path

__all__ = ["flags_in_line", "flags_in_list", "joined", "program_line", "put_in_line", "put_in_list", "unfit"]

_PROGRAM: Final = re.compile(r"(?:(?<=[\s/\"'])|^)(?:kube-apiserver|hyperkube[ ]+(?:kube-)?apiserver)(?=\s)")
_END: Final = r"[^\s\"'\\|&;<>]*"
_WRITTEN: Final = re.compile(rf"(?<=\s)--([a-z][a-z0-9_-]*)(?:=({_END}))?")


def _name(written: str) -> str:
    """A flag's name; the API server reads ``_`` as ``-``."""
    return written.replace("_", "-")


def joined(before: str, value: str) -> str:
    """*before*, pairs separated by commas, with the pair *value* in it."""
    key = value.split("=")[0]
    pairs = [pair for pair in before.split(",") if pair]
    if value in pairs:
        return before
    same = [number for number, pair in enumerate(pairs) if pair.split("=")[0] == key]
    for number in same:
        pairs[number] = value
    return ",".join(pairs if same else [*pairs, value])


def _new(flag: Flag, before: str) -> str:
    return before if flag.keep else joined(before, flag.value) if flag.joined else flag.value


def unfit(flags: dict[str, str], wanted: tuple[Flag, ...], minor: int) -> str:
    """Why an API server 1.*minor* would not start with the audit *flags* and what is *wanted*, or nothing."""
    for flag in wanted:
        if not known(flag, minor):
            return (
                f"Kubernetes 1.{minor} does not know `--{flag.name}={flag.value}`, and its API server would not start"
            )
    for name in flags:
        if name in FLAGS and not known(Flag(name, ""), minor):
            return f"Kubernetes 1.{minor} does not know `--{name}`, which is there already"
    return ""


def flags_in_list(items: list[object]) -> dict[str, str]:
    """The flags of a list of arguments, the last of each, by name; a flag alone is ``true``."""
    found: dict[str, str] = {}
    for number, item in enumerate(items):
        if isinstance(item, str) and item.startswith("--"):
            name, equals, value = item[2:].partition("=")
            follows = items[number + 1] if number + 1 < len(items) else None
            if not equals:
                value = follows if isinstance(follows, str) and not follows.startswith("-") else "true"
            found[_name(name)] = value
    return found


def put_in_list(draft: Draft, path: Path, flag: Flag, dashes: str = "--") -> str:
    """Give the list of arguments at *path* the *flag*; what was there instead, if another value was."""
    items = list(draft.at(*path) or [])
    before = ""
    found = False
    for number, item in enumerate(items):
        if not isinstance(item, str) or not item.startswith(dashes):
            continue
        name, equals, value = item.removeprefix(dashes).partition("=")
        if _name(name) != flag.name:
            continue
        found = True
        follows = items[number + 1] if dashes and number + 1 < len(items) else None
        if equals:
            new = _new(flag, value)
            draft.item((*path, number), f"{dashes}{name}={new}")
        elif flag.value == "true":
            continue
        elif isinstance(follows, str) and not follows.startswith("-"):
            value, new = follows, _new(flag, follows)
            draft.item((*path, number + 1), new)
        else:
            draft.refuse(f"`{dashes}{name}` has no value")
        if value != new and not flag.joined:
            before = value
    if not found:
        draft.append(path, f"{dashes}{flag.name}={flag.value}")
    return before


def program_line(text: object) -> bool:
    """Whether *text* is a whole command line of the API server."""
    return isinstance(text, str) and _PROGRAM.search(text) is not None and " --" in re.sub(r"\s+", " ", text)


def flags_in_line(text: str) -> dict[str, str]:
    """The flags of a command line, by name."""
    return {_name(found[1]): found[2] if found[2] is not None else "true" for found in _WRITTEN.finditer(text)}


def put_in_line(draft: Draft, path: Path, flag: Flag) -> str:
    """Give the command line at *path* the *flag*; what was there instead, if another value was."""
    before = flags_in_line(draft.at(*path))
    if before.get(flag.name, "") == "true" != flag.value and not flag.keep:
        draft.refuse(f"`--{flag.name}` stands without a `=` in its command line")

    def change(text: str) -> str:
        if flag.name not in before:
            found = _PROGRAM.search(text)
            assert found is not None
            return f"{text[: found.end()]} --{flag.name}={flag.value}{text[found.end() :]}"

        def one(found: re.Match[str]) -> str:
            if _name(found[1]) != flag.name or found[2] is None:
                return found[0]
            return f"--{found[1]}={_new(flag, found[2])}"

        return _WRITTEN.sub(one, text)

    draft.rewrite(path, change)
    old = before.get(flag.name, "")
    return old if old not in ("", _new(flag, old)) and not flag.joined else ""
