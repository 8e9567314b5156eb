"""FK056."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Severity
from falcokit.ruleset.definitions import RuleDefinition, RuleException
from falcokit.ruleset.items import ExceptionItem
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Origin, Span

__all__ = ["exception_without_values"]

_KEYS = frozenset(("name", "fields", "comps", "values"))


@check("FK056", Severity.INFO)
def exception_without_values(ruleset: Ruleset) -> Iterator[Finding]:
    """An exception gets no values from anywhere.

    An exception says which fields are compared, its `values` with what.  Without values it lets nothing through.  Default rules
    may have such exceptions for others to fill; in your own rules nobody will.  `values: []` says that it is meant so.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
      exceptions:
        - name: «by_parent»
          fields: [proc.pname]
          comps: [startswith]
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
      exceptions:
        - name: by_parent
          fields: [proc.pname]
          comps: [startswith]
        - name: by_user
          fields: [user.name]
          values: []
    - rule: Shell
      exceptions:
        - name: by_parent
          values: [[cron]]
      override:
        exceptions: append
    ```

    ## See also

    `unknown-exception-key`
    """
    for rule in ruleset.rule_definitions:
        for exception in rule.exceptions:
            if exception.values or exception.file.origin is not Origin.CUSTOM:
                continue
            written = _written(rule, exception)
            # A key that is misspelt is told of by itself.
            if written is not None and not written.has_values and written.node.names() <= _KEYS:
                node = written.name.node
                message = f"nothing gives the exception `{exception.name}` values: it lets nothing through"
                yield Finding(
                    Span(exception.file, node.start, node.end),
                    message,
                    "add `values: [...]`, or take the exception out",
                )


def _written(rule: RuleDefinition, exception: RuleException) -> ExceptionItem | None:
    """The element of an item that *exception* began with."""
    for item in rule.contributions:
        for update in item.updates if item.file is exception.file else ():
            for element in update.exceptions or ():
                if element.node.start == exception.step.offset:
                    return element
    return None
