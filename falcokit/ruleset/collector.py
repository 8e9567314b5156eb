"""Folding items into definitions: define, append, replace, enable, as Falco's collector does.

`apply` is pure: what a name stood for and one item give what it stands for next and what is to be said about it.  It
gives two answers where something is wrong: Falco's, which stops at the first error, and the one that goes on.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from falcokit.catalogue import Catalogue
from falcokit.diagnostic import Diagnostic, FalcoPlace, Label, Step
from falcokit.record import Record
from falcokit.ruleset.definitions import ListDefinition, MacroDefinition, RuleDefinition, RuleException
from falcokit.ruleset.items import ExceptionItem, Item, ListItem, MacroItem, RuleItem, RuleUpdate, Written
from falcokit.source import Span

__all__ = ["Applied", "Definition", "apply"]

Definition: TypeAlias = ListDefinition | MacroDefinition | RuleDefinition


MAX_ITEMS: Final = 1000
"""How many items may define, append to or override one name."""


class Applied(Record):
    """The outcome of one item: the new definition and all findings, and the same as Falco has it."""

    __slots__ = ("diagnostics", "falco_diagnostics", "falco_state", "state", "stops")

    def __init__(
        self,
        state: Definition | None,
        diagnostics: tuple[Diagnostic, ...],
        falco_state: Definition | None,
        falco_diagnostics: tuple[Diagnostic, ...],
        stops: bool,
    ) -> None:
        self.state: Final = state
        self.diagnostics: Final = diagnostics
        self.falco_state: Final = falco_state
        self.falco_diagnostics: Final = falco_diagnostics
        self.stops: Final = stops


class _Fold:
    """The state on its way through one item; remembers where Falco stopped."""

    def __init__(self, state: Definition | None) -> None:
        self.state = state
        self.found: list[Diagnostic] = []
        self.stopped: tuple[Definition | None, tuple[Diagnostic, ...]] | None = None

    def note(self, diagnostics: tuple[Diagnostic, ...] | list[Diagnostic]) -> None:
        for diagnostic in diagnostics:
            self.found.append(diagnostic)
            if self.stopped is None and diagnostic.is_error:
                self.stopped = (self.state, tuple(self.found))

    def done(self) -> Applied:
        falco = self.stopped or (self.state, tuple(self.found))
        return Applied(self.state, tuple(self.found), *falco, self.stopped is not None)


def apply(state: Definition | None, item: Item, catalogue: Catalogue) -> Applied:
    """What *item* makes of *state*, the definition so far of the item's name."""
    fold = _Fold(state)
    assert isinstance(item, (ListItem, MacroItem, RuleItem))
    fold.note(item.warnings)
    fold.note(item.problems)
    if _too_many(fold, item):
        return fold.done()
    if isinstance(item, ListItem):
        _apply_list(fold, item)
    elif isinstance(item, MacroItem):
        _apply_macro(fold, item)
    else:
        assert isinstance(item, RuleItem)
        _apply_rule(fold, item, catalogue)
        fold.note(item.late_problems)
    if fold.stopped is None or item.late_warnings:
        fold.note(item.late_warnings)
    return fold.done()


def _no_target(item: ListItem | MacroItem | RuleItem, verb: str) -> Diagnostic:
    kind, name = item.step.item_type, item.step.item_name
    span = Span(item.file, item.name.node.start, item.name.node.end)
    message = f"there is no {kind} `{name}` to {verb}"
    return Diagnostic(
        "no-target", message, span, "define it before, in this file or in one that is loaded earlier", (),
        FalcoPlace(item.file, (item.step,)), "", name,
    )  # fmt: skip


def _too_many(fold: _Fold, item: ListItem | MacroItem | RuleItem) -> bool:
    """Whether the name has more items than anybody writes: each keeps all before it, so their number is bounded."""
    if fold.state is None or len(fold.state.contributions) < MAX_ITEMS:
        return False
    span = Span(item.file, item.name.node.start, item.name.node.end)
    message = f"more than {MAX_ITEMS:,} items have the name `{item.name.text}`: falcokit takes no more"
    help_text = "write their additions as one item"
    fold.note([Diagnostic("too-large", message, span, help_text, (), FalcoPlace(item.file, (item.step,)))])
    return True


