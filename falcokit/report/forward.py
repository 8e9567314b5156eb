"""Integrations for people and programs; of secrets it is told where they are only."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

from falcokit.forward.integration import Integration, to_data
from falcokit.forward.target import shown
from falcokit.report.text import plain

__all__ = ["one_line", "to_json", "to_text"]

_WIDTH = 80


def to_json(integrations: Sequence[Integration], path: str) -> dict[str, Any]:
    """The integrations of the file at *path*."""
    return {"path": path, "integrations": [{**to_data(one), "target": shown(one)} for one in integrations]}


def to_text(integrations: Sequence[Integration], path: str, width: int = _WIDTH) -> str:
    """The same for people: a line each, and what is set below it."""
    if not integrations:
        return f"no integrations in {plain(path)}: falcokit forward add makes one\n"
    lines = []
    for one in integrations:
        lines.append(f"{'on ' if one.enabled else 'off'}  {one_line(one)}")
        for said in _settings(one):
            rows = wrap(plain(said), max(width - 7, 30), break_on_hyphens=False) or [""]
            lines += [f"     {rows[0]}", *[f"       {row}" for row in rows[1:]]]
    return "".join([f"{line}\n" for line in lines])


def one_line(integration: Integration) -> str:
    """The name of *integration*, its kind and where it goes."""
    kind = integration.kind
    if transport := integration.text("transport"):
        kind += f" over {transport.upper()}"
    return plain(f"{integration.name}: {kind} to {shown(integration)}")


def _settings(integration: Integration) -> list[str]:
    found = [f"{name.replace('_', '-')} {_value(value)}" for name, value in sorted(integration.options.items()) if name not in ("transport", "burst")]  # fmt: skip
    found += [f"{name.replace('_', '-')} from {where}" for name, where in sorted(integration.secrets.items())]
    said = [", ".join(found)] if found else []
    if integration.labels:
        said.append("labels: " + ", ".join([f"{name}={value}" for name, value in integration.labels.items()]))
    for word, names in (("with", integration.include), ("without", integration.exclude)):
        if names:
            said.append(f"{word} labels: {', '.join(names)}")
    if integration.filter:
        said.append(f"only where: {integration.filter}")
    limits = [f"at most {integration.rate:g} a second"] * bool(integration.rate)
    times = "once" if (burst := integration.option("burst")) == 1 else f"{burst} times"
    limits += [f"each form {times} in {integration.dedup:g} s"] * bool(integration.dedup)
    return said + [", ".join(limits)] * bool(limits)


def _value(value: object) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value) or "none"
