"""From definitions to compiled lists, macros and rules, with all that Falco's compile step finds, in its order.

A compile knows the one before it: what no change can have reached is taken over as it is.  Falco compiles everything
again after each file; the outcome here is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from falcokit.catalogue import Catalogue
from falcokit.diagnostic import Diagnostic, FalcoPlace, Label, Problem
from falcokit.record import Record
from falcokit.ruleset.body import Body, Parsed, Texts, make_body
from falcokit.ruleset.definitions import Definitions, ListDefinition, MacroDefinition
from falcokit.ruleset.lists import CompiledList, TooLargeError, compile_list
from falcokit.ruleset.macros import Bound, BrokenName, bind
from falcokit.ruleset.rule_compiler import CompiledRule, compile_rule, too_large
from falcokit.source import Span

if TYPE_CHECKING:
    from falcokit.ruleset.additions import OutputAddition

__all__ = ["Compilation", "CompiledMacro", "compile_definitions"]

_MAX_LATE_WORK: Final = 2000
_DELIMITERS: Final = frozenset(" \t\n\r(),=")


class CompiledMacro(Record):
    """A macro bound to the macros it names, and what is wrong with it."""

    __slots__ = ("bound", "definition", "diagnostics")

    def __init__(self, definition: MacroDefinition, bound: Bound, diagnostics: tuple[Diagnostic, ...]) -> None:
        self.definition: Final = definition
        self.bound: Final = bound
        self.diagnostics: Final = diagnostics


class Compilation(Record):
    """Everything compiled, and all findings of the compile step in Falco's order; Falco stops at the first error."""

    __slots__ = ("bodies", "diagnostics", "lists", "macros", "rules", "used_lists", "used_macros")

    def __init__(
        self,
        lists: dict[str, CompiledList],
        macros: dict[str, CompiledMacro],
        rules: dict[str, CompiledRule],
        diagnostics: tuple[Diagnostic, ...],
        used_lists: frozenset[str],
        used_macros: frozenset[str],
        bodies: dict[str, Body],
    ) -> None:
        self.lists: Final = lists
        self.macros: Final = macros
        self.rules: Final = rules
        self.diagnostics: Final = diagnostics
        self.used_lists: Final = used_lists
        self.used_macros: Final = used_macros
        self.bodies: Final = bodies

    @property
    def failed(self) -> bool:
        """Whether Falco would refuse the rules."""
        return any(d.is_error for d in self.diagnostics)


def compile_definitions(
    definitions: Definitions,
    catalogue: Catalogue,
    texts: Texts,
    previous: Compilation | None = None,
    additions: Sequence[OutputAddition] = (),
) -> Compilation:
    """Compile all of *definitions*; *texts* remembers parsed texts, *previous* is what an earlier state compiled to."""
    lists, changed = _lists(definitions, previous)
    odd = frozenset(name for name in lists if not _DELIMITERS.isdisjoint(name))
    bodies: dict[str, Body] = {}
    old = previous.bodies if previous is not None else {}
    macros_before = previous.macros if previous is not None else {}
    for name, macro in definitions.macros.items():
        earlier = macros_before.get(name)
        if earlier is not None and earlier.definition is macro and old[name].names.isdisjoint(changed):
            bodies[name] = old[name]
        else:
            bodies[name] = make_body(macro.condition, [], lists, odd, texts) if macro.condition else _UNREADABLE
    macros = _macros(definitions, bodies, macros_before, catalogue)
    found: list[Diagnostic] = []
    late: list[Diagnostic] = []
    used_macros: set[str] = set()
    used_lists: set[str] = set()
    for name, compiled in macros.items():
        for diagnostic in compiled.diagnostics:
            (found if diagnostic.kind == "condition-syntax" else late).append(diagnostic)
        used_macros.update([inner for inner, bound in compiled.bound.env.items() if bound is not None])
        if bodies[name].splices:
            used_lists.update(bodies[name].used_lists)
    found += late
    changed |= {name for name, compiled in macros.items() if macros_before.get(name) is not compiled}
    changed |= macros_before.keys() - macros.keys()
    rules: dict[str, CompiledRule] = {}
    rules_before = previous.rules if previous is not None else {}
    for name, rule in definitions.rules.items():
        if rule.unknown_source:
            continue
        before = rules_before.get(name)
        if before is not None and before.definition is rule and before.names.isdisjoint(changed):
            result = before
        else:
            result = compile_rule(rule, lists, odd, macros, catalogue, texts, additions)
        rules[name] = result
        if result.diagnostics:
            found += result.diagnostics
        used_macros.update(result.used_macros)
        if result.body is not None and result.body.splices:
            used_lists.update(result.body.used_lists)
    for compiled_list in lists.values():
        used_lists.update(compiled_list.lists)
    return Compilation(lists, macros, rules, tuple(found), frozenset(used_lists), frozenset(used_macros), bodies)


_UNREADABLE: Final = Body(
    (),
    (),
    "",
    "",
    "",
    (),
    {},
    frozenset(),
    Parsed(Problem("condition-syntax", "the condition could not be read", 0, 0, 0), ()),
)


