"""FK456."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.condition.ast import ListValue
from falcokit.diagnostic import Confidence, Severity
from falcokit.ruleset.ruleset import Ruleset

__all__ = ["empty_list"]


@check("FK456", Severity.INFO, Confidence.MEDIUM)
def empty_list(ruleset: Ruleset) -> Iterator[Finding]:
    """A field is looked for in an empty list.

    Nothing is in it, so the comparison never holds.  Lists that are made to be filled by others, such as those whose name begins with
    `user_`, are not flagged.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and «proc.name in ()»
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - list: user_known_shells
      items: []
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and not proc.name in (user_known_shells)
      output: shell %proc.name
      priority: INFO
    ```
    """
    for use in ruleset.uses:
        right = use.check.right
        if isinstance(right, ListValue) and not right.texts:
            data = use.body.text.encode("utf-8", "surrogateescape")
            if use.body.splices or b"()" not in data.replace(b" ", b""):
                continue
            yield Finding(
                use.span(), "nothing is in an empty list: this never holds", "fill the list, or take the comparison out"
            )
