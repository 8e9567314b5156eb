"""``falcokit events grouping``: names for labels in order; and which grouping the options mean."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Final

import typer

from falcokit.cli.below import or_fail
from falcokit.cli.events_common import Files, Store, opened
from falcokit.cli.options import Format, fail, group, say, write

if TYPE_CHECKING:
    from falcokit.overview.grouping import Grouping

__all__ = ["GroupBy", "Named", "grouping", "grouping_of"]

GroupBy = Annotated[
    str, typer.Option("--group-by", metavar="LABELS", help="Labels with commas between them, such as host.hostName,container.name.")
]  # fmt: skip
Named = Annotated[
    str, typer.Option("--grouping", metavar="NAME", help="A grouping that falcokit events grouping list tells.")
]
_NAME: Final = "What the grouping is called."


def grouping_of(labels: str, name: str) -> Grouping:
    """The grouping that the options mean, hosts and containers without any; ends the run where there is none."""
    from falcokit.overview.grouping import DEFAULT, Grouping, labels_in, suggested, trouble

    if labels and name:
        fail("give either --group-by or --grouping")
    if labels:
        found = Grouping("", labels_in(labels))
        if problem := trouble(found):
            fail(f"--group-by: {problem}")
        return found
    if name in ("", DEFAULT):
        return next(one for one in suggested() if one.name == DEFAULT)
    return _found(name)


def _grouping(context: typer.Context) -> None:
    """Groupings: names for labels in order, by which events are browsed. Some are suggested; make your own from them.

    Example: falcokit events grouping add teams agent.tag.team,kubernetes.namespace.name
    """
    if context.invoked_subcommand is None:
        write(context.get_help() + "\n")
        raise typer.Exit(2)


def listing(
    files: Files = None,
    store: Store = None,
    format: Annotated[Format, typer.Option(help="How to print them.")] = Format.text,
) -> None:
    """List the groupings, your own and those suggested, and which labels none of the newest 50,000 events has.

    Exit codes: 0 listed, 2 wrong usage or an unreadable file.

    Example: falcokit events grouping list alerts.json
    """
    from falcokit.report.groupings import to_json, to_text
    from falcokit.workspace.groupings import all_groupings, default_path

    found = tuple(or_fail(lambda: all_groupings(default_path())).values())
    present = _present(files, store, [label for one in found for label in one.labels])
    if format is Format.json:
        import json

        write(json.dumps(to_json(found, present), indent=2) + "\n")
    else:
        write(to_text(found, present))


def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help=_NAME)],
    labels: Annotated[str, typer.Argument(metavar="LABELS", help="From the widest to the narrowest, with commas between them.")],
) -> None:  # fmt: skip
    """Make a grouping of your own.

    Exit codes: 0 made, 2 wrong usage, or there is one of that name.

    Example: falcokit events grouping add images container.image.repo,container.image.digest
    """
    from falcokit.overview.grouping import labels_in

    _add(name, labels_in(labels))


def rename(
    old: Annotated[str, typer.Argument(metavar="OLD", help=_NAME)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="What it shall be called.")],
) -> None:
    """Call a grouping of yours something else.

    Exit codes: 0 renamed, 2 wrong usage, or there is none of that name.

    Example: falcokit events grouping rename teams squads
    """
    found = _own(old, "renamed")
    if new != old:
        _check(found.replaced(name=new))
    own = [one.replaced(name=new) if one.name == old else one for one in _read()]
    _write(own)
    say(f"{old} is called {new}")


def duplicate(
    name: Annotated[str, typer.Argument(metavar="NAME", help=_NAME)],
    new: Annotated[str, typer.Argument(metavar="NEW", help="What the copy shall be called.")],
) -> None:
    """Copy a grouping, one of yours or a suggested one, under another name.

    Exit codes: 0 copied, 2 wrong usage, or there is none of that name.

    Example: falcokit events grouping duplicate kubernetes-deployments mine
    """
    _add(new, _found(name).labels)


def delete(
    name: Annotated[str, typer.Argument(metavar="NAME", help=_NAME)],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a grouping of yours; asks first.

    Exit codes: 0 deleted, 1 it was not wanted after all, 2 wrong usage, or there is none of that name.

    Example: falcokit events grouping delete teams
    """
    import sys

    from falcokit.report.text import plain

    found = _own(name, "deleted")
    if not yes:
        if sys.stdin is None or not sys.stdin.isatty():
            fail(f"{name} is not deleted: there is nobody to ask; say --yes")
        if not typer.confirm(plain(f"Delete {name} ({', '.join(found.labels)})?"), default=False, err=True):
            raise typer.Exit(1)
    _write([one for one in _read() if one.name != name])
    say(f"deleted: {name}")


def _add(name: str, labels: tuple[str, ...]) -> None:
    from falcokit.overview.grouping import Grouping

    made = Grouping(name, labels)
    _check(made)
    _write([*_read(), made])
    say(f"made: {name} ({', '.join(labels)})")


def _check(made: Grouping) -> None:
    """End the run where *made* cannot be a new grouping."""
    from falcokit.overview.grouping import trouble
    from falcokit.workspace.groupings import all_groupings, default_path

    if not made.name:
        fail("a grouping has a name")
    if problem := trouble(made):
        fail(problem)
    if made.name in or_fail(lambda: all_groupings(default_path())):
        fail(f"there is a grouping {made.name} already: take another name")


def _own(name: str, done: str) -> Grouping:
    """The grouping called *name*, which must be the user's."""
    from falcokit.overview.grouping import suggested

    found = _found(name)
    if name in [one.name for one in suggested()]:
        fail(f"{name} is a suggested grouping and cannot be {done}: duplicate it")
    return found


def _found(name: str) -> Grouping:
    from falcokit.workspace.groupings import all_groupings, default_path

    groupings = or_fail(lambda: all_groupings(default_path()))
    if name not in groupings:
        from difflib import get_close_matches

        near = get_close_matches(name, groupings, 1)
        fail(f"there is no grouping {name}: " + (f"did you mean {near[0]}?" if near else ", ".join(groupings)))
    return groupings[name]


def _read() -> tuple[Grouping, ...]:
    from falcokit.workspace.groupings import default_path, read_groupings

    return or_fail(lambda: read_groupings(default_path()))


def _write(groupings: list[Grouping]) -> None:
    from falcokit.workspace.groupings import default_path, write_groupings

    or_fail(partial(write_groupings, or_fail(default_path), tuple(groupings)))


def _present(files: list[str] | None, store: str | None, labels: list[str]) -> frozenset[str] | None:
    """Which labels events have; None where there are no events to look at."""
    import os

    from falcokit.history.paging import present
    from falcokit.history.store import default_path

    if not files and not store and not os.path.exists(or_fail(default_path)):
        return None
    with opened(files, store) as history:
        return present(history, labels)


grouping = group(
    _grouping, {"list": listing, "add": add, "rename": rename, "duplicate": duplicate, "delete": delete}
)  # fmt: skip