def _lists(definitions: Definitions, previous: Compilation | None) -> tuple[dict[str, CompiledList], set[str]]:
    """The compiled lists, and the names of those that are not what they were."""
    before = previous.lists if previous is not None else {}
    ranks, all_lists = definitions.ranks, definitions.lists
    lists: dict[str, CompiledList] = {}
    changed: set[str] = set(before.keys() - all_lists.keys())
    touched = {n for n, d in all_lists.items() if (o := before.get(n)) is None or o.definition is not d} | changed
    for name, definition in all_lists.items():
        first, latest = ranks["list", name]
        earlier = before.get(name)
        if earlier is not None and earlier.definition is definition and not _names_any(definition, touched):
            lists[name] = earlier
            continue
        lists[name] = compile_list(definition, first, latest, all_lists, ranks)
        changed.add(name)
    return lists, changed


def _names_any(definition: ListDefinition, names: set[str]) -> bool:
    return bool(names) and any(item.node.value in names for item in definition.items)


def _macros(
    definitions: Definitions,
    bodies: dict[str, Body],
    before: dict[str, CompiledMacro],
    catalogue: Catalogue,
) -> dict[str, CompiledMacro]:
    """All macros bound, in the order of first definition; each sees those first defined before its latest touch."""
    macros: dict[str, CompiledMacro] = {}
    late = 0
    ranks = definitions.ranks
    fresh = {
        name
        for name, macro in definitions.macros.items()
        if (o := before.get(name)) is None or o.definition is not macro
    } | (before.keys() - definitions.macros.keys())
    for name, macro in definitions.macros.items():
        body = bodies[name]
        earlier = before.get(name)
        if (
            earlier is not None
            and earlier.definition is macro
            and earlier.bound.body is body
            and all(
                inner not in fresh and (bound is None or (macros.get(inner) and macros[inner].bound is bound))
                for inner, bound in earlier.bound.env.items()
            )
        ):
            macros[name] = earlier
            continue
        visible = ranks["macro", name][1]

        def lookup(inner: str, visible: int = visible) -> Bound | None:
            compiled = macros.get(inner)
            return compiled.bound if compiled is not None and ranks["macro", inner][0] < visible else None

        def unresolved(inner: str, visible: int = visible) -> tuple[Body, MacroDefinition] | None:
            definition = definitions.macros.get(inner)
            if definition is None or inner in macros or ranks["macro", inner][0] >= visible:
                return None
            return bodies[inner], definition

        try:
            if late > _MAX_LATE_WORK:
                raise TooLargeError
            bound = bind(body, macro, lookup, unresolved)
        except TooLargeError:
            bound = Bound(_UNREADABLE, {}, None, macro)
            macros[name] = CompiledMacro(macro, bound, (_too_large(macro),))
            continue
        late += sum(1 for inner in bound.env if inner not in macros)
        bound.settle(catalogue)
        macros[name] = CompiledMacro(macro, bound, tuple(_macro_diagnostics(macro, bound, definitions)))
    return macros


def _macro_diagnostics(macro: MacroDefinition, bound: Bound, definitions: Definitions) -> list[Diagnostic]:
    body, item = bound.body, macro.item
    if body is _UNREADABLE:
        return []
    if isinstance(body.tree, Problem):
        problem = body.tree
        offset = item.condition.node.start if item.condition is not None else item.node.start
        from falcokit.diagnostic import Step

        place = FalcoPlace(item.file, (item.step, Step("macro condition", "", offset)), body.final, problem.at)
        span = body.locate(problem.start, problem.end)
        from falcokit.ruleset.provenance import help_for_inserted

        help_text = help_for_inserted(body, problem.start, span) or problem.help
        return [Diagnostic(problem.kind, problem.message, span, help_text, (), place)]
    if bound.broken is not None:
        place = FalcoPlace(item.file, (item.step,), body.text, bound.broken.identifier.at)
        return [broken_name(bound, bound.broken, place, definitions.macros, definitions.lists)]
    return [_too_large(macro)] if bound.too_large else []


def _too_large(macro: MacroDefinition) -> Diagnostic:
    item = macro.item
    span = Span(item.file, item.name.node.start, item.name.node.end)
    return too_large(span, "the condition with its lists and macros", FalcoPlace(item.file, (item.step,)))


def broken_name(
    bound: Bound,
    broken: BrokenName,
    place: FalcoPlace,
    macros: dict[str, MacroDefinition],
    lists: dict[str, ListDefinition],
) -> Diagnostic:
    """The diagnostic for a name that cannot be resolved, at the place it is written."""
    from falcokit.ruleset.undefined import explain_undefined

    holder = broken.trail[-1][1] if broken.trail else bound
    span = holder.body.locate(broken.identifier.start, broken.identifier.end)
    labels = trail_labels(bound, broken.trail)
    name = broken.identifier.name
    if broken.loop:
        message = f"the macro `{name}` leads back to itself"
        help_text = "take the name out of the condition it leads back from"
        return Diagnostic("macro-loop", message, span, help_text, labels, place, "", name)
    from falcokit.ruleset.provenance import list_of

    owner = holder.macro.name if holder.macro is not None else ""
    message, help_text, more = explain_undefined(name, owner, list_of(holder.body, span), macros, lists)
    return Diagnostic("undefined-macro", message, span, help_text, (*labels, *more), place, "", name)


def trail_labels(bound: Bound, trail: tuple[tuple[object, Bound], ...]) -> tuple[Label, ...]:
    """Where each macro on the way was named, innermost last."""
    labels = []
    holder = bound
    for identifier, inner in trail:
        name, start, end = identifier.name, identifier.start, identifier.end  # type: ignore[attr-defined]
        labels.append(Label(holder.body.locate(start, end), f"in macro `{name}`, used here"))
        holder = inner
    # In a long chain the two ends tell enough.
    return tuple(labels) if len(labels) <= 8 else (*labels[:4], *labels[-4:])