def _apply_list(fold: _Fold, item: ListItem) -> None:
    previous = fold.state
    if item.operation == "define":
        earlier = previous.contributions if isinstance(previous, ListDefinition) else ()
        fold.state = ListDefinition(item.name.text, item.items, item, (*earlier, item))
    elif isinstance(previous, ListDefinition):
        fold.state = previous.replaced(items=previous.items + item.items, contributions=(*previous.contributions, item))
    else:
        fold.note([_no_target(item, "append to")])


def _apply_macro(fold: _Fold, item: MacroItem) -> None:
    previous = fold.state
    condition: tuple[Written, ...] = (item.condition,) if item.condition is not None else ()
    if item.operation == "define":
        earlier = previous.contributions if isinstance(previous, MacroDefinition) else ()
        fold.state = MacroDefinition(item.name.text, condition, item, (*earlier, item))
    elif isinstance(previous, MacroDefinition):
        # What is appended to a condition that could not be read makes no sense alone.
        condition = previous.condition + condition if previous.condition else ()
        fold.state = previous.replaced(condition=condition, contributions=(*previous.contributions, item))
    else:
        fold.note([_no_target(item, "append to")])


def _apply_rule(fold: _Fold, item: RuleItem, catalogue: Catalogue) -> None:
    for update in item.updates:
        fold.note(update.warnings)
        fold.note(update.problems)
        if update.problems and update.operation == "enable":
            continue
        if update.operation == "define":
            _define(fold, item, update, catalogue)
            continue
        if not isinstance(fold.state, RuleDefinition):
            verb = {"append": "append to", "replace": "override", "enable": "enable or disable"}[update.operation]
            fold.note([_no_target(item, verb)])
            return
        if update.operation == "enable":
            if update.enabled is not None:
                state = fold.state.replaced(enabled=update.enabled, contributions=(*fold.state.contributions, item))
                fold.state = state
            continue
        if update.condition is not None:
            _same_source(fold, item, fold.state, "syscall" if item.source is None else item.source.text, given=False)
        if update.operation == "append":
            _append(fold, item, update, catalogue)
        else:
            _replace(fold, item, update)


def _same_source(fold: _Fold, item: RuleItem, previous: RuleDefinition, source: str, *, given: bool) -> bool:
    if (item.source is None and not given) or previous.source == source:
        return True
    node = item.source.node if item.source is not None else item.name.node
    first = previous.item
    label = Label(
        Span(first.file, first.name.node.start, first.name.node.end), f"here its source is `{previous.source}`"
    )
    message = f"the rule `{previous.name}` has the source `{previous.source}`, this item says `{source}`"
    help_text = f"write `source: {previous.source}`" + ("" if item.source else "; without it the source is `syscall`")
    place = FalcoPlace(item.file, (item.step,))
    span = Span(item.file, node.start, node.end)
    fold.note([Diagnostic("source-differs", message, span, help_text, (label,), place, "", source)])
    return False


def _define(fold: _Fold, item: RuleItem, update: RuleUpdate, catalogue: Catalogue) -> None:
    source = item.source.text if item.source is not None else "syscall"
    previous = fold.state if isinstance(fold.state, RuleDefinition) else None
    if previous is not None and not _same_source(fold, item, previous, source, given=True):
        return
    unknown = source not in catalogue.sources
    if unknown:
        from falcokit.ruleset.suggest import nearest

        node = item.source.node if item.source is not None else item.name.node
        near = nearest(source, catalogue.sources)
        help_text = f"did you mean `{near[0]}`?" if near else f"known sources: {', '.join(catalogue.sources)}"
        message = f"no loaded plugin has the source `{source}`: the rule `{item.name.text}` is never used"
        place = FalcoPlace(item.file, (item.step,))
        span = Span(item.file, node.start, node.end)
        fold.note([Diagnostic("unknown-source", message, span, help_text, (), place, "", source)])
    exceptions = []
    refused = []
    for exception in update.exceptions or ():
        from falcokit.ruleset.exception_check import check_exception

        problems, comps = check_exception(item.file, item.step, exception, source, catalogue)
        fold.note(problems)
        if problems:
            refused.append(exception.name.text)
        else:
            exceptions.append(_in_effect(item, exception, comps))
    earlier = previous.contributions if previous is not None else ()
    state = RuleDefinition(
        item.name.text,
        source,
        () if update.condition is None else (update.condition,),
        () if update.output is None else (update.output,),
        () if update.desc is None else (update.desc,),
        7 if update.priority is None else update.priority,
        item,
        (*earlier, item),
        update.condition.node.start if update.condition else item.node.start,
        update.output.node.start if update.output else item.node.start,
        unknown,
        True,
        update.enabled is not False,
        bool(update.capture),
        update.capture_duration or 0,
        update.warn_evttypes is not False,
        bool(update.skip_if_unknown_filter),
        frozenset([w.text for w in update.tags or ()]),
        tuple(exceptions),
        frozenset(refused),
    )
    fold.state = state


