"""``falcokit defaults``: the default rules that there are, and those that a registry has."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Optional

import typer

from falcokit.cli.options import Format, fail, group, say, write

if TYPE_CHECKING:
    from falcokit.cli.below import Below
    from falcokit.workspace.project import Project
    from falcokit.workspace.pulled import Pulled

__all__ = ["command"]

_PUBLIC: Final = "falco-rules"
_NAME: Final = "Default rules: `bundled`, `installed`, pulled ones as falco-rules:5.1.0, or a path."
_LOCK: Final = "The lock file; by default falcokit.lock beside the settings, else here."


def _defaults(context: typer.Context) -> None:
    """Default rules: those bundled, those of an installation, and published ones from a registry.

    Example: falcokit defaults pull falco-rules:5.1.0 && falcokit lint rules.d --defaults falco-rules:5.1.0
    """
    if context.invoked_subcommand is None:
        write(context.get_help() + "\n")
        raise typer.Exit(2)


def listing(
    format: Annotated[Format, typer.Option(help="How to print them.")] = Format.text,
) -> None:
    """List the default rules that are on this machine, and which of them are used here.

    Exit codes: 0 listed, 2 wrong usage.

    Example: falcokit defaults list
    """
    from falcokit.cli.below import INSTALLED, lock_path, or_fail, project_of
    from falcokit.report.text import plain
    from falcokit.workspace.lock import read_lock
    from falcokit.workspace.pulled import all_pulled

    project = project_of(None, False)
    pins = or_fail(lambda: read_lock(lock_path(project))).pins
    rows = [_row("bundled", _bundled(), "", False)]
    if installed := _installed():
        rows.append(_row(INSTALLED, [path for path, default in installed.files or () if default], "", False))
    for one in or_fail(all_pulled):
        pinned = one.reference in pins and pins[one.reference].digest == one.digest
        paths = [os.path.join(one.folder, name) for name in sorted(one.files)]
        rows.append(_row(_short(one.reference), paths, one.digest, pinned))
    used = _used(project)
    if format is Format.json:
        import json

        write(json.dumps({"defaults": rows, "used": used}, indent=2) + "\n")
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        count = len(row["files"])
        whole = row["files"] or ":" not in row["name"]
        said = f"{count} file{'s' * (count != 1)}" if whole else "was changed since: pull it again"
        parts = [said, row["digest"][:19], "pinned" * row["pinned"]]
        write(plain(f"{row['name']:<{width}}  {'  '.join(part for part in parts if part)}") + "\n")
    write(f"used here: {plain(used)}\n")


def _used(project: Project | None) -> str:
    """Which default rules apply here, also where they are not there yet."""
    from falcokit.cli.below import below, lock_path
    from falcokit.errors import ConfigError
    from falcokit.workspace.default_rules import locate

    for text in project.settings.defaults if project is not None else ():
        try:
            locate(text, project.folder if project is not None else "", lock_path(project))
        except ConfigError:
            return f"{text}, which is to be pulled first: falcokit defaults pull"
    return below(None, None, False, project).said


def show(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help=_NAME)] = "bundled",
    format: Annotated[Format, typer.Option(help="How to print it.")] = Format.text,
) -> None:
    """Show what is in default rules: where from, files, what they require, and every rule.

    Exit codes: 0 shown, 2 wrong usage or an unreadable file.

    Example: falcokit defaults show falco-rules:5.1.0
    """
    from falcokit.cli.below import default_files
    from falcokit.cli.inputs import catalogue_with
    from falcokit.embedded import opened
    from falcokit.report.defaults import to_json, to_text
    from falcokit.ruleset.loader import load_all
    from falcokit.ruleset.ruleset import Ruleset

    files, pulled = default_files(name), _pulled(name)
    ruleset = Ruleset(load_all(opened(files)[0], catalogue_with(None, None)))
    about = (
        {} if pulled is None else {"reference": pulled.reference, "digest": pulled.digest, "version": pulled.version}
    )
    if format is Format.json:
        import json

        write(json.dumps(to_json(name, about, ruleset), indent=2) + "\n")
    else:
        write(to_text(name, about, ruleset))


def where(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help=_NAME)] = "bundled",
) -> None:
    """Print the paths of the files of default rules, in load order.

    Exit codes: 0 printed, 2 there is nothing of that name.

    Example: falcokit defaults where falco-rules:5.1.0 | xargs grep -n "rule: Terminal shell"
    """
    from falcokit.cli.below import default_files

    for file in default_files(name):
        write(os.path.abspath(file.name) + "\n")


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help=_NAME)],
    new: Annotated[str, typer.Argument(metavar="[NEW]", help="Those to compare with.")] = "bundled",
    format: Annotated[Format, typer.Option(help="How to print it.")] = Format.text,
) -> None:
    """Tell what one set of default rules says that another does not: by meaning, not by text.

    For what that does to custom rules see falcokit upgrade.

    Exit codes: 0 no difference, 1 differences, 2 wrong usage or an unreadable file.

    Example: falcokit defaults diff falco-rules:4.0.0 falco-rules:5.1.0
    """
    from falcokit.cli.below import default_files
    from falcokit.cli.inputs import catalogue_with
    from falcokit.report.upgrade import to_json, to_text
    from falcokit.upgrade import upgrade

    found = upgrade(default_files(old), default_files(new), (), catalogue_with(None, None))
    if format is Format.json:
        import json

        write(json.dumps(to_json(found, (old, new)), ensure_ascii=True, indent=2) + "\n")
    else:
        write(to_text(found, (old, new), verbose=True))
    raise typer.Exit(1 if found.changes else 0)


def pull(
    references: Annotated[
        Optional[list[str]],
        typer.Argument(metavar="[REFERENCE]...", help="Such as falco-rules:5.1.0, k8saudit-rules, registry.example/rules/mine:1.0."),
    ] = None,
    lock: Annotated[Optional[str], typer.Option(metavar="FILE", help=_LOCK)] = None,
    update: Annotated[bool, typer.Option("--update", help="Ask for what a tag stands for now, and pin that.")] = False,
    plain_http: Annotated[bool, typer.Option("--plain-http", help="The registry speaks no TLS.")] = False,
) -> None:  # fmt: skip
    """Get published rules from an OCI registry, once: what was pulled is used without a network.

    The digest is pinned in falcokit.lock: everyone who has that file gets the same bytes or an error. Without REFERENCE
    everything in it and in the settings is pulled; where there is nothing, falco-rules:latest. Short names are those of the public rules of
    Falco. Credentials are those of docker login; HTTPS_PROXY and REQUESTS_CA_BUNDLE are heeded.

    Exit codes: 0 everything is there, 2 wrong usage, no network, or not what the lock file says.

    Example: falcokit defaults pull falco-rules:5.1.0 falco-incubating-rules:6.0.1
    """
    from falcokit.cli.below import lock_path, or_fail, project_of
    from falcokit.report.text import plain
    from falcokit.workspace.lock import read_lock, write_pins
    from falcokit.workspace.oci import read_reference
    from falcokit.workspace.pulled import pull

    project = project_of(None, False)
    path = lock or lock_path(project)
    locked = or_fail(lambda: read_lock(path))
    asked = references or [*dict.fromkeys([*locked.pins, *_named_by(project)])] or [_PUBLIC]
    wanted = []
    for text in asked:
        reference = read_reference(text)
        if reference is None:
            fail(f"`{text}` is no reference: write falco-rules:5.1.0, or registry.example/rules/mine:1.0")
        wanted.append(reference)
    for reference in wanted:
        found, fetched = or_fail(partial(pull, reference, locked, plain_http=plain_http, update=update))
        locked = or_fail(partial(write_pins, locked, {found.reference: found.pin}))
        version = (
            f" (version {found.version})" if found.version and not found.reference.endswith(f":{found.version}") else ""
        )
        count = f"{len(found.files)} file{'s' * (len(found.files) != 1)}"
        write(
            plain(
                f"{'pulled' if fetched else 'there'}: {_short(found.reference)}{version} {found.digest[:19]}, {count}"
            )
            + "\n"
        )
    say(f"pinned in {path}")


def _named_by(project: Project | None) -> list[str]:
    """The artifacts that the settings name as default rules."""
    from falcokit.cli.below import INSTALLED
    from falcokit.workspace.default_rules import BUNDLED_NAME
    from falcokit.workspace.oci import read_reference
    from falcokit.workspace.sources import ENDINGS

    found = []
    for text in project.settings.defaults if project is not None else ():
        path = os.path.join(project.folder if project is not None else "", text)
        if text in (BUNDLED_NAME, INSTALLED) or text.endswith(ENDINGS) or os.path.lexists(path):
            continue
        if (reference := read_reference(text)) is not None:
            found.append(str(reference))
    return found


def _bundled() -> list[str]:
    from falcokit.workspace.gather import bundled

    return list(bundled())


def _installed() -> Below | None:
    """What the configuration of an installed Falco names."""
    from falcokit.cli.below import SYSTEM_CONFIG, below

    return below(None, SYSTEM_CONFIG, False, None) if os.path.exists(SYSTEM_CONFIG) else None


def _pulled(name: str) -> Pulled | None:
    """What was pulled of that name, if it is one of these."""
    from falcokit.cli.below import INSTALLED, lock_path, or_fail, project_of
    from falcokit.workspace.lock import read_lock
    from falcokit.workspace.oci import read_reference
    from falcokit.workspace.pulled import find_pulled

    reference = read_reference(name)
    if reference is None or os.path.lexists(name) or name in ("bundled", INSTALLED):
        return None
    lock = lock_path(project_of(None, False))
    return or_fail(lambda: find_pulled(reference, read_lock(lock), name))


def _row(name: str, paths: list[str], digest: str, pinned: bool) -> dict[str, Any]:
    return {"name": name, "files": [os.path.abspath(path) for path in paths], "digest": digest, "pinned": pinned}


def _short(reference: str) -> str:
    """*reference* as it can be written at least."""
    from falcokit.workspace.oci import read_reference

    name = reference.rpartition("/")[2]
    for short in (name, name.replace("@" if "@" in name else ":", "-rules@" if "@" in name else "-rules:", 1)):
        if str(read_reference(short)) == reference:
            return short
    return reference


command = group(_defaults, {"list": listing, "show": show, "where": where, "diff": diff, "pull": pull})
