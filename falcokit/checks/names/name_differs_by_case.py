"""FK151."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Edit, Fix, Label, Severity
from falcokit.ruleset.ruleset import Ruleset, defines, name_span
from falcokit.source import Origin, Span

__all__ = ["name_differs_by_case"]


@check("FK151", Severity.WARNING)
def name_differs_by_case(ruleset: Ruleset) -> Iterator[Finding]:
    """A new name differs from an existing one by case or blanks only.

    Names are compared letter by letter.  A definition under another spelling does not change the one that was meant: it
    stays active as it is, and there are two.

    ## Flagged

    A hook is to be filled.

    ```yaml default.yaml
    - macro: user_known_shells
      condition: evt.num < 0
    - rule: Terminal shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh and not user_known_shells
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - macro: «User_known_shells»
      condition: proc.pname = cron
    ```

    A rule is to be replaced, or to stand beside the default one.

    ```yaml default.yaml
    - rule: Terminal shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - rule: «Terminal Shell»
      desc: a shell, as we see it
      condition: evt.type = execve and proc.name = sh and not proc.pname = cron
      output: shell %proc.name
      priority: INFO
    ```

    ## Fixed

    ```yaml custom.yaml
    - macro: user_known_shells
      condition: proc.pname = cron
    ```

    ## Accepted

    ```yaml default.yaml
    - rule: Terminal shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - rule: Terminal shells
      desc: several
      condition: evt.type = execve and proc.name = zsh
      output: shell %proc.name
      priority: INFO
    ```
    """
    seen: dict[tuple[str, str], str] = {}
    definitions = ruleset.definitions
    tables = (("list", definitions.lists), ("macro", definitions.macros), ("rule", definitions.rules))
    for kind, name, definition in [(kind, name, table[name]) for kind, table in tables for name in table]:
        key = (kind, " ".join(name.lower().replace("_", " ").replace("-", " ").split()))
        earlier = seen.setdefault(key, name)
        item = definition.contributions[0]
        if earlier == name or item.file.origin is not Origin.CUSTOM:
            continue
        other = ruleset.definition((kind, earlier))
        assert other is not None
        node = item.name.node
        span = Span(item.file, node.start, node.end)
        label = Label(name_span(other.contributions[0]), f"`{earlier}` is defined here, and stays active")
        # Renamed, a whole rule would take the place of the default one; a hook is what is meant.
        named = defines(item) and not ruleset.is_hook((kind, earlier), ruleset.states((kind, earlier))[0][1])
        fix = None if node.style or named else Fix(f"write `{earlier}`", (Edit(span, earlier),), safe=False)
        message = f"`{name}` is another {kind} than `{earlier}`: names are compared letter by letter"
        yield Finding(span, message, f"write `{earlier}` if that one is meant", (label,), fix)
