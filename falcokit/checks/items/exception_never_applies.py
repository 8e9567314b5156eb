"""FK057."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from falcokit.catalogue import Catalogue, FieldUse
from falcokit.checks.check import Finding, check
from falcokit.condition.ast import And, Check, Expression, Field, Identifier, ListValue, Not, Or, Value
from falcokit.diagnostic import Label, Severity
from falcokit.ruleset.items import Entry, Written
from falcokit.ruleset.macros import Bound
from falcokit.ruleset.operands import glued
from falcokit.ruleset.rule_compiler import CompiledRule
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Span

__all__ = ["exception_never_applies"]

_TEXTS: Final = frozenset(("CHARBUF", "FSPATH", "FSRELPATH"))
_ANY_OF_MANY: Final = frozenset(
    ("proc.aname", "proc.aexe", "proc.aexepath", "proc.acmdline", "proc.aargs", "proc.aenv", "fd.proto")
)
_EQUAL: Final = ("=", "==", "in")
_MAX_STEPS: Final = 2000


@check("FK057", Severity.WARNING)
def exception_never_applies(ruleset: Ruleset) -> Iterator[Finding]:
    """An exception can never hold where the condition does.

    The condition requires one value of a field, the exception another; or the condition leaves out already what the
    exception lets through.  Mostly another field was meant, such as the name of the parent process.

    ## Flagged

    ```yaml custom.yaml
    - list: shells
      items: [sh, bash]
    - macro: is_shell
      condition: proc.name in (shells)
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and is_shell and not proc.pname = init
      output: shell %proc.name
      priority: INFO
      exceptions:
        - name: by_process
          fields: [proc.name, user.name]
          values:
            - [«cron», root]
            - [bash, backup]
        - name: by_parent
          fields: proc.pname
          values: [«init», at]
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and (proc.name in (sh, bash) or proc.pname = cron) and not proc.aname = init
      output: shell %proc.name
      priority: INFO
      exceptions:
        - name: by_process
          fields: [proc.name, proc.aname, proc.cmdline]
          comps: [startswith, "=", contains]
          values:
            - [ba, init, "-c"]
            - [cron, systemd, crontab]
    ```

    ## See also

    `never-true`, `exception-without-values`
    """
    for rule in ruleset.rules:
        if not rule.definition.exceptions or rule.bound is None or not isinstance(rule.bound.tree, And):
            continue
        # The text is `(condition) and not exception and not exception ...`.
        condition, *exceptions = rule.bound.tree.children
        required: dict[str, list[tuple[Check, bool, Bound]]] = {}
        for wanted, negated, holder in _required(condition, rule.bound):
            required.setdefault(_name(wanted), []).append((wanted, negated, holder))
        for exception in exceptions:
            for row in _rows(exception):
                for part in row:
                    if _is_text(part, rule.definition.source, ruleset.catalogue):
                        yield from _against(rule, part, required.get(_name(part), []))


def _against(rule: CompiledRule, part: Check, required: list[tuple[Check, bool, Bound]]) -> Iterator[Finding]:
    """What of the exception's *part* is lost; each value of a list for itself."""
    right = part.right
    values = right.items if isinstance(right, ListValue) and part.operator == "in" and not part.modifier else ()
    pieces = [Check(part.left, "=", "", value, value.start, value.start, value.end) for value in values] or [part]
    for piece in pieces:
        for wanted, negated, holder in required:
            if not _excluded(piece, wanted, negated):
                continue
            span = _place(rule, piece)
            if span is None:
                break
            label = "the condition leaves these out already" if negated else "the condition requires one of these"
            place = holder.body.locate(wanted.start, wanted.end)
            what = "these values" if isinstance(piece.right, ListValue) else "this value"
            message = f"the condition never holds with {what} of `{_name(part)}`: the exception does nothing"
            help_text = "compare the field that was meant, or take the value out"
            yield Finding(span, message, help_text, (Label(place, label),))
            break


