"""FK359."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Label, Severity
from falcokit.logic import Caught, may_catch_all
from falcokit.ruleset.default_index import is_published
from falcokit.ruleset.rule_compiler import CompiledRule
from falcokit.ruleset.ruleset import NamedItem, Ruleset, name_span
from falcokit.source import Origin

__all__ = ["taken_by_earlier_rule"]

_MAX_PAIRS: Final = 500
"""How many pairs of rules are looked at: enough for hundreds of custom rules on top of all default rules."""


@check("FK359", Severity.WARNING)
def taken_by_earlier_rule(ruleset: Ruleset) -> Iterator[Finding]:
    """An earlier rule takes all events of a later one.

    Falco tries rules in the order of their first definition and, with `rule_matching: first`, which is the default, stops
    at the first that matches.  A rule that asks for more than an earlier one does never fires: its events have the name, the
    priority and the output of the earlier rule.  Exclude these events from the earlier rule, load the special rule
    before the general one, or set `rule_matching: all`.

    Whether one condition contains the other is decided with macros, lists and exceptions put in, as they are now.  A rule that is
    switched off takes nothing.  With `--config` the `rule_matching`, `priority` and `rules` of that file count.

    ## Flagged

    ```yaml default.yaml
    - macro: container
      condition: container.id != host
    - macro: user_known_shells
      condition: evt.num < 0
    - rule: Shell in a container
      desc: a shell
      condition: evt.type in (execve, execveat) and container and proc.name in (sh, bash) and not user_known_shells
      output: shell %proc.cmdline
      priority: INFO
    ```

    ```yaml custom.yaml
    - «rule: Shell in production»
      desc: a shell where there must be none
      condition: >
        evt.type in (execve, execveat) and container and proc.name = bash and k8s.ns.name = production
      output: shell %proc.cmdline
      priority: CRITICAL
    ```

    Here the custom rule is loaded first.

    ```yaml early.yaml
    - «rule: Anything is started»
      desc: a program was started
      condition: evt.type in (execve, execveat)
      output: started %proc.cmdline
      priority: INFO
    ```

    ```yaml default.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (sh, bash)
      output: shell %proc.cmdline
      priority: INFO
    ```

    ## Accepted

    ```yaml default.yaml
    - macro: container
      condition: container.id != host
    - macro: user_known_shells
      condition: evt.num < 0
    - rule: Shell in a container
      desc: a shell
      condition: evt.type in (execve, execveat) and container and proc.name in (sh, bash) and not user_known_shells
      output: shell %proc.cmdline
      priority: INFO
    - rule: Any shell
      desc: a shell
      condition: evt.type in (execve, execveat) and proc.name in (sh, bash)
      output: shell %proc.cmdline
      priority: INFO
      enabled: false
    ```

    ```yaml custom.yaml
    - macro: user_known_shells
      condition: k8s.ns.name = production
    - rule: Shell in production
      desc: a shell where there must be none
      condition: >
        evt.type in (execve, execveat) and container and proc.name = bash and k8s.ns.name = production
      output: shell %proc.cmdline
      priority: CRITICAL
    ```

    ## See also

    `never-true`, `wide-change`
    """
    if ruleset.rule_matching != "first":
        return
    rules = [rule for rule in ruleset.compilation.rules.values() if ruleset.runs(rule.definition) and not rule.skipped]
    own = {number: item for number, rule in enumerate(rules) if (item := _own(ruleset, rule)) is not None}
    pairs = [
        (earlier, later)
        for mine in own
        for earlier, later in [(n, mine) for n in range(mine)] + [(mine, n) for n in range(mine + 1, len(rules))]
        if may_catch_all(rules[earlier], rules[later])
    ]
    caught: dict[int, Caught] = {}
    taken: set[int] = set()
    for earlier, later in pairs[:_MAX_PAIRS]:
        if later not in caught:
            caught[later] = Caught(rules[later], ruleset.catalogue)
        if later not in taken and caught[later].by(rules[earlier]):
            taken.add(later)
            yield _finding(rules[earlier], rules[later], own.get(earlier), own.get(later))


def _finding(rule: CompiledRule, other: CompiledRule, mine: NamedItem | None, its: NamedItem | None) -> Finding:
    """Told where the *other* rule is written, which never fires, or where *rule* is, if only that is a custom one."""
    name, taken = rule.definition.name, other.definition.name
    if its is not None:
        item, shown = its, rule.definition.item
        message = f"this rule never fires: `{name}` is tried before it and takes all its events"
        help_text = f"exclude them from `{name}`, load this rule before it, or set `rule_matching: all`"
        label = f"`{name}` stands here"
    else:
        assert mine is not None
        item, shown = mine, other.definition.item
        message = f"this rule is tried before `{taken}` and takes all its events: that one never fires"
        # A rule that is defined anew keeps its place.
        later = "" if rule.definition.contributions[0] is not item else " load this rule after it,"
        help_text = f"exclude the events of `{taken}` here,{later} or set `rule_matching: all`"
        label = f"`{taken}` stands here"
    return Finding(name_span(item), message, help_text, (Label(name_span(shown), label),))


def _own(ruleset: Ruleset, rule: CompiledRule) -> NamedItem | None:
    """The item of a file asked for that makes *rule* a custom one."""
    for item in rule.definition.contributions:
        file = item.file
        if file.origin is Origin.CUSTOM and file in ruleset.asked:
            return None if is_published(file.name) else item
    return None
