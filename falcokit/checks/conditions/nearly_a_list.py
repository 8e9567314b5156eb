"""FK461."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.condition.ast import Check, ListValue
from falcokit.diagnostic import Edit, Fix, Label, Severity
from falcokit.ruleset.body import Body
from falcokit.ruleset.items import ListItem
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Span

__all__ = ["nearly_a_list"]

_NAME: Final = re.compile(r"[A-Za-z]\w*_\w*[A-Za-z]\w*", re.ASCII).fullmatch
_ERROR_IF_NO_LIST: Final = ("evt.type", "syscall.type")
"""Fields of which Falco refuses what is no value."""


@check("FK461", Severity.WARNING)
def nearly_a_list(ruleset: Ruleset) -> Iterator[Finding]:
    """A value is nearly the name of a list.

    Falco puts in lists whose name stands there exactly and without quotes.  Anything else is a text: with a slip in the name, or
    inside quotes, nothing equals it and Falco says nothing.  Quotes of YAML, as in `items: ["shell_binaries"]`, do no harm.

    ## Flagged

    ```yaml custom.yaml
    - list: shell_binaries
      items: [sh, bash]
    - list: more_shells
      items: [fish, «shell_binary»]
    - rule: Shell
      desc: a shell
      condition: >
        evt.type = execve and (proc.name in («shell_binarys», dash) or proc.pname in («"shell_binaries"») or proc.name in (more_shells))
      output: shell %proc.name
      priority: INFO
    ```

    ## Fixed

    ```yaml custom.yaml
    - list: shell_binaries
      items: [sh, bash]
    - list: more_shells
      items: [fish, shell_binaries]
    - rule: Shell
      desc: a shell
      condition: >
        evt.type = execve and (proc.name in (shell_binaries, dash) or proc.pname in (shell_binaries) or proc.name in (more_shells))
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - list: shell_binaries
      items: [sh, bash, my_shell]
    - list: my_shells
      items: [my_shell, other_shell]
    - list: web_server_1
      items: [nginx]
    - rule: Shell
      desc: a shell
      condition: >
        evt.type = execve and proc.name in (shell_binaries, my_shell, my_shelf, web_server_2) and proc.pname in ("shell_scripts")
        and not proc.cmdline = "shell_binarys" and not proc.aname in (my_shells)
      output: shell %proc.name
      priority: INFO
    ```

    ## See also

    `empty-list`
    """
    names = _Names(ruleset)
    seen = set()
    for item in ruleset.items:
        if isinstance(item, ListItem):
            for node in [written.node for written in item.items]:
                if "_" in node.value and (name := names.meant(node.value)) and name != item.name.text:
                    span = Span(item.file, node.start, node.end)
                    seen.add((span.file, span.start))
                    yield _finding(ruleset, span, node.value, name)
    words = {word for word in set().union(*[body.names for body in ruleset.bodies]) if "_" in word}
    meant = {word: name for word in words - names.macros.keys() - names.lists.keys() if (name := names.meant(word))}
    for body in ruleset.bodies if meant else ():
        for word in sorted(meant.keys() & body.names):
            for span in _places(body, word):
                # Lists have been put in: their items are among the values.
                if (span.file, span.start) not in seen:
                    seen.add((span.file, span.start))
                    yield _finding(ruleset, span, word, meant[word])


def _places(body: Body, word: str) -> Iterator[Span]:
    """Where *word* stands among several values."""
    text = word.strip("\"'")
    for leaf in body.parsed.leaves:
        if not isinstance(leaf, Check) or not isinstance(leaf.right, ListValue) or text not in leaf.right.texts:
            continue
        if getattr(leaf.left, "name", "") in _ERROR_IF_NO_LIST:
            continue
        for value in leaf.right.items:
            if value.text == text and value.quoted == (text != word):
                yield body.locate(value.start, value.end)


def _finding(ruleset: Ruleset, span: Span, word: str, name: str) -> Finding:
    if word[0] in "\"'":
        message, help_text = f"the list `{name}` is not put in inside quotes", "take the quotes away"
    else:
        message, help_text = f"`{word}` is no list: Falco takes it as a text", f"did you mean the list `{name}`?"
    defined = ruleset.definitions.lists[name].item.name
    label = Label(Span(defined.file, defined.node.start, defined.node.end), f"`{name}` is defined here")
    fix = Fix(f"write `{name}`", (Edit(span, name),), safe=False) if span.text == word else None
    return Finding(span, message, help_text, (label,), fix)


class _Names:
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
