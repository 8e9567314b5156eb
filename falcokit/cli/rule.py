"""``falcokit rule``."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from falcokit.cli.below import below, or_fail, project_of
from falcokit.cli.options import fail, group, say, write
from falcokit.cli.rule_sets import Rules as RuleFiles
from falcokit.cli.rule_sets import read_rules, refused
from falcokit.workspace.target import save, target_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from falcokit.whitelist.proof import Rules

__all__ = ["command"]


class Form(StrEnum):
    """How a rule is switched."""

    override = "override"
    config = "config"


_Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="The rules, by their names.")]
_Form = Annotated[Form, typer.Option(help="An item of a rules file of yours, or the `rules:` selection of falco.yaml.")]
_To = Annotated[str, typer.Option("--write", metavar="FILE", help="Put it into this rules file of yours.")]
_History = Annotated[
    Optional[list[str]], typer.Option(metavar="FILE", help="Events there were: how many of them go; repeatable.")
]
_Rules = Annotated[
    Optional[list[str]],
    typer.Option("--rules", metavar="PATH", help="Custom rules files or folders, in load order; repeatable."),
]
_Defaults = Annotated[
    Optional[list[str]], typer.Option(metavar="PATH", help="Default rules below them, in load order; repeatable.")
]
_Config = Annotated[Optional[str], typer.Option(metavar="FILE", help="A falco.yaml: its rules_files are loaded first.")]


def _rule(context: typer.Context) -> None:
    """Switch rules off and on: the last resort, where no whitelist will do.

    Example: falcokit rule disable "Write below root" --history events.json
    """
    if context.invoked_subcommand is None:
        write(context.get_help() + "\n")
        raise typer.Exit(2)


def disable(
    names: _Names,
    form: _Form = Form.override,
    to: _To = "",
    history: _History = None,
    rules: _Rules = None,
    defaults: _Defaults = None,
    config: _Config = None,
) -> None:
    """Switch rules off, by an override that survives upgrades and hides nothing else of the rule.

    Exit codes: 0 it is said how, or written; 1 Falco would not load the rules; 2 wrong usage.

    Example: falcokit rule disable "Write below root" --write my_rules.yaml
    """
    _switch(names, False, form, to, history, rules, defaults, config)


def enable(
    names: _Names,
    form: _Form = Form.override,
    to: _To = "",
    rules: _Rules = None,
    defaults: _Defaults = None,
    config: _Config = None,
) -> None:
    """Switch rules on that are delivered switched off.

    Exit codes: as for disable.

    Example: falcokit rule enable "Netcat Remote Code Execution in Container" --write my_rules.yaml
    """
    _switch(names, True, form, to, None, rules, defaults, config)


def _switch(
    names: Sequence[str],
    on: bool,
    form: Form,
    to: str,
    history: Sequence[str] | None,
    paths: list[str] | None,
    defaults: list[str] | None,
    config: str | None,
) -> None:
    from falcokit.whitelist.proof import Rules

    if to and form is Form.config:
        fail("--write goes with --form override: the selection of falco.yaml is yours to put in")
    target = or_fail(lambda: target_at(to)) if to else None
    base = below(defaults, config, False, project_of(None, False), planned=to)
    read = read_rules(paths or (), base, None, target)
    loaded = Rules(read.files, read.catalogue)
    if loaded.errors:
        write(refused(loaded.errors, False, 80))
        raise typer.Exit(1)
    known = loaded.loaded.definitions.rules
    for name in names:
        if name not in known:
            from falcokit.ruleset.suggest import nearest

            near = nearest(name, known)
            fail(f"no rule '{name}' is loaded" + (f": did you mean '{near[0]}'?" if near else ""))
    if history:
        _tell_history(names, history)
    compilation = loaded.loaded.compilation
    assert compilation is not None
    names = list(dict.fromkeys(names))
    runs = {name: read.runs(rule) for name, rule in compilation.rules.items()}
    left = [name for name in names if runs.get(name, known[name].enabled) is not on]
    for name in names:
        if name not in left:
            say(f"'{name}' is {'on' if on else 'off'} already")
    if not left:
        raise typer.Exit(0)
    text = _config_text(left, on) if form is Form.config else _items(left, on)
    if target is None:
        if form is Form.override:
            _check(loaded, read, text, left, on)
        write(text)
        raise typer.Exit(0)
    before = target.before or ""
    if "\r\n" in before:
        text = text.replace("\n", "\r\n")
    gap = "" if not before or before.endswith("\n\n") else "\n" if before.endswith("\n") else "\n\n"
    gap = gap.replace("\n", "\r\n") if "\r\n" in before else gap
    after = before + gap + text
    _check(loaded, read, after, left, on)
    or_fail(lambda: save(target, after))
    write(f"{', '.join(left)}: {'on' if on else 'off'} in {to}\n")


def _items(names: Sequence[str], on: bool) -> str:
    from falcokit.whitelist.snippet import scalar

    word = "true" if on else "false"
    return "\n".join(
        [f"- rule: {scalar(name)}\n  enabled: {word}\n  override:\n    enabled: replace\n" for name in names]
    )


def _config_text(names: Sequence[str], on: bool) -> str:
    from falcokit.whitelist.snippet import scalar

    word = "enable" if on else "disable"
    return "rules:\n" + "".join([f"  - {word}:\n      rule: {scalar(name)}\n" for name in names])


def _check(loaded: Rules, read: RuleFiles, text: str, names: Sequence[str], on: bool) -> None:
    """End the run where the new text would not load, or not do it."""
    after: Any = loaded.with_text(text, read.target or "falcokit-rules.yaml")
    if errors := [finding for finding in after.diagnostics if finding.is_error]:
        write(refused(errors, False, 80))
        raise typer.Exit(1)
    for name in names:
        if after.definitions.rules[name].enabled is not on:
            fail(f"'{name}' would not be switched: a later file has the last word")
        rule = after.compilation.rules.get(name)
        if rule is not None and read.runs(rule) is not on:
            fail(
                f"'{name}' would not be switched: the `rules:` selection of the configuration has the last word (--form config)"
            )


def _tell_history(names: Sequence[str], paths: Sequence[str]) -> None:
    """Say how many events of the files at *paths* are those of the rules."""
    from collections import Counter

    from falcokit.event import Event
    from falcokit.workspace.event_files import events_in, unreadable

    total, found = 0, Counter[str]()
    for path in paths:
        if (trouble := unreadable(path)) is not None:
            fail(f"cannot read {path}: {trouble.reason}")
        for one in events_in(path):
            if isinstance(one, Event):
                total += 1
                found[one.rule] += 1
    for name in names:
        say(f"'{name}' is {found[name]} of {total} events")


command = group(_rule, {"disable": disable, "enable": enable})
