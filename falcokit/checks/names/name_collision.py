"""FK150."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Label, Severity
from falcokit.ruleset.collector import Definition
from falcokit.ruleset.ruleset import Ruleset, name_span
from falcokit.source import Origin

__all__ = ["name_collision"]


@check("FK150", Severity.WARNING)
def name_collision(ruleset: Ruleset) -> Iterator[Finding]:
    """A list and a macro have one name, or a macro has that of a rule.

    Falco puts lists into the text of conditions before it parses them, so where the macro is named the items of the list
    stand.  A macro or list that is called as a rule changes nothing about the rule: `rule` was meant.

    ## Flagged

    ```yaml custom.yaml
    - list: shells
      items: [sh]
    - «macro: shells»
      condition: proc.name in (shells)
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (shells)
      output: shell %proc.name
      priority: INFO
    - «macro: Shell»
      condition: proc.name = zsh
    ```

    The macro is a default one.

    ```yaml default.yaml
    - macro: sensitive_files
      condition: fd.name startswith /etc
    - rule: File
      desc: a file
      condition: evt.type = open and sensitive_files
      output: file %fd.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - «list: sensitive_files»
      items: [/etc/shadow]
    ```

    ## Accepted

    ```yaml custom.yaml
    - list: shell_names
      items: [sh]
    - macro: shells
      condition: proc.name in (shell_names)
    - rule: Shells
      desc: a shell
      condition: evt.type = execve and shells
      output: shell %proc.name
      priority: INFO
    ```
    """
    definitions = ruleset.definitions
    for name, macro in definitions.macros.items():
        for kind, other in (("list", definitions.lists.get(name)), ("rule", definitions.rules.get(name))):
            if other is None or (kind == "rule" and not _is_meant(name, other)):
                continue
            help_text = (
                "rename one of them" if kind == "list" else "write `rule:` if the rule is meant, or rename the macro"
            )
            origins = macro.item.file.origin, other.item.file.origin
            if kind == "list" and origins == (Origin.DEFAULT, Origin.CUSTOM):
                # Told where it can be mended: the items of the list are put in wherever the macro is named.
                label = Label(name_span(macro.item), f"the macro `{name}`")
                message = f"the list `{name}` has the name of a macro, in whose place it is put"
                yield Finding(name_span(other.item), message, "rename it", (label,))
                continue
            label = Label(name_span(other.item), f"the {kind} `{name}`")
            message = f"the macro `{name}` has the name of a {kind}"
            yield Finding(name_span(macro.item), message, help_text, (label,))
    for name, found in definitions.lists.items():
        rule = definitions.rules.get(name)
        if rule is not None and _is_meant(name, rule):
            label = Label(name_span(rule.item), f"the rule `{name}`")
            message = f"the list `{name}` has the name of a rule"
            yield Finding(
                name_span(found.item), message, "write `rule:` if the rule is meant, or rename the list", (label,)
            )


def _is_meant(name: str, rule: Definition) -> bool:
    """Whether only the rule can be meant: a word may well be the name of both."""
    return " " in name.strip() or rule.contributions[0].file.origin is Origin.DEFAULT or name[:1].isupper()
