"""FK351."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.checks.overrides._redefinitions import redefinitions
from falcokit.diagnostic import Fix, Label, Severity
from falcokit.ruleset.removal import removal
from falcokit.ruleset.ruleset import Ruleset, name_span
from falcokit.source import Origin

__all__ = ["identical_copy"]


@check("FK351", Severity.WARNING)
def identical_copy(ruleset: Ruleset) -> Iterator[Finding]:
    """A custom item says again what the default says.

    The copy changes nothing today.  When the default rules are updated it hides the new definition, and nobody will
    remember why it is there.

    ## Flagged

    ```yaml default.yaml
    - list: shells
      items: [sh, bash]
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (shells)
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    # ours
    - «list: shells»
      items: [bash, sh]

    - list: others
      items: [perl]
    - rule: Shell
      condition: or proc.name in (others)
      override:
        condition: append
    ```

    Parentheses and order are no difference.

    ```yaml default.yaml
    - macro: shell_started
      condition: (evt.type = execve and proc.name = sh)
    - rule: Shell
      desc: a shell
      condition: shell_started
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - «macro: shell_started»
      condition: proc.name = sh and evt.type = execve
    ```

    ## Fixed

    ```yaml custom.yaml
    # ours
    - list: others
      items: [perl]
    - rule: Shell
      condition: or proc.name in (others)
      override:
        condition: append
    ```

    ## Accepted

    ```yaml default.yaml
    - macro: user_known_shells
      condition: evt.num < 0
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and not user_known_shells
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - macro: user_known_shells
      condition: evt.num < 0
    ```

    Text that is appended later makes it one.

    ```yaml default.yaml
    - macro: shells
      condition: (proc.name = sh or proc.name = bash)
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and shells
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml one.yaml
    - macro: shells
      condition: proc.name = sh or proc.name = bash
      override:
        condition: replace
    ```

    ```yaml two.yaml
    - macro: shells
      condition: and not proc.pname = cron
      override:
        condition: append
    ```

    ## See also

    `shadowed-default`
    """
    for found in redefinitions(ruleset):
        if (
            found.base_item.file.origin is not Origin.DEFAULT
            or found.item.file.origin is not Origin.CUSTOM
            or not found.same
            or ruleset.is_hook(found.named, found.before)
        ):
            continue
        kind, name = found.named
        edit = removal(found.item)
        fix = Fix("remove the copy", (edit,)) if edit is not None else None
        label = Label(name_span(found.base_item), "the default stands here")
        message = f"this is a copy of the default {kind} `{name}` as it stands"
        yield Finding(name_span(found.item), message, "remove it: it changes nothing", (label,), fix)
