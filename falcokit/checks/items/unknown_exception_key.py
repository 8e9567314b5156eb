"""FK050."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Edit, Fix, Severity
from falcokit.document import Mapping, Scalar, Sequence
from falcokit.ruleset.items import RuleItem
from falcokit.ruleset.ruleset import Ruleset
from falcokit.ruleset.suggest import nearest
from falcokit.source import Span

__all__ = ["unknown_exception_key"]

_KEYS: Final = ("name", "fields", "comps", "values")
_KNOWN: Final = frozenset(_KEYS)
_MEANT: Final = {"value": "values", "comp": "comps", "field": "fields", "operators": "comps", "operator": "comps"}
_NOTES: Final = frozenset(("comment", "comments", "note", "notes", "reason", "desc", "description", "why"))
"""What somebody wrote for readers, not for Falco."""


@check("FK050", Severity.WARNING)
def unknown_exception_key(ruleset: Ruleset) -> Iterator[Finding]:
    """An exception has a key that Falco does not know.

    Falco tells of unknown keys of items, but not of those inside an exception: `value` for `values` makes an exception
    without values, which lets nothing through.  Keys such as `comment` and `reason`, which are for readers, are not flagged.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
      exceptions:
        - name: cron
          fields: [proc.pname]
          «comp»: [in]
          «value»: [[[cron, at]]]
    ```

    ## Fixed

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
      exceptions:
        - name: cron
          fields: [proc.pname]
          comps: [in]
          values: [[[cron, at]]]
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
      exceptions:
        - name: cron
          fields: [proc.pname]
          comps: [in]
          values: [[[cron, at]]]
          reason: these start shells by the minute
    ```

    ## See also

    `exception-without-values`
    """
    for item in ruleset.items:
        if not isinstance(item, RuleItem) or not isinstance(item.node.get("exceptions"), Sequence):
            continue
        for update in item.updates:
            for exception in update.exceptions or ():
                # The loader tells of `value` in an appended exception that has no `values`.
                told = "value" if update.operation == "append" and not exception.has_values else ""
                if not exception.node.names() <= _KNOWN:
                    yield from _unknown(item, exception.node, told)


def _unknown(item: RuleItem, exception: Mapping, told: str) -> Iterator[Finding]:
    for key, value in exception.pairs:
        if not isinstance(key, Scalar) or key.value in _KNOWN or key.value in _NOTES or key.value == told:
            continue
        meant = _MEANT.get(key.value) or next(iter(nearest(key.value, _KEYS)), "")
        span = Span(item.file, key.start, key.end)
        fix = None
        if not meant:
            help_text = f"keys of an exception: {', '.join(_KEYS)}"
        elif exception.get(meant) is not None:
            help_text = f"the exception has `{meant}` already: put this there"
        elif meant == "values" and isinstance(value, Scalar):
            help_text = f"write `values: [{value.value}]`"
        else:
            help_text = f"did you mean `{meant}`?"
            fix = Fix(f"write `{meant}`", (Edit(span, meant),), safe=False)
        yield Finding(span, f"an exception has no key `{key.value}`: Falco ignores it", help_text, (), fix)
