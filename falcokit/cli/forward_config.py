"""``falcokit forward add``, ``list``, ``edit``, ``enable``, ``disable`` and ``remove``: where events are forwarded to."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final, Optional

import typer

from falcokit.cli.below import or_fail
from falcokit.cli.forward_settings import dashed, with_settings
from falcokit.cli.options import Format, fail, say, write
from falcokit.forward.options import KINDS, OPTIONS, SECRETS

if TYPE_CHECKING:
    from falcokit.forward.integration import Integration

__all__ = ["Config", "add", "disable", "edit", "enable", "found", "listing", "path_of", "remove"]

Config = Annotated[
    Optional[str],
    typer.Option(
        "--config", metavar="FILE", help="The file of integrations; by default falcokit/integrations.json of XDG_CONFIG_HOME."
    ),
]  # fmt: skip
State = Annotated[
    Optional[str],
    typer.Option("--state", metavar="FOLDER", help="Where `forward run` keeps positions and spools; by default the user's own."),
]  # fmt: skip
_Name = Annotated[str, typer.Argument(metavar="NAME", help="The integration.")]
_Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="The integrations.")]
_PATHS: Final = ("ca", "client_cert", "client_key")
_KEY: Final = re.compile(r"`(?:options|secrets)\.([a-z_]+)`")
_PLACES: Final = {
    "`name`": "NAME", "`kind`": "KIND", "`target`": "TARGET", "`event_labels.include`": "--include", "`event_labels.exclude`": "--exclude",
    "`filter`": "--filter", "`rate`": "--rate", "`dedup`": "--dedup",
}  # fmt: skip
_UNSET: Final = ("labels", "include", "exclude", "filter", "rate", "dedup")


@with_settings
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it shall be called.")],
    kind: Annotated[str, typer.Argument(metavar="KIND", help="One of " + ", ".join(KINDS) + ".")],
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="syslog: HOST[:PORT]; file: a path, or - for standard output; else a URL.")
    ],
    config: Config = None,
    disabled: Annotated[bool, typer.Option("--disabled", help="Do not use it yet.")] = False,
    state: State = None,
    **settings: Any,
) -> None:  # fmt: skip
    """Add an integration: a place that events are forwarded to.

    Kinds: syslog (UDP, TCP, TLS), splunk (HTTP Event Collector), elastic (also OpenSearch), webhook, file (JSON, CEF, LEEF), otlp.
    Options that begin with the name of a kind are for that kind only. Secrets are given by where they are, in a variable or a file: the
    file of integrations has no secret in it, and only its owner can read it.

    Exit codes: 0 added, 2 wrong usage, or there is one of that name.

    Example: falcokit forward add siem syslog logs.example.com --transport tls --label agent.tag.location=europe
    """
    data = _data({"name": name, "kind": kind, "target": target, "enabled": not disabled}, settings)
    made = _made(data)
    from falcokit.deliver.kept import kept

    home = _state(state)

    def change(there: tuple[Integration, ...]) -> Sequence[Integration]:
        _is_free(there, name, "edit it, or take another name")
        if (left := kept(home, name)) is not None:
            fail(
                f"{left[0]} is left from another integration {name}, {_waiting(left[1])}: remove it, or take another name"
            )
        return [*there, made]

    _change(config, change)
    _tell("added", made)


def listing(
    config: Config = None,
    format: Annotated[Format, typer.Option(help="How to print them.")] = Format.text,
) -> None:
    """List the integrations, with what is set for each. Of secrets it is told where they are.

    Exit codes: 0 listed, 2 wrong usage or an unreadable file.

    Example: falcokit forward list
    """
    from falcokit.report.forward import to_json, to_text
    from falcokit.workspace.integrations import read_integrations

    path = path_of(config)
    if config is not None and not os.path.exists(path):
        fail(f"cannot read {config}: there is no such file")
    there = or_fail(lambda: read_integrations(path))
    if format is Format.json:
        import json

        write(json.dumps(to_json(there, path), indent=2) + "\n")
    else:
        write(to_text(there, path))


@with_settings
def edit(
    name: _Name,
    config: Config = None,
    target: Annotated[Optional[str], typer.Option(metavar="TARGET", help="Another address, URL or path.")] = None,
    rename: Annotated[Optional[str], typer.Option(metavar="NAME", help="Another name.")] = None,
    unset: Annotated[
        Optional[list[str]],
        typer.Option(metavar="KEY", help="Take an option, a secret, labels (one of them: labels.KEY), include, exclude, filter, rate or dedup back; repeatable."),
    ] = None,
    state: State = None,
    **settings: Any,
) -> None:  # fmt: skip
    """Change an integration: what is given replaces what was set, everything else stays. The kind cannot be changed.

    With --label labels are added; --include and --exclude replace the whole list. Under another name it goes on where it was: not while
    `falcokit forward run` has it.

    Exit codes: 0 changed, or it was so already, 2 wrong usage, or there is none of that name.

    Example: falcokit forward edit siem --facility local3 --unset filter
    """
    from falcokit.deliver.kept import movable, move
    from falcokit.forward.integration import to_data

    made: Integration | None = None
    home = _state(state)

    def change(there: tuple[Integration, ...]) -> Sequence[Integration]:
        nonlocal made
        before = found(there, name)
        if rename is not None and rename != name:
            _is_free([one for one in there if one is not before], rename, "take another name")
            movable(home, name, rename)
        data = _without(to_data(before), unset or ())
        data |= {key: value for key, value in (("name", rename), ("target", target)) if value is not None}
        made = _made(_data(data, settings))
        return [made if one is before else one for one in there]

    _change(config, change)
    assert made is not None
    if made.name != name:
        or_fail(lambda: move(home, name, made.name))
    _tell("changed", made)


def enable(names: _Names, config: Config = None) -> None:
    """Use integrations again.

    Exit codes: 0 they are on, 2 wrong usage, or there is none of that name.

    Example: falcokit forward enable siem
    """
    _switch(names, config, True)


def disable(names: _Names, config: Config = None) -> None:
    """Use integrations no more; what is set for them stays.

    Exit codes: 0 they are off, 2 wrong usage, or there is none of that name.

    Example: falcokit forward disable siem
    """
    _switch(names, config, False)


def remove(
    names: _Names,
    config: Config = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    state: State = None,
) -> None:
    """Remove integrations, with how far they came and the events that wait for them; asks first.

    Where nobody sits at a terminal it cannot ask, also not through a pipe: say --yes there.

    Exit codes: 0 removed, 1 it was not wanted after all, 2 wrong usage, or there is none of that name.

    Example: falcokit forward remove siem
    """
    import sys

    from falcokit.deliver.kept import forget, kept
    from falcokit.report.forward import one_line
    from falcokit.workspace.integrations import read_integrations

    there = or_fail(lambda: read_integrations(path_of(config)))
    home = _state(state)
    waits = dict[str, str]()
    for name in names:
        one = found(there, name)
        left = kept(home, name)
        waits[name] = f", {_waiting(left[1])}" if left is not None and left[1] else ""
        if yes:
            continue
        if sys.stdin is None or not sys.stdin.isatty():
            fail(f"{name} is not removed: there is nobody to ask; say --yes")
        if not typer.confirm(f"Remove {one_line(one)}{waits[name]}?", default=False, err=True):
            raise typer.Exit(1)
    _change(config, lambda there: [one for one in there if one.name not in names])
    for name in dict.fromkeys(names):
        stays = or_fail(lambda: forget(home, name))  # noqa: B023  # called at once
        say(f"removed: {name}" + (f"; {stays}" if stays else waits[name].replace("wait", "waited")))


def path_of(config: str | None) -> str:
    """The file of integrations."""
    from falcokit.workspace.integrations import default_path

    return os.path.abspath(config) if config else or_fail(default_path)


def _state(given: str | None) -> str:
    from falcokit.deliver.state import default_state

    return os.path.abspath(given) if given else or_fail(default_state)


def _waiting(size: int) -> str:
    return f"{size} bytes of events wait for it" if size else "no events wait for it"


def found(there: Sequence[Integration], name: str) -> Integration:
    """The integration called *name*; ends the run where there is none."""
    for one in there:
        if one.name == name:
            return one
    if not there:
        fail(f"there is no integration {name}: falcokit forward add makes one")
    from difflib import get_close_matches

    names = [one.name for one in there]
    near = get_close_matches(name, names, 1)
    return fail(f"there is no integration {name}: " + (f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"))  # fmt: skip


def _is_free(there: Sequence[Integration], name: str, instead: str) -> None:
    """Ends the run where an integration is called *name*, or so but for the case of its letters: not all file systems tell these apart."""
    for one in there:
        if one.name.casefold() == name.casefold():
            fail(f"there is an integration {one.name} already: {instead}")


def _switch(names: Sequence[str], config: str | None, on: bool) -> None:
    word, before = ("on" if on else "off"), dict[str, bool]()

    def change(there: tuple[Integration, ...]) -> Sequence[Integration]:
        before.update({name: found(there, name).enabled for name in names})
        return [one.replaced(enabled=on) if one.name in names else one for one in there]

    _change(config, change)
    for name, was in before.items():
        say(f"{name} is {word} already" if was is on else f"{name} is {word}")


def _change(config: str | None, change: Callable[[tuple[Integration, ...]], Sequence[Integration]]) -> None:
    from falcokit.workspace.integrations import changed

    path = path_of(config)
    or_fail(lambda: changed(path, change))


def _data(data: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """*data* with what the command line sets."""
    given = {key: value for key, value in settings.items() if value is not None}
    options = {name: _absolute(given[name]) if name in _PATHS else given[name] for name in OPTIONS if name in given}
    secrets = {name: _reference(given[name]) for name in SECRETS if name in given}
    for key, more in (("options", options), ("secrets", secrets), ("labels", _labels(given.get("label", ())))):
        data[key] = {**data.get(key, {}), **more}
    chosen = {key: given[key] for key in ("include", "exclude") if key in given}
    data["event_labels"] = {**data.get("event_labels", {}), **chosen}
    if data.get("kind") == "file":
        data["target"] = data["target"] if data["target"] in ("-", "") else _absolute(data["target"])
        if os.path.isdir(data["target"]):
            fail(f"{data['target']} is a folder: name a file in it")
    elif data.get("kind") == "webhook":
        data["target"] = _reference(data["target"])
    return data | {key: given[key] for key in ("filter", "rate", "dedup") if key in given}


def _labels(given: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    for key, mark, value in pairs:
        if not mark or not key or not value:
            fail(f"`{key}` is no label: write --label KEY=VALUE, such as --label agent.tag.location=europe")
    return {key: value for key, _, value in pairs}


def _without(data: dict[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """*data* without what *keys* name, as the command line calls them."""
    for given in keys:
        key = given.removeprefix("--").replace("-", "_")
        if given.startswith("labels.") and (label := given.removeprefix("labels.")) in data.get("labels", {}):
            del data["labels"][label]
        elif key in OPTIONS:
            data.get("options", {}).pop(key, None)
        elif key in SECRETS:
            data.get("secrets", {}).pop(key, None)
        elif key in ("include", "exclude"):
            data.get("event_labels", {}).pop(key, None)
        elif key in (*_UNSET, "label"):
            data.pop("labels" if key == "label" else key, None)
        else:
            from falcokit.ruleset.suggest import nearest

            known = [*map(dashed, (*OPTIONS, *SECRETS)), *_UNSET]
            near = nearest(dashed(key), known)
            fail(f"there is nothing called {key} to unset" + (f": did you mean {near[0]}?" if near else ""))
    return data


def _made(data: dict[str, Any]) -> Integration:
    """The integration that *data* describes; ends the run with what is wrong, as the command line calls it."""
    from falcokit.forward.integration import read_integration

    made, mistakes = read_integration(data)
    if made is not None:
        return made
    said = "; ".join(mistakes)
    if "not what it is" in said:
        said += "; if that was a secret, it is in the history of your shell now: replace it"
    for key, place in _PLACES.items():
        said = said.replace(key, place)
    return fail(_KEY.sub(lambda key: f"--{dashed(key[1])}", said))


def _reference(text: str) -> str:
    """*text* with an absolute path, where it is a reference to a file."""
    return "file:" + _absolute(text.removeprefix("file:")) if text.startswith("file:") and text != "file:" else text


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path)) if path else path


def _tell(done: str, made: Integration) -> None:
    from falcokit.deliver.here import lacking
    from falcokit.forward.notes import notes
    from falcokit.report.forward import one_line

    say(f"{done}: {one_line(made)}")
    for note in (*notes(made), *lacking(made)):
        say(f"note: {note}")