def _in_effect(item: RuleItem, exception: ExceptionItem, comps: str | tuple[str, ...] | None) -> RuleException:
    step = Step("exception", exception.name.text, exception.node.start)
    return RuleException(
        exception.name.text, item.file, step, exception.fields, exception.comps if comps is None else comps,
        exception.values,
    )  # fmt: skip


def _append(fold: _Fold, item: RuleItem, update: RuleUpdate, catalogue: Catalogue) -> None:
    state = fold.state
    assert isinstance(state, RuleDefinition)
    state = state.replaced(
        condition=(*state.condition, update.condition) if update.condition and state.condition else state.condition,
        output=(*state.output, update.output) if update.output and state.output else state.output,
        desc=(*state.desc, update.desc) if update.desc else state.desc,
        tags=state.tags.union([w.text for w in update.tags or ()]),
        contributions=(*state.contributions, item),
    )
    fold.state = state
    for exception in update.exceptions or ():
        _append_exception(fold, item, exception, catalogue)


def _append_exception(fold: _Fold, item: RuleItem, exception: ExceptionItem, catalogue: Catalogue) -> None:
    state = fold.state
    assert isinstance(state, RuleDefinition)
    place = FalcoPlace(item.file, (item.step, Step("exception", exception.name.text, exception.node.start)))
    name = exception.name.text

    def refuse(message: str, key: str, help_text: str) -> None:
        node = exception.node.key(key) or exception.name.node
        span = Span(item.file, node.start, node.end)
        fold.note([Diagnostic("exception-append", message, span, help_text, (), place, "", name)])

    for number, existing in enumerate(state.exceptions):
        if existing.name == name:
            for key, entry in (("fields", exception.fields), ("comps", exception.comps)):
                if entry not in (None, ()):
                    help_text = f"remove `{key}`: only `values` are added to an exception that exists"
                    refuse(f"the exception `{name}` exists already, its `{key}` cannot be given again", key, help_text)
                    return
            grown = existing.replaced(values=existing.values + exception.values)
            changed = (*state.exceptions[:number], grown, *state.exceptions[number + 1 :])
            fold.state = state.replaced(exceptions=changed)
            return
    if name in state.refused_exceptions:
        # Said at the exception itself, and what is added to it can be right.
        return
    from falcokit.ruleset.suggest import nearest

    near = nearest(name, [e.name for e in state.exceptions])
    meant = f"did you mean the exception `{near[0]}`?" if near else ""
    if exception.fields in (None, ()):
        known = ", ".join(e.name for e in state.exceptions) or "none"
        help_text = meant or f"give `fields` for a new exception; the rule's exceptions: {known}"
        refuse(f"the rule `{state.name}` has no exception `{name}`, and a new one needs `fields`", "name", help_text)
        return
    if not exception.values:
        refuse(f"the new exception `{name}` has no values", "values", meant or "add `values: [...]`")
        return
    from falcokit.ruleset.exception_check import check_exception

    problems, comps = check_exception(item.file, item.step, exception, state.source, catalogue)
    fold.note(problems)
    if problems:
        fold.state = state.replaced(refused_exceptions=state.refused_exceptions | {name})
        return
    fold.state = state.replaced(exceptions=(*state.exceptions, _in_effect(item, exception, comps)))


def _replace(fold: _Fold, item: RuleItem, update: RuleUpdate) -> None:
    state = fold.state
    assert isinstance(state, RuleDefinition)
    changes: dict[str, object] = {
        key: value
        for key in ("priority", "enabled", "capture", "capture_duration", "warn_evttypes", "skip_if_unknown_filter")
        if (value := getattr(update, key)) is not None
    }
    for key in ("condition", "output", "desc"):
        if (written := getattr(update, key)) is not None:
            changes[key] = (written,)
    if update.output is not None:
        changes["trimmed"] = False
    if update.tags is not None:
        changes["tags"] = frozenset([w.text for w in update.tags])
    if update.exceptions is not None:
        changes["exceptions"] = tuple([_in_effect(item, e, None) for e in update.exceptions])
    fold.state = state.replaced(contributions=(*state.contributions, item), **changes)
