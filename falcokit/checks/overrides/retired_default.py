"""FK358."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Severity
from falcokit.ruleset.default_index import dated, is_published, left
from falcokit.ruleset.ruleset import Ruleset, defines, name_span
from falcokit.source import Origin

__all__ = ["retired_default"]


@check("FK358", Severity.INFO)
def retired_default(ruleset: Ruleset) -> Iterator[Finding]:
    """A copy of a default rule that the default rules have no more.

    The rule is a copy of one that left the file it came from, or was moved into another.  Nobody keeps it up: the
    maintainers had their reasons to take it out, or develop it further in the other file.

    ## Flagged

    The rule *Unexpected K8s NodePort Connection* left `falco_rules.yaml` in 2.0.0, and stands in `falco-sandbox_rules.yaml` now.
    With `falco_rules.yaml` 5.1.0 below it a copy of the old text is flagged at its name. Its text is not ours to show here; a
    rule of that name with a text of its own is accepted:

    ## Accepted

    ```yaml custom.yaml
    - rule: Unexpected K8s NodePort Connection
      desc: a connection to the ports of services, in our own words
      condition: evt.type = connect and fd.sport >= 30000 and fd.sport <= 32767
      output: connection to %fd.name by %proc.name
      priority: NOTICE
    ```

    ## See also

    `shadowed-default`
    """
    for named, definition in ruleset.named.items():
        item = definition.contributions[0]
        if named[0] != "rule" or item.file.origin is not Origin.CUSTOM or not defines(item):
            continue
        if is_published(item.file.name):
            continue
        gone = left(named)
        if gone is None or dated(named, ruleset.states(named)[0][1]) is None:
            continue
        message = f"the rule `{named[1]}` left {gone.file} in {gone.version}, and this is a copy of it"
        yield Finding(name_span(item), message, "make it a rule of your own, with a name of its own, or remove it")
