"""``falcokit whitelist``."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from falcokit.cli.defaults import Below, below, or_fail, project_of
from falcokit.cli.options import Colour, Format, fail, group, say, write
from falcokit.cli.rule_sets import Rules as RuleFiles
from falcokit.cli.rule_sets import no_default, read_rules, refused, text_of
from falcokit.cli.screen import is_coloured
from falcokit.cli.walk_through import ask, ask_file
from falcokit.cli.whitelisted import list_entries, remove, verify

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from falcokit.event import Event
    from falcokit.whitelist import Identity
    from falcokit.whitelist.history import Blast
    from falcokit.whitelist.proof import Rules
    from falcokit.whitelist.propose import Asked, Proposal, Tests

__all__ = ["command"]

_MAX_EVENTS = 50


class Kind(StrEnum):
    """What an identity is made of."""

    digest = "digest"
    tag = "tag"
    image = "image"
    prefix = "name-prefix"
    name = "name"


class Via(StrEnum):
    """Where a whitelist goes."""

    hook = "hook"
    exception = "exception"
    append = "append"
    copy = "copy"


class Form(StrEnum):
    """What a whitelist is written for."""

    override = "override"
    append = "append"
    helm = "helm"
    crd = "crd"
    terraform = "terraform"


def whitelist(
    context: typer.Context,
    event: Annotated[
        str, typer.Option(metavar="FILE", help="The event that shall fall silent; - is standard input.")
    ] = "",
    line: Annotated[
        Optional[int], typer.Option(metavar="N", help="Which event of the file: the one at this line.")
    ] = None,
    rule: Annotated[
        Optional[list[str]],
        typer.Option(metavar="NAME", help="The rule that shall fall silent, if no event tells; repeatable."),
    ] = None,
    container: Annotated[str, typer.Option(metavar="NAME", help="The name of the container.")] = "",
    image: Annotated[str, typer.Option(metavar="REPO[:TAG]", help="The image.")] = "",
    digest: Annotated[str, typer.Option(metavar="SHA256", help="The digest of the image.")] = "",
    ps: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="What docker ps, podman ps, crictl ps or kubectl get pods -o json printed, to take the image of --container from.",
        ),
    ] = "",
    by: Annotated[Optional[Kind], typer.Option(help="What to name it by, instead of the safest that is known.")] = None,
    process: Annotated[str, typer.Option(metavar="NAME", help="Only this process.")] = "",
    parent: Annotated[str, typer.Option(metavar="NAME", help="Only below this process.")] = "",
    file: Annotated[str, typer.Option(metavar="PREFIX", help="Only files that begin so.")] = "",
    namespace: Annotated[str, typer.Option(metavar="NAME", help="Only in this Kubernetes namespace.")] = "",
    user: Annotated[str, typer.Option(metavar="NAME", help="Only this user.")] = "",
    via: Annotated[
        Optional[Via], typer.Option(help="Where it goes, instead of the first place that can be proven.")
    ] = None,
    macro: Annotated[
        str, typer.Option(metavar="NAME", help="The hook that it goes into; refused where no rule reaches it.")
    ] = "",
    test: Annotated[
        Optional[list[str]],
        typer.Option(
            "--tests", metavar="PATH", help="Test files that must pass with it as they do without; repeatable."
        ),
    ] = None,
    history: Annotated[
        Optional[list[str]],
        typer.Option(metavar="FILE", help="Events there were: how many of which fall silent; repeatable."),
    ] = None,
    form: Annotated[
        Form,
        typer.Option(
            help="Falco 0.37 and later, older releases, Helm values, a Rulesfile resource, Terraform for Sysdig."
        ),
    ] = Form.override,
    to: Annotated[
        str,
        typer.Option(
            "--write", metavar="FILE", help="Put it into this rules file of yours, which is made if it is not there."
        ),
    ] = "",
    diff: Annotated[bool, typer.Option("--diff", help="Show what --write would change; change nothing.")] = False,
    interactive: Annotated[
        bool, typer.Option("--interactive", "-i", help="Ask for each choice, in a terminal.")
    ] = False,
    format: Annotated[Format, typer.Option(help="How to print it.")] = Format.text,
    rules: Annotated[
        Optional[list[str]],
        typer.Option("--rules", metavar="PATH", help="Custom rules files or folders, in load order; repeatable."),
    ] = None,
    defaults: Annotated[
        Optional[list[str]], typer.Option(metavar="PATH", help="Default rules below them, in load order; repeatable.")
    ] = None,
    config: Annotated[
        Optional[str], typer.Option(metavar="FILE", help="A falco.yaml: its rules_files are loaded first.")
    ] = None,
    no_defaults: Annotated[bool, typer.Option("--no-defaults", help="Load nothing below the files.")] = False,
    fields: Annotated[
        Optional[list[str]], typer.Option(metavar="FILE", help="JSON with the fields of a plugin of your own.")
    ] = None,
    settings: Annotated[
        Optional[str],
        typer.Option(metavar="FILE", help="Settings, instead of falcokit.toml or pyproject.toml here or above."),
    ] = None,
    no_settings: Annotated[bool, typer.Option("--no-settings", help="Read no settings.")] = False,
) -> None:
    """Write the smallest whitelist for a noisy event, and prove that it silences that event and little else.

    The container is named by the safest that is known: the digest of its image, the image, and only if asked for (--by name,
    --container) its name, which anybody can take. The whitelist goes into a hook made for it that the rule really reaches, else
    into the rule's exceptions, else behind its condition; never into a copy of the rule. Nothing is proposed that Falco would not
    load, that silences nothing, or that silences the rule altogether.

    Exit codes: 0 there is a proven proposal for everything asked, 1 for something there is none, 2 wrong usage.

    Example: falcokit whitelist --event alert.json --write my_rules.yaml
    """
    if context.invoked_subcommand is not None:
        return
    from falcokit.report.whitelist import to_json, to_text
    from falcokit.whitelist.proof import Rules
    from falcokit.whitelist.propose import Wish, propose

    named = bool(container) and not (image or digest or event or ps)
    if ps:
        container, image, digest = _listed(ps, container, image, digest)
    more = {"process": process, "parent": parent, "file": file, "namespace": namespace, "user": user}
    more = {name: value for name, value in more.items() if value}
    paths = list(rules or ())
    existing = text_of(to, paths) if to else None
    base = below(defaults, config, no_defaults, project_of(settings, no_settings))
    read = read_rules(paths, base, fields)
    loaded = Rules(read.files, read.catalogue)
    if loaded.errors:
        write(refused(loaded.errors, False, 80))
        raise typer.Exit(1)
    asked = _asked(event, line, rule or [], container, image, digest, loaded, macro, more)
    if to:
        no_default(to, read.files)
    wanted = by.value if by is not None else "name" if named else ""
    if interactive:
        asked, wanted, more = ask(asked, wanted, more)
    way = via.value if via is not None else ""

    tests = _tests(test, read, base, paths) if test else None

    def all_of(path: str, before: str | None) -> tuple[list[Proposal], str | None]:
        """The proposals, and the text of the file at *path* with all of them."""
        wish = Wish(wanted, more, way, macro, form.value, path)
        rules, text, found = loaded, before, []
        for one in asked:
            proposal = propose(rules, one, wish, text, tests)
            if history and proposal.proof is not None:
                proposal = proposal.replaced(blast=_blast(rules, proposal, history))
            found.append(proposal)
            if path and proposal.proof is not None:
                # The next one is for the rules as they are then.
                text = proposal.text
                rules = rules.grown(text, path)
        return found, text

    proposals, text = all_of(to, existing)
    if diff or to:
        _write(to, existing, text, diff)
    if format is Format.json:
        import json

        write(json.dumps(to_json(proposals), ensure_ascii=False, indent=2) + "\n")
    elif not diff:
        write(to_text(proposals, written=to, colour=is_coloured(Colour.auto)))
    proven = any(proposal.proof is not None for proposal in proposals)
    if interactive and not to and proven and (path := ask_file()):
        before = text_of(path, [])
        no_default(path, read.files)
        _write(path, before, all_of(path, before)[1], False)
        write(f"written to {path}; look at it with: falcokit lint {path}\n")
    raise typer.Exit(1 if any(proposal.cannot and not proposal.already for proposal in proposals) else 0)


def _listed(path: str, container: str, image: str, digest: str) -> tuple[str, str, str]:
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


def _tests(paths: Sequence[str], read: RuleFiles, base: Below, own: Sequence[str]) -> Tests:
    """What runs the test files at *paths* without a text of rules and with it."""
    from falcokit.case.coverage import Coverage
    from falcokit.case.read import read_test_file
    from falcokit.case.run import run
    from falcokit.embedded import opened
    from falcokit.source import SourceFile
    from falcokit.workspace.test_files import events_of, find_test_files, rules_of

    found = find_test_files(paths)
    for path, trouble in found.unreadable:
        fail(f"cannot read {path}: {trouble.reason}")
    if not found.files:
        fail(f"no test files found in {', '.join(paths)}")

    def broken(text: str) -> tuple[str, ...]:
        names: list[str] = []
        for file in found.files:
            test, findings = read_test_file(file)
            files, problems = rules_of(test, own, base.files) if test is not None else ((), ())
            if test is None or findings or problems:
                fail(f"the test file {file.name} cannot be run as it is written: falcokit test tells why")
            rules = opened(files)[0]
            failed = []
            for more in ([], [SourceFile("falcokit-whitelist.yaml", text)]):
                outcomes, _ = run(test, [*rules, *more], events_of(test), read.catalogue, Coverage())
                failed.append([outcome.case.name for outcome in outcomes if outcome.findings])
            names += [name for name in failed[1] if name not in failed[0]]
        return tuple(names)

    return broken


def _blast(loaded: Rules, proposal: Proposal, paths: Sequence[str]) -> Blast:
    """What the change would have silenced of the events in the files at *paths*."""
    from falcokit.event import Event
    from falcokit.whitelist.history import blast
    from falcokit.workspace.event_files import events_in, unreadable

    assert proposal.proof is not None
    assert proposal.proof.matcher is not None
    assert proposal.change is not None
    for path in paths:
        if (trouble := unreadable(path)) is not None:
            fail(f"cannot read {path}: {trouble.reason}")
    events = (one for path in paths for one in events_in(path) if isinstance(one, Event))
    return blast(loaded.matcher, proposal.proof.matcher, proposal.change.identity, events)


def _write(path: str, before: str | None, after: str | None, diff: bool) -> None:
    """Put the new text in its place, or show what would change."""
    if not path:
        fail("--diff goes with --write")
    if after is None or after == before:
        return
    if diff:
        import difflib

        old, new = (before or "").splitlines(keepends=True), after.splitlines(keepends=True)
        write("".join(difflib.unified_diff(old, new, path, path)))
        return
    from falcokit.workspace.write import write_text, write_whole

    if before is None:
        or_fail(lambda: write_whole(path, after))
    elif problem := write_text(path, before, after):
        fail(f"cannot write to {path}: {problem}")


def _asked(
    path: str,
    line: int | None,
    rules: Sequence[str],
    container: str,
    image: str,
    digest: str,
    loaded: Rules,
    macro: str,
    more: Mapping[str, str],
) -> list[Asked]:
    """What shall fall silent: a rule, the place of its event, the ways to name the container, the fields of the event."""
    from falcokit.event.identity import Container, split_image
    from falcokit.whitelist import identities
    from falcokit.whitelist.identity import without_container
    from falcokit.whitelist.propose import Asked

    told = Container("", container, split_image(image).replaced(told="fields"), False)
    if digest:
        told = told.replaced(image=told.image.replaced(digest=digest, told="fields"))
    own = identities(told)
    if path:
        events = _events(path, line)
        found = [_of_event(event, own, loaded) for event in events]
        unique: dict[tuple[object, ...], Asked] = {}
        for one in found:
            unique.setdefault((one.rule, tuple([identity.condition for identity in one.identities])), one)
        return [one for one in unique.values() if not rules or one.rule in rules]
    if not own and more:
        own = (without_container(more),)
    if not own:
        fail("nothing to let through: give --event, --image, --digest or --container, or --process and the like")
    names = list(rules)
    if not names and macro:
        names = list(loaded.ruleset.rules_using(("macro", macro)))
        if not names:
            _dead(macro, loaded)
    if not names:
        fail("which rule shall fall silent? give --rule, or the --event that it fired on")
    for name in names:
        if name not in loaded.loaded.definitions.rules:
            from falcokit.ruleset.suggest import nearest

            near = nearest(name, loaded.loaded.definitions.rules)
            fail(f"no rule '{name}' is loaded" + (f": did you mean '{near[0]}'?" if near else ""))
    return [Asked(name, "", own, None) for name in names]


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


def _events(path: str, line: int | None) -> list[Event]:
    from falcokit.event import Event
    from falcokit.workspace.event_files import events_in, unreadable

    if (trouble := unreadable(path)) is not None:
        fail(f"cannot read {path}: {trouble.reason}")
    found: list[Event] = []
    for one in events_in(path):
        if not isinstance(one, Event):
            say(f"{one.name}:{one.line}: {one.reason}")
        elif line is None or one.line == line:
            found.append(one)
        if len(found) > _MAX_EVENTS:
            fail(f"{path} has more than {_MAX_EVENTS} events: pick one with --line")
    if not found:
        fail(f"{path} has no event" + (f" at line {line}" if line is not None else ""))
    return found


def _of_event(event: Event, own: tuple[Identity, ...], loaded: Rules) -> Asked:
    from falcokit.evaluate.partial import told_fields
    from falcokit.evaluate.read_back import ReadBack
    from falcokit.whitelist import identities
    from falcokit.whitelist.propose import Asked

    catalogue = loaded.loaded.catalogue
    known = loaded.loaded.definitions.rules
    source = event.source or (known[event.rule].source if event.rule in known else "syscall")
    fields, rules = told_fields(event, source, catalogue, ReadBack(loaded.matcher.rules, catalogue))
    if event.form.complete:
        rules = tuple([rule.name for rule in loaded.matcher.fired(fields, source)])
    name = next((rule for rule in rules if rule in known), rules[0] if rules else "")
    place = f"{event.name}:{event.line}"
    return Asked(name, place, own or identities(event.container), fields)


command = group(whitelist, {"list": list_entries, "verify": verify, "remove": remove})
