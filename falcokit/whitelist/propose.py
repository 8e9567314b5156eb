"""From a wish to a proposal: the first change that can be proven."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from shlex import quote
from typing import Final, TypeAlias

from falcokit.case.write import comment_text
from falcokit.record import Record
from falcokit.whitelist.edit import with_change
from falcokit.whitelist.history import Blast
from falcokit.whitelist.identity import Identity, dimensions, narrowed, without_container
from falcokit.whitelist.place import Change, Refused, changes, copied
from falcokit.whitelist.proof import NAME, Done, Proof, Rules, Unproven, prove
from falcokit.whitelist.snippet import snippet

__all__ = ["SHADOW", "Asked", "Proposal", "Tests", "Wish", "propose"]

SHADOW: Final = "WARNING: a copy of the rule. It stays as it is when the default is improved, and hides that from you."
Tests: TypeAlias = "Callable[[str, str], tuple[str, ...]]"
"""The names of the test cases that fail with a text of rules as the file of some name, and did not before."""


class Asked(Record):
    """What shall fall silent: a ``rule``, for the event at ``place`` (empty for none) with the fields ``given``, the first of so many
    ``events``, ``complete`` where it has no others; ``identities`` are the ways to name it.
    """

    __slots__ = ("complete", "events", "given", "identities", "place", "rule")

    def __init__(
        self,
        rule: str,
        place: str,
        identities: tuple[Identity, ...],
        given: Mapping[str, object] | None,
        events: int = 0,
        complete: bool = False,
    ) -> None:
        self.events: Final = events
        self.complete: Final = complete
        self.rule: Final = rule
        self.place: Final = place
        self.identities: Final = identities
        self.given: Final = given


class Wish(Record):
    """How it is wanted: ``by`` a kind of identity, narrowed by ``more``, ``via`` a place or in the hook ``macro``, in the ``form`` of some
    release, in the file at ``path``.  What is empty is chosen."""

    __slots__ = ("by", "form", "macro", "more", "path", "via")

    def __init__(
        self,
        by: str = "",
        more: Mapping[str, str] | None = None,
        via: str = "",
        macro: str = "",
        form: str = "override",
        path: str = "",
    ) -> None:
        self.by: Final = by
        self.more: Final[Mapping[str, str]] = more or {}
        self.via: Final = via
        self.macro: Final = macro
        self.form: Final = form
        self.path: Final = path


class Proposal(Record):
    """A whitelist for *rule*: the ``change`` and its ``proof`` and text, or why there is none (``already``: it is let
    through as it is); ``refused`` are ways that were tried
    before it, ``identities`` all ways to name what is let through; ``narrower`` what the event tells and is not asked for,
    ``events`` of how many events it is.
    """

    __slots__ = (
        "already", "blast", "cannot", "change", "events", "identities", "narrower", "place", "proof", "refused", "rule", "text",
    )  # fmt: skip

    def __init__(
        self,
        rule: str,
        place: str,
        identities: tuple[Identity, ...],
        change: Change | None = None,
        proof: Proof | None = None,
        text: str = "",
        refused: tuple[tuple[str, str], ...] = (),
        cannot: str = "",
        already: bool = False,
        blast: Blast | None = None,
        narrower: tuple[tuple[str, str], ...] = (),
        events: int = 0,
    ) -> None:
        self.events: Final = events
        self.narrower: Final = narrower
        self.rule: Final = rule
        self.place: Final = place
        self.identities: Final = identities
        self.change: Final = change
        self.proof: Final = proof
        self.text: Final = text
        self.refused: Final = refused
        self.cannot: Final = cannot
        self.already: Final = already
        self.blast: Final = blast


def propose(rules: Rules, asked: Asked, wish: Wish, text: str | None = None, tests: Tests | None = None) -> Proposal:
    """The first change that can be proven, and that breaks none of the *tests*; *text* is that of the file it goes into, if there is one."""
    found = asked.identities

    def cannot(reason: str, tried: tuple[tuple[str, str], ...] = ()) -> Proposal:
        return Proposal(asked.rule or "?", asked.place, found, cannot=reason, refused=tried, events=asked.events)

    if not asked.rule:
        return cannot("the event names no rule, and none that is loaded fires on it")
    rule = next((rule for rule in rules.matcher.rules if rule.name == asked.rule), None)
    if rule is None:
        return cannot("the rule is not among those that are loaded: name its file with --defaults or --rules")
    source = rule.definition.source
    on_host = asked.given is not None and asked.given.get("container.id") == "host"
    if not found and wish.more:
        found = (without_container(wish.more, source, on_host=on_host),)
    if not found:
        what = "it happened on the host, not in a container"
        if source != "syscall":
            what = f"events of source {source} tell of no container"
        elif not on_host:
            what = "neither an image nor a name of the container is told, and its id is another one each time"
        return cannot(f"{what}: name it by {_options(_narrower(asked, wish, source))}")
    identity = _chosen(found, wish.by)
    if isinstance(identity, str):
        return cannot(identity)
    identity = narrowed(identity, wish.more, source) if wish.more and identity.kind != "process" else identity
    if any("\ud800" <= letter <= "\udfff" for _, _, value in identity.checks for letter in value):
        return cannot("a name of it is not UTF-8, and a rules file cannot hold it")
    # A value that is called like a list would stand for what is in it.
    called = frozenset([value for _, _, value in identity.checks if value in rules.ruleset.definitions.lists])
    identity = identity.replaced(lists=called) if called else identity
    ways = changes(rules.ruleset, rule, identity)
    if wish.via == "copy":
        copy = copied(rule, identity)
        ways = copy if isinstance(copy, Refused) else (copy,)
    if isinstance(ways, Refused):
        return cannot(ways.reason)
    if wish.macro and all(change.name != wish.macro for change in ways):
        other = f"; {ways[0].kind} `{ways[0].name}` does" if ways[0].via == "hook" else ""
        return cannot(f"`{wish.macro}` does not let anything through in `{rule.name}`{other}")
    tried: list[tuple[str, str]] = []
    for change in ways:
        if (wish.via and change.via != wish.via) or (wish.macro and change.name != wish.macro):
            continue
        outcome = _proven(rules, change, asked, wish, text, tests)
        if isinstance(outcome, Done):
            return Proposal(rule.name, asked.place, found, cannot=str(outcome), already=True, events=asked.events)
        if isinstance(outcome, str):
            tried.append((f"{change.via} {change.name if change.via == 'hook' else ''}".strip(), outcome))
            continue
        proof, new_text = outcome
        shown = new_text if wish.path else snippet([change], wish.form, _note(change))
        narrower = _narrower(asked, wish, source)
        return Proposal(
            rule.name,
            asked.place,
            found,
            change,
            proof,
            shown,
            tuple(tried),
            narrower=narrower,
            events=asked.events,
        )
    if not tried:
        return cannot(f"there is no {wish.via} for it in `{rule.name}`")
    return cannot(tried[-1][1], tuple(tried[:-1]))


def _narrower(asked: Asked, wish: Wish, source: str) -> tuple[tuple[str, str], ...]:
    """What the event tells by which it can be narrowed and is not yet: dimensions and their values."""
    found = []
    for dimension, field in dimensions(source).items():
        value = (asked.given or {}).get(field)
        if dimension in wish.more or not isinstance(value, str) or not value.strip() or value == "<NA>":
            continue
        if dimension != "file" or value.startswith("/"):  # Connections have names, too.
            found.append((dimension, value))
    return tuple(found)


def _options(narrower: tuple[tuple[str, str], ...]) -> str:
    """Options of the command line that name it."""
    if not narrower:
        return "--process, --file, --user or --namespace"
    return " ".join([f"--{dimension} {quote(value)}" for dimension, value in narrower])


def _chosen(found: tuple[Identity, ...], by: str) -> Identity | str:
    """The identity asked for, else the safest; a risky one only if it is asked for."""
    if by:
        fitting = [identity for identity in found if identity.kind == by]
        return fitting[0] if fitting else f"no {by} of it is known: {', '.join([identity.kind for identity in found])}"
    best = found[0]
    if best.risk == "risky" and best.kind != "process":
        return (
            f"only what anybody can take is known ({best.condition}): if that will do, ask for it with --by {best.kind}"
        )
    return best


def _proven(
    rules: Rules,
    change: Change,
    asked: Asked,
    wish: Wish,
    text: str | None,
    tests: Tests | None,
) -> tuple[Proof, str] | Unproven:
    """The proof of *change* and the text of the file with it, the first that holds of the texts it can have."""
    candidates = with_change(text, change, wish.form, _note(change)) if wish.path else (None,)
    reason = Unproven(
        f"{wish.path} is no plain sequence of items that one can be added to: leave --write out, and put it in"
    )
    for candidate in candidates:
        outcome = prove(rules, change, asked.given, candidate, wish.path or NAME, complete=asked.complete)
        if isinstance(outcome, Unproven):
            reason = outcome
        elif more := sorted(set(outcome.others) - set(change.reaches)):
            reason = Unproven(f"it would change other rules, too: {', '.join(more)}")
        elif outcome.event is False:
            return Unproven("the event would still fire")
        elif tests is not None and (broken := tests(candidate or snippet([change]), wish.path or NAME)):
            return Unproven(f"test cases fail with it that pass without: {', '.join(broken)}")
        else:
            return outcome, candidate or ""
    return reason


def _note(change: Change) -> str:
    """What a snippet's comment says."""
    identity = change.identity
    risk = "" if identity.risk == "safe" else f" ({identity.risk.upper()})"
    lines = [
        f"{change.rule}: lets through {identity.condition}{risk}",
        *([SHADOW] if change.via == "copy" else []),
        identity.reason,
    ]
    return "\n".join(map(comment_text, lines))
