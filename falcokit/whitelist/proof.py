"""Showing that a change does what it is for, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

from falcokit.case.synthesise import matching_event
from falcokit.catalogue import Catalogue
from falcokit.evaluate import Matcher
from falcokit.evaluate.leaf import Leaves
from falcokit.evaluate.tell import told
from falcokit.evaluate.walk import Walk
from falcokit.record import Record
from falcokit.ruleset.describe import expanded
from falcokit.ruleset.loader import Loaded, Memo, load
from falcokit.ruleset.rule_compiler import CompiledRule
from falcokit.ruleset.ruleset import HOOK_NAMES, Ruleset
from falcokit.source import SourceFile
from falcokit.whitelist.exactness import always_silent, never_fires, same_outside
from falcokit.whitelist.identity import Identity
from falcokit.whitelist.place import Change
from falcokit.whitelist.snippet import snippet

__all__ = ["Done", "Proof", "Rules", "Unproven", "condition_of", "prove"]

NAME: Final = "falcokit-whitelist.yaml"


class Rules:
    """Rules that are loaded, once as they are and once for each change that is tried on top; *hooks* are patterns for the names of
    what is made to be overridden."""

    def __init__(
        self,
        files: Sequence[SourceFile],
        catalogue: Catalogue,
        memo: Memo | None = None,
        hooks: tuple[str, ...] = HOOK_NAMES,
    ) -> None:
        self._memo: Final = memo or Memo()
        self.hooks: Final = hooks
        self.files: Final = tuple(files)
        self.loaded: Final = load(files, catalogue, self._memo)
        self.errors: Final = tuple([finding for finding in self.loaded.diagnostics if finding.is_error])

    @cached_property
    def matcher(self) -> Matcher:
        """What evaluates them; those that are switched off, too."""
        return _matcher(self.loaded)

    @cached_property
    def ruleset(self) -> Ruleset:
        """What answers who uses what."""
        return Ruleset(self.loaded, self.hooks)

    def _files_with(self, text: str, name: str) -> list[SourceFile]:
        files = [SourceFile(name, text) if file.name == name else file for file in self.files]
        return files if any(file.name == name for file in self.files) else [*files, SourceFile(name, text)]

    def with_text(self, text: str, name: str = NAME) -> Loaded:
        """The same with *text* as the file *name*, in its place if it is among them, else behind them."""
        return load(self._files_with(text, name), self.loaded.catalogue, self._memo)

    def grown(self, text: str, name: str) -> Rules:
        """The same to go on from."""
        return Rules(self._files_with(text, name), self.loaded.catalogue, self._memo, self.hooks)

    def changed(self, other: Loaded) -> tuple[str, ...]:
        """The rules whose resolved condition is another one in *other*."""
        assert self.loaded.compilation is not None
        assert other.compilation is not None
        before, after = self.loaded.compilation.rules, other.compilation.rules
        # What no change can have reached is taken over as it is.
        touched = [name for name, rule in after.items() if before.get(name) is not rule]
        return tuple(
            [
                name
                for name in touched
                if name not in before or condition_of(self.loaded, name) != condition_of(other, name)
            ]
        )


def condition_of(loaded: Loaded, rule: str) -> str:
    """The resolved condition of *rule*, as ``falco -L`` prints it."""
    compiled = loaded.compilation.rules.get(rule) if loaded.compilation is not None else None
    return expanded(compiled.bound) if compiled is not None and compiled.bound is not None else ""


def _matcher(loaded: Loaded) -> Matcher:
    assert loaded.compilation is not None
    return Matcher(loaded.compilation.rules.values(), loaded.catalogue, rule_matching="all", runs=lambda rule: True)


class Proof(Record):
    """What a change does.

    ``silenced`` is an event that fires the rule before the change and not after it, ``still`` one that fires it after, too; ``event`` says
    of a given event whether it is silenced (None: not decided by the fields it tells, which ``deciding`` names).  ``before`` and
    ``after`` are the rule's resolved conditions; ``others`` the other rules whose meaning changes, ``matcher`` evaluates
    the rules with it.
    """

    __slots__ = ("after", "before", "deciding", "event", "matcher", "others", "silenced", "still")

    def __init__(
        self,
        before: str,
        after: str,
        others: tuple[str, ...],
        silenced: Mapping[str, object],
        still: Mapping[str, object],
        event: bool | None = None,
        deciding: tuple[str, ...] = (),
        matcher: Matcher | None = None,
    ) -> None:
        self.matcher: Final = matcher
        self.before: Final = before
        self.after: Final = after
        self.others: Final = others
        self.silenced: Final = silenced
        self.still: Final = still
        self.event: Final = event
        self.deciding: Final = deciding


class Unproven(str):
    """Why there is no proof, in a sentence."""

    __slots__ = ()


class Done(Unproven):
    """It is let through already."""

    __slots__ = ()


def prove(
    rules: Rules,
    change: Change,
    given: Mapping[str, object] | None = None,
    text: str | None = None,
    name: str = NAME,
    *,
    complete: bool = False,
) -> Proof | Unproven:
    """What *change* does to *rules*, as *text* of the file *name*, by default as a file of its own behind them; *given* are the
    fields of an alert that must fall silent, or of an event that has no others (*complete*).

    Refused is what Falco would not load, what silences nothing, and what silences the rule altogether.
    """
    before = next((rule for rule in rules.matcher.rules if rule.name == change.rule), None)
    if before is None:
        return Unproven(f"`{change.rule}` does not run")
    identity = change.identity
    catalogue = rules.loaded.catalogue
    if given is not None:
        if rules.matcher.why(before, given, complete=complete).holds is False:
            return Done(
                f"the event does not fire `{change.rule}` with these rules: it is let through, or is not what it asks for"
            )
        if other := _not_of(identity, given, before, catalogue, complete):
            return Unproven(f"the event is none of it: {other}")
    silenced = _witness(identity, before, rules.matcher, given, complete)
    if silenced is None:
        return _never(before, identity, rules.matcher, given, complete)
    loaded = rules.with_text(snippet([change]) if text is None else text, name)
    if errors := [finding for finding in loaded.diagnostics if finding.is_error]:
        return Unproven(f"Falco would not load it: {errors[0].message}")
    matcher = _matcher(loaded)
    after = next((rule for rule in matcher.rules if rule.name == change.rule), None)
    if after is None:
        return Unproven(f"`{change.rule}` would not run any more")
    before_text, after_text = condition_of(rules.loaded, change.rule), condition_of(loaded, change.rule)
    if before_text == after_text:
        return Unproven(f"`{change.rule}` would stay as it is: a file that is loaded later has the last word")
    if matcher.why(after, silenced, complete=complete or silenced != given).holds or not always_silent(
        after, identity, catalogue
    ):
        return Unproven(f"`{change.rule}` would still fire: `{change.name}` does not let it through everywhere")
    if not same_outside(before, after, identity):
        return Unproven(f"more of `{change.rule}` would change than what is let through")
    still = _outside(identity, after, matcher, given if silenced == given else None, complete)
    if still is None:
        if never_fires(after, catalogue):
            return Unproven(f"`{change.rule}` would never fire again")
        return Unproven(f"no event was found that `{change.rule}` would still fire on")
    changed = tuple([name for name in rules.changed(loaded) if name != change.rule])
    silences: bool | None = None
    deciding: tuple[str, ...] = ()
    if given is not None:
        answer = matcher.why(after, given, complete=complete)
        silences = None if answer.holds is None else not answer.holds
        deciding = (
            tuple(dict.fromkeys([name for reason in answer.reasons for name, _ in reason.values]))
            if silences is None
            else ()
        )
    return Proof(before_text, after_text, changed, silenced, still, silences, deciding, matcher)


def _not_of(
    identity: Identity, given: Mapping[str, object], rule: CompiledRule, catalogue: Catalogue, complete: bool
) -> str:
    """What tells that the event with the fields *given* is not of *identity*; empty if nothing does."""
    walk = Walk(Leaves(rule.definition.source, catalogue))
    answer = walk.answer(identity.tree, None, given, complete=complete)
    return "; ".join([told(reason) for reason in answer.reasons]) if answer.holds is False else ""


def _never(
    rule: CompiledRule, identity: Identity, matcher: Matcher, given: Mapping[str, object] | None, complete: bool
) -> Unproven:
    """Why no event of *identity* fires *rule* before anything is changed."""
    name = rule.name
    if matching_event(rule, matcher) is None:
        return Unproven(f"`{name}` never fires, as far as falcokit can tell: there is nothing to silence")
    in_containers = any(field.startswith("container.") for field in identity.fields)
    if in_containers and matching_event(rule, matcher, {"container.id": "4f2e1d9a0b1c"}) is None:
        return Unproven(f"`{name}` never fires for it: it is about hosts")
    silent = never_fires(rule, matcher.catalogue, identity)
    fires = matcher.why(rule, given, complete=complete).holds if given is not None else None
    if silent and fires is not True:
        if _outside(identity, rule, matcher) is not None and not _narrow_alone(rule, identity, matcher):
            return Done(f"`{name}` lets it through already")
        return Unproven(f"`{name}` never fires for it: its condition wants something else")
    return Unproven(f"no event of it was found that fires `{name}`, so nothing can be shown")


def _narrow_alone(rule: CompiledRule, identity: Identity, matcher: Matcher) -> bool:
    """Whether what narrows *identity* keeps the rule from firing by itself, whatever the container is."""
    more = {name: value for name, value in identity.fields.items() if not name.startswith("container.")}
    if not more or len(more) == len(identity.fields):
        return False
    return matching_event(rule, matcher, {"container.id": "4f2e1d9a0b1c", **more}) is None


def _witness(
    identity: Identity, rule: CompiledRule, matcher: Matcher, given: Mapping[str, object] | None, complete: bool
) -> dict[str, object] | None:
    """An event of *identity* that fires *rule*: a short one that is made up, else the *given* one if it does."""
    walk = Walk(Leaves(rule.definition.source, matcher.catalogue))
    inside = {**_in_container(identity, "4f2e1d9a0b1c"), **identity.fields}
    begins = {name: value for name, operator, value in identity.checks if operator == "startswith"}
    free = {name: value for name, value in inside.items() if name not in begins}
    # What follows a beginning is free: a letter, nothing, or whatever the rule asks for.
    for fields in (inside, {**inside, **begins}, free) if begins else (inside,):
        found = matching_event(rule, matcher, fields, identity.tree if fields is free else None)
        if found is not None and walk.holds(identity.tree, None, found, 1):
            return found
    if given is None or not matcher.why(rule, given, complete=complete).holds:
        return None
    return dict(given) if walk.answer(identity.tree, None, given, complete=complete).holds else None


def _in_container(identity: Identity, id: str) -> dict[str, object]:
    return {"container.id": id} if any(name.startswith("container.") for name in identity.fields) else {}


def _outside(
    identity: Identity,
    rule: CompiledRule,
    matcher: Matcher,
    given: Mapping[str, object] | None = None,
    complete: bool = False,
) -> dict[str, object] | None:
    """An event that fires *rule* and is not of *identity*: another container that is the same in all else, or, where none is
    named, another process or file; in the end the *given* one with another name in it."""
    fields = identity.fields
    names = [name for name in fields if name.startswith("container.")]
    walk = Walk(Leaves(rule.definition.source, matcher.catalogue))
    ways = (
        [names, *([] if len(names) == len(fields) else [[name] for name in fields if name not in names])]
        if names
        else [[name] for name in fields]
    )
    for varied in ways:
        kept = {name: value for name, value in fields.items() if name not in varied}
        base = {**_in_container(identity, "0b1c4f2e1d9a"), **kept}
        # First with another value of the same kind, then with whatever the rule asks for.
        for other in ({name: _other(str(fields[name])) for name in varied}, {}):
            found = matching_event(rule, matcher, {**base, **other})
            if found is not None and not walk.holds(identity.tree, None, found, 1):
                return found
    for name, value in fields.items() if given is not None else ():
        turned = {**(given or {}), name: _other(str(value))}
        if matcher.why(rule, turned, complete=complete).holds and not walk.holds(identity.tree, None, turned, 1):
            return turned
    return None


def _other(value: str) -> str:
    """Another value of the kind of *value*: another file of the same folder, another name."""
    folder, slash, _ = value.rpartition("/")
    return f"{folder}/falcokit-other" if value.startswith("/") and slash else f"other-{value}"[:200]
