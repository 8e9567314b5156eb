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
_MEANT: Final = {"value": "values", "comp": "comps", "field": "fields", "operators": "comps", "operator": "comps"}


@check("FK050", Severity.WARNING)
def unknown_exception_key(ruleset: Ruleset) -> Iterator[Finding]:
    """An exception has a key that Falco does not know.

    Falco tells of unknown keys of items, but not of those inside an exception: `value` for `values` makes an exception
    without values, which lets nothing through.

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
    ```
    """
    for item in ruleset.items:
        if not isinstance(item, RuleItem):
            continue
        exceptions = item.node.get("exceptions")
        for exception in exceptions.items if isinstance(exceptions, Sequence) else ():
            if isinstance(exception, Mapping):
                yield from _unknown(item, exception)


def _unknown(item: RuleItem, exception: Mapping) -> Iterator[Finding]:
    for key, _ in exception.pairs:
        if not isinstance(key, Scalar) or key.value in _KEYS:
            continue
        meant = _MEANT.get(key.value) or next(iter(nearest(key.value, _KEYS)), "")
        span = Span(item.file, key.start, key.end)
        fix = None
        if meant and exception.get(meant) is None:
            fix = Fix(f"write `{meant}`", (Edit(span, meant),), safe=False)
        help_text = f"did you mean `{meant}`?" if meant else f"keys of an exception: {', '.join(_KEYS)}"
        yield Finding(span, f"an exception has no key `{key.value}`: Falco ignores it", help_text, (), fix)