def _place(rule: CompiledRule, piece: Check) -> Span | None:
    """Where the exception has the values; None where a list or something else put them in."""
    assert rule.body is not None
    right = piece.right
    if not isinstance(right, (Value, ListValue)):
        return None
    values = right.items if isinstance(right, ListValue) else (right,)
    spans = [rule.body.locate(value.start, value.end) for value in values]
    written = [entry for exception in rule.definition.exceptions for entry in _written(exception.values)]
    first, last = spans[0], spans[-1]
    for span in spans:
        if not any(
            entry.file is span.file and entry.node.start <= span.start < max(entry.node.end, entry.node.start + 1)
            for entry in written
        ):
            return None
    return Span(first.file, first.start, max(first.end, last.end if last.file is first.file else first.end))


def _written(entry: Entry) -> Iterator[Written]:
    if isinstance(entry, Written):
        yield entry
    for inner in entry if isinstance(entry, tuple) else ():
        yield from _written(inner)


def _required(condition: Expression, bound: Bound) -> Iterator[tuple[Check, bool, Bound]]:
    """The checks that hold whenever *condition* does, those with True that never hold then."""
    stack: list[tuple[Expression, Bound, bool]] = [(condition, bound, False)]
    for _ in range(_MAX_STEPS):
        if not stack:
            return
        node, holder, negated = stack.pop()
        if isinstance(node, Check):
            if isinstance(node.left, Field) and not node.modifier:
                yield node, negated, holder
        elif isinstance(node, Not):
            stack.append((node.child, holder, not negated))
        elif isinstance(node, Identifier):
            inner = holder.env.get(node.name)
            if inner is not None and inner.tree is not None:
                stack.append((inner.tree, inner, negated))
        elif isinstance(node, Or) is negated:
            stack += [(child, holder, negated) for child in node.children]


def _rows(exception: Expression) -> Iterator[tuple[Check, ...]]:
    """The values of one exception, each as the checks it is made of."""
    inner = exception.child if isinstance(exception, Not) else exception
    for row in inner.children if isinstance(inner, Or) else (inner,):
        parts = row.children if isinstance(row, And) else (row,)
        checks = tuple([part for part in parts if isinstance(part, Check)])
        if len(checks) == len(parts):
            yield checks


def _name(part: Check) -> str:
    return glued(part.left) if isinstance(part.left, Field) else ""


def _is_text(part: Check, source: str, catalogue: Catalogue) -> bool:
    """Whether the field has one text at a time."""
    name = _name(part)
    use = catalogue.resolve(name, source) if name else None
    return isinstance(use, FieldUse) and use.type in _TEXTS and not use.is_list and name not in _ANY_OF_MANY


def _values(part: Check) -> tuple[str, ...]:
    """The texts that the field can have, where they can be told."""
    if part.operator not in _EQUAL or part.modifier:
        return ()
    right = part.right
    return right.texts if isinstance(right, ListValue) else (right.text,) if isinstance(right, Value) else ()


def _excluded(part: Check, wanted: Check, negated: bool) -> bool:
    """Whether nothing satisfies *part* and *wanted*, or *part* and not *wanted*."""
    if values := _values(part):
        return all(_holds(wanted, value) is negated for value in values)
    values = () if negated else _values(wanted)
    return bool(values) and all(_holds(part, value) is False for value in values)


def _holds(part: Check, text: str) -> bool | None:
    """Whether *part* holds for a field that is *text*; None where that cannot be told."""
    if part.modifier:
        return None
    if values := _values(part):
        return text in values
    if not isinstance(part.right, Value):
        return None
    other = part.right.text
    if part.operator == "startswith":
        return text.startswith(other)
    if part.operator == "endswith":
        return text.endswith(other)
    if part.operator == "contains":
        return other in text
    return text != other if part.operator == "!=" else None
