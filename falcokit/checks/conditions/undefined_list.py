"""FK465."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from falcokit.catalogue import FieldUse
from falcokit.checks.check import Finding, check
from falcokit.checks.conditions._lists import missing_list, near_names
from falcokit.condition.ast import Field, ListValue
from falcokit.diagnostic import Confidence, Severity
from falcokit.ruleset.default_index import homes
from falcokit.ruleset.operands import glued
from falcokit.ruleset.ruleset import Ruleset
from falcokit.ruleset.uses import Use

__all__ = ["undefined_list"]

_TEXTS: Final = ("CHARBUF", "FSPATH", "FSRELPATH")
"""Of other types Falco refuses a name itself."""


@check("FK465", Severity.WARNING, Confidence.MEDIUM)
def undefined_list(ruleset: Ruleset) -> Iterator[Finding]:
    """A name stands where a list is put in, and no list has it.

    Falco does not look for lists: it puts in those that it knows, wherever their names stand.  A name that no loaded file
    defines stays as it is and is compared as a text: the whitelist lets nothing through, the rule never fires, and Falco says nothing.
    Flagged is a name that stands alone in parentheses and is called as lists are, or is that of a list of the public rules.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: >
        evt.type = execve and proc.name in («shell_binaries») and not container.image.repository in («known_shell_images»)
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - list: known_shell_images
      items: []
    - rule: Shell
      desc: a shell
      condition: >
        evt.type = execve and proc.name in (unicorn_launche) and not proc.pname in ("known_shell_images")
        and not container.image.repository in (known_shell_images) and not container.name in (my_postgres)
        and not group.name in (docker_users)
      output: shell %proc.name
      priority: INFO
    ```

    ## See also

    `nearly-a-list`, `dead-hook`
    """
    seen = set()
    for use in ruleset.uses:
        name, right = missing_list(ruleset, use.check), use.check.right
        if not name or not isinstance(right, ListValue) or not _of_text(ruleset, use):
            continue
        if near_names(ruleset).meant(name):
            continue  # A finding of its own, with more to say.
        span = use.body.locate(right.items[0].start, right.items[0].end)
        if span.text == name and (place := (span.file, span.start)) not in seen:
            seen.add(place)
            files = homes(("list", name))
            where = f"load {' or '.join(files)}, or define it" if files else "define it, or quote it if it is meant"
            yield Finding(span, f"there is no list `{name}`: Falco takes it as a text", where)


def _of_text(ruleset: Ruleset, use: Use) -> bool:
    left = use.check.left
    if not isinstance(left, Field):
        return False
    found = (ruleset.catalogue.resolve(glued(left), source) for source in ruleset.catalogue.sources)
    return any(isinstance(field, FieldUse) and field.type in _TEXTS for field in found)
