"""FK550."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Severity
from falcokit.ruleset.collector import Definition
from falcokit.ruleset.default_index import askers, left
from falcokit.ruleset.definitions import ListDefinition, MacroDefinition
from falcokit.ruleset.ruleset import Named, Ruleset, is_constant, name_span
from falcokit.source import Origin

__all__ = ["dead_hook"]


@check("FK550", Severity.WARNING)
def dead_hook(ruleset: Ruleset) -> Iterator[Finding]:
    """A hook is filled that no loaded rule asks.

    A whitelist in a hook works only where a rule names the hook, directly or through other macros.  Hooks come and go with
    the default rules: `user_trusted_containers` was asked by many rules once, and by none of `falco_rules.yaml` today.
    The rule that is to be silenced tells which hook it has, if any.

    ## Flagged

    ```yaml default.yaml
    - macro: user_known_shells
      condition: evt.num < 0
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh and not user_known_shells
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - «macro: user_trusted_shells»
      condition: proc.pname = cron
    ```

    A hook that is asked only by a macro that nobody asks:

    ```yaml default.yaml
    - macro: user_known_shells
      condition: evt.num < 0
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh and not user_known_shells
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - «list: user_shell_parents»
      items: [cron]
    - macro: started_by_known
      condition: proc.pname in (user_shell_parents)
    ```

    ## Accepted

    ```yaml default.yaml
    - macro: user_known_shells
      condition: evt.num < 0
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh and not user_known_shells
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - list: user_shell_parents
      items: [cron]
    - macro: user_known_shells
      condition: proc.pname in (user_shell_parents)
    ```
    """
    for named, definition in ruleset.named.items():
        if not ruleset.is_hook(named) or ruleset.rules_using(named) or _lets_nothing_through(ruleset, definition):
            continue
        for item in definition.contributions:
            if item.file.origin is Origin.CUSTOM:
                kind, name = named
                message = f"no loaded rule asks the {kind} `{name}`: what it lets through is let through nowhere"
                if (gone := left(named)) is not None:
                    message += f" (it left {gone.file} in {gone.version})"
                yield Finding(name_span(item), message, _help(ruleset, named))
                break


def _lets_nothing_through(ruleset: Ruleset, definition: Definition) -> bool:
    """Whether it is as empty as the placeholder of the default rules."""
    if isinstance(definition, ListDefinition):
        return not definition.items
    return isinstance(definition, MacroDefinition) and is_constant(ruleset.tree(definition))


def _help(ruleset: Ruleset, named: Named) -> str:
    from falcokit.ruleset.suggest import nearest

    kind = named[0]
    elsewhere = [(file, rules[0], len(rules)) for file, rules in askers(named).items()]
    if elsewhere:
        where = " and ".join(
            [f"`{rule}`{f' and {count - 1} more' if count > 1 else ''} of {file}" for file, rule, count in elsewhere]
        )
        return f"it is asked by {where}: load that file if this rule is meant"
    defined = ruleset.definitions.lists if kind == "list" else ruleset.definitions.macros
    asked = [
        other
        for other in defined
        if other != named[1]
        and ruleset.is_hook((kind, other), ruleset.definition((kind, other)))
        and ruleset.rules_using((kind, other))
    ]
    # Some hooks have the usual prefix, some have not.
    near = nearest(named[1], asked) or tuple([o for o in asked if named[1] in (f"user_{o}", o.removeprefix("user_"))])
    if near:
        rules = ruleset.rules_using((kind, near[0]))
        return f"did you mean `{near[0]}`, which the rule `{rules[0]}` asks?"
    return "take the hook that the rule to be silenced names in its condition, or append `and not ...` to that rule"
