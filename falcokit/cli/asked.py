"""What a whitelist is asked for: events that shall fall silent, or rules and a container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from falcokit.cli.options import fail, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from falcokit.event import Event
    from falcokit.whitelist import Identity
    from falcokit.whitelist.proof import Rules
    from falcokit.whitelist.propose import Asked

__all__ = ["asked_of", "listed"]

_MAX_ASKED = 50


def listed(path: str, container: str, image: str, digest: str) -> tuple[str, str, str]:
    """The name, image and digest of one container of the list in the file at *path*."""
    from falcokit.cli.inputs import read_files
    from falcokit.whitelist.runtime import containers_in

    ((_, content),) = read_files([path])
    found = containers_in(content.decode("utf-8", "replace"))
    if not found:
        fail(
            f"{path} lists no containers: it must be what docker ps, podman ps, crictl ps or kubectl get pods -o json print"
        )
    fitting = [one for one in found if not container or one.name == container]
    if len(fitting) != 1:
        names = ", ".join([one.name for one in found[:20]])
        fail(
            f"{path} lists {'no container' if not fitting else f'{len(fitting)} containers'} {container}: choose one with --container: {names}"
        )
    (one,) = fitting
    told = one.image
    written = image or told.repository + (f":{told.tag}" if told.tag else "")
    return one.name, written, digest or told.digest


def asked_of(
    path: str,
    line: int | None,
    event_id: str,
    rules: Sequence[str],
    own: tuple[Identity, ...],
    loaded: Rules,
    macro: str,
    more: Mapping[str, str],
) -> list[Asked]:
    """What shall fall silent: a rule, the place of its event, the ways to name the container, the fields of the event.

    *own* are the ways to name a container that was given; events that one whitelist would silence are asked for once.
    """
    from falcokit.whitelist.propose import Asked

    known = loaded.loaded.definitions.rules
    for name in rules:
        if name not in known:
            from falcokit.ruleset.suggest import nearest

            near = nearest(name, known)
            fail(f"no rule '{name}' is loaded" + (f": did you mean '{near[0]}'?" if near else ""))
    if path:
        return _of_events(path, line, event_id, rules, own, loaded, more)
    if not own and not more:
        fail("nothing to let through: give --event, --image, --digest or --container, or --process and the like")
    names = list(rules)
    if not names and macro:
        names = list(loaded.ruleset.rules_using(("macro", macro)) or loaded.ruleset.rules_using(("list", macro)))
        if not names:
            _dead(macro, loaded)
    if not names:
        fail("which rule shall fall silent? give --rule, or the --event that it fired on")
    return [Asked(name, "", own, None) for name in names]


def _of_events(
    path: str,
    line: int | None,
    event_id: str,
    rules: Sequence[str],
    own: tuple[Identity, ...],
    loaded: Rules,
    more: Mapping[str, str],
) -> list[Asked]:
    """What the events of a file ask for, the most frequent first."""
    from collections import Counter

    known = loaded.loaded.definitions.rules
    found: dict[tuple[object, ...], Asked] = {}
    counts: Counter[tuple[object, ...]] = Counter()
    others: dict[str, None] = {}
    for event in _events(path, line, event_id):
        for one in _of_event(event, rules, own, loaded):
            if rules and one.rule not in rules:
                others[one.rule] = None
                continue
            source = known[one.rule].source if one.rule in known else "syscall"
            key = (one.rule, tuple([identity.condition for identity in one.identities]), *_fits(one, more, source))
            found.setdefault(key, one)
            counts[key] += 1
            if len(found) > _MAX_ASKED:
                fail(f"{path} asks for more than {_MAX_ASKED} whitelists: pick some with --line, --event-id or --rule")
    if not found:
        said = ", ".join(f"'{name}'" for name in others if name) or "none that is loaded"
        fail(f"{path} has no event of {' or '.join(map(repr, rules))}: its rules are {said}", 1)
    ordered = sorted(found, key=lambda key: -counts[key])
    return [found[key].replaced(events=counts[key]) for key in ordered]


def _fits(one: Asked, more: Mapping[str, str], source: str) -> tuple[object, ...]:
    """Whether the event happened on the host, and for each check of a whitelist whether it is so in the event, if that is told."""
    from falcokit.whitelist.identity import dimensions

    given = one.given or {}
    checks = [check for identity in one.identities for check in identity.checks]
    fields = dimensions(source)
    checks += [(fields[name], "startswith" if name == "file" else "=", value) for name, value in more.items()]
    told: list[object] = [given.get("container.id") == "host"]
    for field, operator, value in checks:
        own = given.get(field)
        told.append(
            own is not None
            and (
                str(own).startswith(value)
                if operator == "startswith"
                else str(own)[:15] == value[:15]
                if field in ("proc.name", "proc.pname")
                else str(own) == value
            )
        )
    return tuple(told)


def _dead(macro: str, loaded: Rules) -> None:
    """End the run: no rule reaches the hook."""
    from falcokit.ruleset.default_index import askers
    from falcokit.ruleset.suggest import nearest

    macros = loaded.loaded.definitions.macros
    public = "; ".join([f"{', '.join(rules)} of {file}" for file, rules in askers(("macro", macro)).items()])
    elsewhere = f"; in the public rules it reaches {public}" if public else ""
    if macro not in macros:
        near = nearest(macro, macros)
        fail(
            f"no macro '{macro}' is loaded{elsewhere}" + (f": did you mean '{near[0]}'?" if near and not public else "")
        )
    fail(
        f"no loaded rule uses '{macro}': what goes into it silences nothing{elsewhere}; leave --macro out, and a place is found"
    )


def _events(path: str, line: int | None, event_id: str) -> Iterator[Event]:
    """The events of the file at *path*, or the one that is picked; ends the run where there is none."""
    from falcokit.event import Event
    from falcokit.workspace.event_files import events_in, unreadable

    if (trouble := unreadable(path)) is not None:
        fail(f"cannot read {path}: {trouble.reason}")
    empty = True
    for one in events_in(path):
        if not isinstance(one, Event):
            say(f"{one.name}:{one.line}: {one.reason}")
        elif (line is None or one.line == line) and (not event_id or one.header.id == event_id):
            empty = False
            yield one
    if empty:
        which = f" with the id {event_id}" if event_id else f" at line {line}" if line is not None else ""
        fail(f"{path} has no event{which}")


def _of_event(event: Event, wanted: Sequence[str], own: tuple[Identity, ...], loaded: Rules) -> list[Asked]:
    """What one event asks for: the rule it names, or of those that fire on it the *wanted* ones, else the first."""
    from falcokit.evaluate.partial import told_fields
    from falcokit.evaluate.read_back import ReadBack
    from falcokit.whitelist import identities
    from falcokit.whitelist.identity import as_told
    from falcokit.whitelist.propose import Asked

    catalogue = loaded.loaded.catalogue
    known = loaded.loaded.definitions.rules
    source = event.source or (known[event.rule].source if event.rule in known else "syscall")
    fields, told = told_fields(event, source, catalogue, ReadBack(loaded.matcher.rules, catalogue))
    if event.form.complete:
        told = tuple([rule.name for rule in loaded.matcher.fired(fields, source)])
    names = [rule for rule in told if rule in wanted] or ([] if told else list(wanted))
    if not names:
        names = [next((rule for rule in told if rule in known), told[0] if told else "")]
    place = f"{event.name}:{event.line}"
    own = own or as_told(identities(event.container), fields)
    return [Asked(name, place, own, fields, complete=event.form.complete) for name in names]
