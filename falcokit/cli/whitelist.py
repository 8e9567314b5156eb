"""``falcokit whitelist``."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from falcokit.cli.asked import asked_of, listed
from falcokit.cli.below import Below, below, or_fail, project_of
from falcokit.cli.options import Colour, Format, aside, fail, group, say, write
from falcokit.cli.rule_sets import Rules as RuleFiles
from falcokit.cli.rule_sets import read_rules, refused
from falcokit.cli.screen import is_coloured
from falcokit.cli.walk_through import ask, ask_file, confirmed
from falcokit.cli.whitelisted import hooks_of, list_entries, remove, verify
from falcokit.source import Origin, SourceFile
from falcokit.workspace.target import save, target_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from falcokit.whitelist import Identity
    from falcokit.whitelist.history import Blast
    from falcokit.whitelist.proof import Rules
    from falcokit.whitelist.propose import Proposal, Tests
    from falcokit.workspace.project import Project
    from falcokit.workspace.target import Target

__all__ = ["command"]


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
    event_id: Annotated[str, typer.Option(metavar="ID", help="Which event of the file: the one with this id.")] = "",
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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do all that --write does, but write nothing.")] = False,
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

    if (diff or dry_run) and not to:
        fail(f"{'--diff' if diff else '--dry-run'} goes with --write")
    if to and form not in (Form.override, Form.append):
        fail(f"--write goes with rules files: leave it out, and put what --form {form.value} prints in its place")
    named = bool(container) and not (image or digest or ps)
    if ps:
        container, image, digest = listed(ps, container, image, digest)
    more = {"process": process, "parent": parent, "file": file, "namespace": namespace, "user": user}
    more = {name: value for name, value in more.items() if value}
    own = _identities(container, image, digest)
    wanted = by.value if by is not None else "name" if named else ""
    project = project_of(settings, no_settings)

    def load(path: str) -> tuple[Target | None, RuleFiles, Below, Rules]:
        """The rules, with the file at *path* to write to."""
        target = or_fail(lambda: target_at(path)) if path else None
        base = below(defaults, config, no_defaults, project, planned=path)
        read = read_rules(rules or (), base, fields, target)
        loaded = Rules(read.files, read.catalogue, hooks=hooks_of(project))
        if loaded.errors:
            (write if format is Format.text else aside)(refused(loaded.errors, False, 80))
            raise typer.Exit(1)
        return target, read, base, loaded

    target, read, base, loaded = load(to)
    asked = asked_of(event, line, event_id, rule or [], own, loaded, macro, more)
    if interactive:
        asked, wanted, more = ask(asked, wanted, more)
        if not to and form in (Form.override, Form.append) and (to := ask_file()):
            target, read, base, loaded = load(to)
    wish = Wish(wanted, more, via.value if via is not None else "", macro, form.value)

    def proposed(target: Target | None, read: RuleFiles, base: Below, loaded: Rules) -> tuple[list[Proposal], str]:
        """The proposals, and the text of the file with all of them."""
        tests = _tests(test, read, base, rules or ()) if test else None
        found, text = [], target.before if target is not None else None
        for one in asked:
            proposal = propose(loaded, one, wish.replaced(path=read.target), text, tests)
            if history and proposal.proof is not None:
                proposal = proposal.replaced(blast=_blast(loaded, proposal, history))
            found.append(proposal)
            if target is not None and proposal.proof is not None:
                # The next one is for the rules as they are then.
                text = proposal.text
                loaded = loaded.grown(text, read.target)
        return found, text or ""

    proposals, text = proposed(target, read, base, loaded)
    changed = target is not None and text != (target.before or "")
    waits = dry_run or (interactive and changed)
    if target is not None and changed and not (diff or waits):
        _save(target, text, read, base)
    if format is Format.json:
        import json

        write(json.dumps(to_json(proposals), ensure_ascii=True, indent=2) + "\n")
    elif target is not None and diff:
        write(_difference(target, text) if changed else "")
        for proposal in proposals:
            if proposal.proof is None:
                say(f"{proposal.rule}: {proposal.cannot}")
    else:
        write(f"default rules: {base.said}\n\n")
        write(to_text(proposals, to=to, dry_run=waits, colour=is_coloured(Colour.auto)))
    if target is not None and changed and not diff:
        if interactive and not dry_run and confirmed(_difference(target, text)):
            _save(target, text, read, base)
            write(f"written to {to}; look at it with: falcokit lint {to}\n")
        _lint(read, text, project)
    raise typer.Exit(1 if any(proposal.cannot and not proposal.already for proposal in proposals) else 0)


def _identities(container: str, image: str, digest: str) -> tuple[Identity, ...]:
    """The ways to name the container that the options tell of."""
    from falcokit.event.identity import Container, split_image
    from falcokit.whitelist import identities
    from falcokit.whitelist.identity import is_digest

    told = split_image(image).replaced(told="fields")
    if any(letter in image for letter in "*?") or image != "".join(image.split()):
        fail(f"{image} is no image: name one whole repository, without blanks and wildcards")
    digest = digest or told.digest
    if digest and not is_digest(digest):
        fail(f"{digest} is no digest: it must be whole, sha256: and 64 digits from 0 to f")
    return identities(Container("", container, told.replaced(digest=digest), False))


def _save(target: Target, text: str, read: RuleFiles, base: Below) -> None:
    """Put *text* into its file, and say where the file must be loaded if nothing that was named loads it."""
    or_fail(lambda: save(target, text))
    if not read.listed and (base.setup is not None or (len(read.files) > 1 and read.files[-2].origin is Origin.CUSTOM)):
        say(f"{target.path} is none of the rules files that were named: it was proven as the last one, so load it last")


def _lint(read: RuleFiles, text: str, project: Project | None) -> None:
    """Say what the checks find in the file with its new *text* that they did not find before."""
    from falcokit.cli.linting import options_of
    from falcokit.lint import lint
    from falcokit.report.text import render

    options = options_of(project)
    before, after = [
        [one for one in lint(files, read.catalogue, options=options).findings if one.file.name == read.target]
        for files in (read.files, _with(read.files, SourceFile(read.target, text)))
    ]
    known = {(one.kind, one.message) for one in before}
    new = [one for one in after if (one.kind, one.message) not in known]
    if new:
        say(f"the checks find in {read.target} what they did not find before:")
        aside(render(new))


def _tests(paths: Sequence[str], read: RuleFiles, base: Below, own: Sequence[str]) -> Tests:
    """What runs the test files at *paths* without a text of rules and with it."""
    from falcokit.case.coverage import Coverage
    from falcokit.case.read import read_test_file
    from falcokit.case.run import run
    from falcokit.embedded import opened
    from falcokit.workspace.test_files import events_of, find_test_files, rules_of

    found = find_test_files(paths)
    for path, trouble in found.unreadable:
        fail(f"cannot read {path}: {trouble.reason}")
    if not found.files:
        fail(f"no test files found in {', '.join(paths)}")

    def broken(text: str, name: str) -> tuple[str, ...]:
        names: list[str] = []
        for file in found.files:
            test, findings = read_test_file(file)
            files, problems = rules_of(test, own, base.files) if test is not None else ((), ())
            if test is None or findings or problems:
                fail(f"the test file {file.name} cannot be run as it is written: falcokit test tells why")
            rules = opened(files)[0]
            failed = []
            for tried in (rules, _with(rules, SourceFile(name, text))):
                outcomes, _ = run(test, tried, events_of(test), read.catalogue, Coverage())
                failed.append([(number, one.case.name) for number, one in enumerate(outcomes) if one.findings])
            names += [name for number, name in failed[1] if (number, name) not in failed[0]]
        return tuple(names)

    return broken


def _with(files: Sequence[SourceFile], own: SourceFile) -> list[SourceFile]:
    """*files* with *own* in its place, or behind them."""
    from falcokit.workspace.sources import real_path

    real = real_path(own.name)
    there = [real_path(file.name) == real for file in files]
    return [own if same else file for file, same in zip(files, there, strict=True)] + ([] if any(there) else [own])


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
    identity = proposal.change.identity
    others = [one for one in proposal.identities if one.kind != identity.kind]
    return blast(loaded.matcher, proposal.proof.matcher, identity, events, proposal.rule, others)


def _difference(target: Target, after: str) -> str:
    """What would change."""
    import difflib

    old, new = (target.before or "").splitlines(keepends=True), after.splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, new, target.path, target.path))


command = group(whitelist, {"list": list_entries, "verify": verify, "remove": remove})
