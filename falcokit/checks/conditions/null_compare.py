"""FK450."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.condition.ast import Value
from falcokit.diagnostic import Edit, Fix, Severity
from falcokit.ruleset.ruleset import Ruleset
from falcokit.ruleset.uses import Use, field_of

__all__ = ["null_compare"]


@check("FK450", Severity.WARNING)
def null_compare(ruleset: Ruleset) -> Iterator[Finding]:
    """A field is compared with null, which Falco does not know.

    `null`, `nil` and `none` are ordinary texts in a condition.  A missing field makes every comparison false, so `!= null`
    holds for every field that is there, by chance, and `= null` never holds.  Say `FIELD exists`.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell in a pod
      desc: a shell
      condition: evt.type = execve and «k8s.pod.name != null» and proc.name = sh
      output: shell %proc.name
      priority: INFO
    ```

    ## Fixed

    ```yaml custom.yaml
    - rule: Shell in a pod
      desc: a shell
      condition: evt.type = execve and k8s.pod.name exists and proc.name = sh
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell in a pod
      desc: a shell
      condition: evt.type = execve and k8s.pod.name exists and fd.name = /dev/null
      output: shell %proc.name
      priority: INFO
    ```
    """
    for use in ruleset.uses:
        right = use.check.right
        if (
            isinstance(right, Value)
            and len(right.text) < 5
            and right.text.lower() in ("null", "nil", "none", "nan")
            and not right.quoted
            and use.check.operator in ("=", "==", "!=")
            and (field := field_of(use.check))
        ):
            span = use.span()
            wanted = f"{field} exists" if use.check.operator == "!=" else f"not {field} exists"
            message = f"`{right.text}` is an ordinary text for Falco"
            yield Finding(span, message, f"write `{wanted}`", (), _fix(use, wanted, field))


def _fix(use: Use, wanted: str, field: str) -> Fix | None:
    span = use.span()
    if not span.text.startswith(field) or "\n" in span.text:
        return None
    return Fix(f"write `{wanted}`", (Edit(span, wanted),), safe=False)
