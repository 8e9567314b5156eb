"""The options of ``falcokit forward add`` and ``edit``: made of the table that says what integrations can have."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any, Optional, get_type_hints

import typer

from falcokit.forward.options import OPTIONS, SECRETS

__all__ = ["dashed", "with_settings"]


def _general() -> dict[str, Any]:
    """The options of integrations of any kind."""
    texts = Optional[list[str]]
    return {
        "label": Annotated[texts, typer.Option(metavar="KEY=VALUE", help="A label for every event, such as agent.tag.location=europe; repeatable.")],
        "include": Annotated[texts, typer.Option(metavar="LABEL", help="A field or label that events get as a label too, such as proc.pname or container.label.*; repeatable.")],
        "exclude": Annotated[texts, typer.Option(metavar="LABEL", help="A label that no event gets; repeatable.")],
        "filter": Annotated[Optional[str], typer.Option(metavar="CONDITION", help="Only events that this condition of Falco holds for.")],
        "rate": Annotated[Optional[float], typer.Option(metavar="NUMBER", help="How many events a second at most.")],
        "dedup": Annotated[Optional[float], typer.Option(metavar="SECONDS", help="Events of one form once in this time: those of a rule whose outputs differ in nothing but containers, processes and the like.")],
    }  # fmt: skip


def _settings() -> dict[str, Any]:
    """All options, with types as the command line reads them: what is not given is None."""
    found = _general()
    for name, secret in SECRETS.items():
        told = f"{', '.join(secret.kinds)}: {secret.what} Where it is: env:NAME or file:PATH, never the secret itself."
        found[name] = Annotated[Optional[str], typer.Option(f"--{dashed(name)}", metavar="REFERENCE", help=told)]
    for name, option in OPTIONS.items():
        kinds = f"{', '.join(option.kinds)}: " if len(option.kinds) < 4 else ""
        default = (
            ""
            if option.default in ("", 0) or isinstance(option.default, bool)
            else f" Default: {option.default:g}."
            if isinstance(option.default, float)
            else f" Default: {option.default}."
        )
        kind, flags, metavar = type(option.default), [f"--{dashed(name)}"], name.rpartition("_")[2].upper()
        if kind is bool:
            flags, metavar = [f"--{dashed(name)}/--no-{dashed(name)}"], ""
            default = f" Default: {'on' if option.default else 'off'}."
        if option.choices:
            metavar = "|".join(option.choices) if len(option.choices) < 8 else "NAME"
        found[name] = Annotated[
            Optional[kind], typer.Option(*flags, metavar=metavar or None, help=f"{kinds}{option.what}{default}")
        ]
    return found  # fmt: skip


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    """*command*, whose last parameter takes any, with the settings of the table in the place of that."""
    hints = get_type_hints(command, include_extras=True)
    own = [one.replace(annotation=hints[one.name]) for one in inspect.signature(command).parameters.values()][:-1]
    settings = _settings()
    more = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind) for name, kind in settings.items()]  # fmt: skip
    # Typer reads the options of a command from its signature and its annotations.
    command.__signature__ = inspect.Signature([*own, *more])  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in (*own, *more)}
    return command  # fmt: skip


def dashed(name: str) -> str:
    """*name* of the file of integrations as the command line writes it."""
    return name.replace("_", "-")
