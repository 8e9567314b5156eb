"""FK353."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.checks.overrides._redefinitions import redefinitions
from falcokit.diagnostic import Label, Severity
from falcokit.ruleset.ruleset import Ruleset, name_span

__all__ = ["redefined_elsewhere"]


@check("FK353", Severity.WARNING)
def redefined_elsewhere(ruleset: Ruleset) -> Iterator[Finding]:
    """A later file defines a name anew, and something else.

    Falco keeps the last definition.  When two files of one kind bring a copy each, the one that is loaded later decides for
    both, and what the other has more is lost.  Keep one definition, and append to it.

    ## Flagged

    ```yaml first.yaml
    - list: managers
      items: [pip, uv]
    - rule: Manager
      desc: a manager
      condition: evt.type = execve and proc.name in (managers)
      output: manager %proc.name
      priority: INFO
    ```

    ```yaml second.yaml
    - «list: managers»
      items: [pip]
    ```

    ## Accepted

    ```yaml first.yaml
    - list: managers
      items: [pip, uv]
    - rule: Manager
      desc: a manager
      condition: evt.type = execve and proc.name in (managers)
      output: manager %proc.name
      priority: INFO
    ```

    ```yaml second.yaml
    - list: managers
      items: [uv, pip]
    - list: managers
      items: [poetry]
      override:
        items: append
    ```

    ## See also

    `shadowed-default`, `reset-by-later-file`
    """
    for found in redefinitions(ruleset):
        base = found.base_item
        if (
            base.file is found.item.file
            or base.file.origin is not found.item.file.origin
            or found.same
            or found.explicit
            or ruleset.is_hook(found.named, found.before)
        ):
            continue
        kind, name = found.named
        message = f"the {kind} `{name}` is defined anew, not as in {base.file.name}{found.difference()}"
        help_text = "keep one definition; to add to the other, append with `override`"
        label = Label(name_span(base), "it is defined here as well, without effect")
        yield Finding(name_span(found.item), message, help_text, (label,))
