"""Values that are called as a list, or nearly so."""

from __future__ import annotations

import re
from typing import Final

from falcokit.condition.ast import Check, ListValue
from falcokit.ruleset.default_index import homes
from falcokit.ruleset.ruleset import Ruleset, once

__all__ = ["NearNames", "missing_list", "near_names"]

_NAME: Final = re.compile(r"[A-Za-z]\w*_\w*[A-Za-z]\w*", re.ASCII).fullmatch
_LIKE_A_LIST: Final = re.compile(
    r"[a-z][a-z0-9_]*_(?:addresses|binaries|containers|destinations|directories|dirs|domains|executables|files|hosts|images|"
    r"ipaddrs|ips|lists?|namespaces|networks|paths|ports|processes|procs|programs|repositories|sockets|subnets|users)"
)


def missing_list(ruleset: Ruleset, check: Check) -> str:
    """The name that stands alone in the parentheses of *check* for a list that nobody defines, ``""`` where none does."""
    right = check.right
    if not isinstance(right, ListValue) or len(right.texts) != 1 or "_" not in (name := right.texts[0]):
        return ""
    if name in ruleset.definitions.lists or right.items[0].quoted:
        return ""
    if name.endswith("_users") and getattr(check.left, "name", "").startswith(("user.", "group.")):
        return ""  # Accounts and groups are called so.
    return name if _LIKE_A_LIST.fullmatch(name) or homes(("list", name)) else ""


@once
def near_names(ruleset: Ruleset) -> NearNames:
    """The names of all lists, to be asked what is nearly one."""
    return NearNames(ruleset)


class NearNames:
    """The lists by what is left of their names without one word of it, so that a slip in that word is found at once."""

    def __init__(self, ruleset: Ruleset) -> None:
        self.lists = ruleset.definitions.lists
        self.macros = ruleset.definitions.macros
        self.by_rest: dict[str, list[str]] = {}
        for name in self.lists:
            if "_" in name:
                for _, rest in _cut(name):
                    self.by_rest.setdefault(rest, []).append(name)

    def meant(self, word: str) -> str:
        """The list that is nearly named *word*, empty where there is none."""
        bare = word.strip("\"'")
        if not _NAME(bare) or bare in self.macros or (bare in self.lists and bare == word):
            return ""
        if bare in self.lists:
            # A value that the list has itself is no mistake.
            return "" if self._has(bare, bare) else bare
        if bare != word:
            return ""
        for part, rest in _cut(word):
            for name in self.by_rest.get(rest, ()):
                other = next(p for p, r in _cut(name) if r == rest)
                if _is_slip(part, other) and not self._has(name, word):
                    return name
        return ""

    def _has(self, name: str, text: str) -> bool:
        return any(item.text == text for item in self.lists[name].items)


def _cut(name: str) -> list[tuple[str, str]]:
    """Each word of *name*, with the rest."""
    words = name.lower().split("_")
    return [(word, "_".join([*words[:number], "", *words[number + 1 :]])) for number, word in enumerate(words)]


def _is_slip(one: str, other: str) -> bool:
    """Whether the two words are one, with a letter too much, too few, wrong or out of place, or in the plural."""
    if one == other or re.sub("ie?s$|y?s$|y$", "", one) == re.sub("ie?s$|y?s$|y$", "", other):
        return True
    if min(len(one), len(other)) < 5 or not (one + other).isalpha():
        return False
    start = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    return a[1:] == b or a == b[1:] or a[1:] == b[1:] or (a[1::-1], a[2:]) == (b[:2], b[2:])
