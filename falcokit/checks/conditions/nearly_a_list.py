"""FK461."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.checks.conditions._lists import near_names
from falcokit.condition.ast import Check, ListValue
from falcokit.diagnostic import Edit, Fix, Label, Severity
from falcokit.ruleset.body import Body
from falcokit.ruleset.items import ListItem
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Span

__all__ = ["nearly_a_list"]

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
    names = near_names(ruleset)
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
