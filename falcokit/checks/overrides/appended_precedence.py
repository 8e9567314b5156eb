"""FK355."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.condition import parse
from falcokit.condition.ast import And, Check, Expression, Field, Identifier, Or
from falcokit.diagnostic import Label, Problem, Severity
from falcokit.document.offsets import origins
from falcokit.ruleset.definitions import MacroDefinition, RuleDefinition, joined
from falcokit.ruleset.items import ListItem, MacroItem, RuleItem, Written
from falcokit.ruleset.ruleset import Named, NamedItem, Ruleset

__all__ = ["appended_precedence"]


@check("FK355", Severity.WARNING)
def appended_precedence(ruleset: Ruleset) -> Iterator[Finding]:
    """Appended text binds to a part of the condition only.

    Falco joins the two texts and parses what comes out, and `and` binds tighter than `or`.  `and not x` behind `a or b`
    is `a or (b and not x)`: the exclusion does not hold for `a`.  `or x` behind a rule's `a and b` makes the rule fire on
    `x` alone.

    ## Flagged

    ```yaml default.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh or evt.type = execveat and proc.name = bash
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - rule: Shell
      condition: «and» not proc.pname = cron
      override:
        condition: append
    ```

    An `or` in what is appended splits the whole:

    ```yaml default.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - rule: Shell
      condition: «and» proc.pname = cron or proc.pname = at
      override:
        condition: append
    ```

    ## Accepted

    ```yaml default.yaml
    - macro: shells
      condition: proc.name = sh or proc.name = bash
    - rule: Shell
      desc: a shell
      condition: (evt.type = execve and shells or evt.type = execveat and shells)
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - macro: shells
      condition: or proc.name = zsh
      override:
        condition: append
    - rule: Shell
      condition: and not (proc.pname = cron or proc.pname = at)
      override:
        condition: append
    ```
    """
    for item in ruleset.custom_items:
        if isinstance(item, ListItem):
            continue
        for written in _appended(item):
            found = _finding(ruleset, item, written)
            if found is not None:
                yield found


def _appended(item: NamedItem) -> Iterator[Written]:
    if isinstance(item, MacroItem) and item.operation == "append" and item.condition is not None:
        yield item.condition
    if isinstance(item, RuleItem):
        for update in item.updates:
            if update.operation == "append" and update.condition is not None:
                yield update.condition


def _finding(ruleset: Ruleset, item: NamedItem, written: Written) -> Finding | None:
    words = written.text.split(None, 1)
    if len(words) < 2 or words[0] not in ("and", "or"):
        return None
    named: Named = (item.step.item_type, item.name.text)
    states = ruleset.states(named)
    number = next((n for n, (other, _) in enumerate(states) if other is item), 0)
    before = states[number - 1][1] if number else None
    if not isinstance(before, (MacroDefinition, RuleDefinition)):
        return None
    # A check is put where the other text will be: what the whole parses to tells what is bound to what.
    tree = parse(f"{joined(before.condition)} {words[0]} evt.num >= 0")
    added = parse(f"evt.num >= 0 and {words[1]}")
    if isinstance(tree, Problem) or isinstance(added, Problem):
        return None
    message = _message(words[0], tree, added, rule=named[0] == "rule")
    if not message:
        return None
    at = len(written.text) - len(written.text.lstrip())
    span = origins(written.file, written.node)(at, at + len(words[0]))
    condition = before.condition[0]
    label = Label(
        origins(condition.file, condition.node)(0, len(condition.text.rstrip())), "this is what it is joined to"
    )
    help_text = "put what you append into parentheses behind its first word"
    if isinstance(tree, Or) and words[0] == "and":
        help_text = (
            "replace the condition, or append to each of its parts: parentheses cannot be put around what stands before"
        )
    elif not isinstance(added, Or):
        help_text = "give what you append the checks that the rule begins with, or write a rule of its own"
    return Finding(span, message, help_text, (label,))


def _message(word: str, before: Expression, added: Expression, *, rule: bool) -> str:
    if word == "and" and isinstance(before, Or):
        return "this holds for the last alternative of the condition only: `and` binds tighter than `or`"
    if word == "and" and isinstance(added, Or):
        return "the `or` in what is appended stands beside the whole condition: `and` binds tighter than `or`"
    if word == "or" and rule and isinstance(before, Or) and _is_chain(before.children[:-1]) and not _restricts(added):
        return "the rule now fires on this alone, whatever its condition says before"
    return ""


def _is_chain(children: tuple[Expression, ...]) -> bool:
    return len(children) == 1 and isinstance(children[0], And)


def _restricts(tree: Expression) -> bool:
    """Whether a condition may say which events it is about; a macro may well do."""
    if isinstance(tree, Identifier):
        return True
    if isinstance(tree, Check):
        return isinstance(tree.left, Field) and tree.left.name == "evt.type"
    children = getattr(tree, "children", ())
    return any(_restricts(child) for child in children)
