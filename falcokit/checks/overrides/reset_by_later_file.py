"""FK354."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.checks.overrides._redefinitions import Redefinition
from falcokit.diagnostic import Label, Severity
from falcokit.ruleset.ruleset import Named, NamedItem, Ruleset, defines, name_span
from falcokit.source import Origin

__all__ = ["reset_by_later_file"]


@check("FK354", Severity.WARNING)
def reset_by_later_file(ruleset: Ruleset) -> Iterator[Finding]:
    """A later file takes a custom change back.

    Files are loaded in order, and a definition starts anew: what was appended, overridden or switched off before is gone.
    Load the file with the change after all files that define the name.

    ## Flagged

    ```yaml first.yaml
    - list: shells
      items: [sh]
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (shells)
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml tuning.yaml
    - «list: shells»
      items: [zsh]
      override:
        items: append
    ```

    ```yaml later.yaml
    - list: shells
      items: [sh]
    ```

    ## Accepted

    ```yaml first.yaml
    - list: shells
      items: [sh]
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (shells)
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml tuning.yaml
    - list: shells
      items: [zsh]
      override:
        items: append
    ```

    ## See also

    `redefined-elsewhere`
    """
    for named, definition in ruleset.named.items():
        if len(definition.contributions) < 2:
            continue
        contributions: tuple[NamedItem, ...] = definition.contributions
        for number, item in enumerate(contributions):
            if item.file.origin is not Origin.CUSTOM or (number == 0 and defines(item)):
                continue
            if defines(item) and contributions[0].file.origin is not Origin.DEFAULT:
                continue
            later = [o for o in contributions[number + 1 :] if defines(o) and o.file is not item.file]
            if later and later[0].node.get("override") is None and not _same(ruleset, named, item, later[0]):
                kind, name = named
                message = f"this change of the {kind} `{name}` is lost: {later[0].file.name} defines it anew"
                label = Label(name_span(later[0]), "here it starts from nothing")
                yield Finding(name_span(item), message, "load this file after the other one", (label,))


def _same(ruleset: Ruleset, named: Named, item: NamedItem, later: NamedItem) -> bool:
    """Whether *later* says again what *item* made of the name."""
    states = {id(changed): state for changed, state in ruleset.states(named)}
    before, after = states.get(id(item)), states.get(id(later))
    return before is not None and after is not None and Redefinition(named, later, item, before, after, False).same
