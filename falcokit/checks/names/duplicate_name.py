"""FK152."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Label, Severity
from falcokit.ruleset.ruleset import NamedItem, Ruleset, defines, name_span

__all__ = ["duplicate_name"]


@check("FK152", Severity.WARNING)
def duplicate_name(ruleset: Ruleset) -> Iterator[Finding]:
    """A name is defined twice in one file.

    The later definition takes the place of the earlier one, which is as if it were not there.

    ## Flagged

    ```yaml custom.yaml
    - list: shells
      items: [sh, bash]
    - «list: shells»
      items: [zsh]
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (shells)
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - list: shells
      items: [sh, bash]
    - list: shells
      items: [zsh]
      override:
        items: append
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (shells)
      output: shell %proc.name
      priority: INFO
    ```

    ## See also

    `redefined-elsewhere`
    """
    for (kind, name), definition in ruleset.named.items():
        if len(definition.contributions) < 2:
            continue
        earlier: NamedItem | None = None
        for item in definition.contributions:
            if not defines(item):
                continue
            if earlier is not None and earlier.file is item.file and item.node.get("override") is None:
                label = Label(name_span(earlier), "this definition is lost")
                message = f"the {kind} `{name}` is defined a second time in this file"
                help_text = "give it another name, or append to the first with `override`"
                yield Finding(name_span(item), message, help_text, (label,))
            earlier = item
