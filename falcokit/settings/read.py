"""Reading ``falcokit.toml`` and ``[tool.falcokit]``; ``schemas/falcokit.schema.json`` says the same for editors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from falcokit.diagnostic import KINDS, Severity
from falcokit.errors import ConfigError
from falcokit.record import Record
from falcokit.settings.choice import Choice, parse_names

__all__ = ["KEYS", "Settings", "is_release", "read_settings"]

_SEVERITIES: Final = {severity.word: severity for severity in Severity}
_VERSION: Final = re.compile(r"0\.\d{1,3}(\.\d{1,3})?")
KEYS: Final = ("select", "ignore", "pedantic", "per-file-ignores", "severity", "defaults", "target-falco", "hooks")


class Settings(Record):
    """What the settings file says.  ``defaults`` are paths as written, relative to the file's folder; ``hooks`` are shell
    patterns, empty for the usual ones; ``target`` is a version of Falco or empty."""

    __slots__ = ("choice", "defaults", "hooks", "target")

    def __init__(
        self,
        choice: Choice,
        defaults: tuple[str, ...] = (),
        hooks: tuple[str, ...] = (),
        target: str = "",
    ) -> None:
        self.choice: Final = choice
        self.defaults: Final = defaults
        self.hooks: Final = hooks
        self.target: Final = target


def is_release(text: str) -> bool:
    """Whether *text* is a version as Falco's releases have them."""
    return _VERSION.fullmatch(text) is not None


class _Reading:
    """One file being read, for saying where something is wrong."""

    def __init__(self, name: str, text: str, table: str) -> None:
        self.name = name
        self.text = text
        self.table = table

    def wrong(self, key: str, message: str) -> ConfigError:
        """The error at the line of *key*, or at the first line where it cannot be found."""
        lines = self.text.split("\n")
        first = key.rpartition(".")[2]
        pattern = re.compile(rf"\s*(?:\[.*\b)?[\"']?{re.escape(first)}[\"']?\s*[=\].]")
        inside = not self.table
        for number, line in enumerate(lines):
            if line.startswith("[") and self.table:
                inside = line.startswith(f"[{self.table}")
            if inside and (found := pattern.match(line)):
                column = line.index(first, found.start()) + 1
                return ConfigError(f"{self.name}:{number + 1}:{column}: {message}")
        return ConfigError(f"{self.name}:1:1: {message}")


def read_settings(name: str, text: str) -> Settings | None:
    """The settings in *text*, the file called *name*; None for a ``pyproject.toml`` that has none.

    Raises `falcokit.ConfigError` with file, line, column and what to write.
    """
    import tomllib

    try:
        table: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+), column (\d+)", str(error))
        place = f"{found[1]}:{found[2]}" if found else f"{text.count(chr(10)) + 1}:1"
        raise ConfigError(f"{name}:{place}: the file is not TOML: {str(error).partition(' (at')[0].lower()}") from None
    except RecursionError:
        raise ConfigError(f"{name}:1:1: the file is not TOML that anybody writes: it nests too deep") from None
    reading = _Reading(name, text, "")
    if name.rpartition("/")[2] == "pyproject.toml":
        tool = table.get("tool")
        if not isinstance(tool, dict) or "falcokit" not in tool:
            return None
        table = tool["falcokit"]
        reading.table = "tool.falcokit"
    if not isinstance(table, dict):
        raise reading.wrong("falcokit", "`tool.falcokit` must be a table")
    for key in table:
        if key not in KEYS:
            from falcokit.ruleset.suggest import nearest

            near = nearest(key, KEYS)
            hint = f"did you mean `{near[0]}`?" if near else f"keys: {', '.join(KEYS)}"
            raise reading.wrong(key, f"there is no setting `{key}`; {hint}")
    pedantic = table.get("pedantic", False)
    if not isinstance(pedantic, bool):
        raise reading.wrong("pedantic", "`pedantic` must be true or false")
    choice = Choice(
        _finding_names(reading, table, "select"),
        _finding_names(reading, table, "ignore"),
        pedantic,
        tuple(_table(reading, table, "per-file-ignores", lambda key, value: _names_of(reading, key, value)).items()),
        _severities(reading, table),
    )
    target = table.get("target-falco", "")
    if target != "" and (not isinstance(target, str) or not is_release(target)):
        raise reading.wrong("target-falco", '`target-falco` must be a version of Falco as a text, such as "0.37"')
    defaults, hooks = _texts(reading, table, "defaults"), _texts(reading, table, "hooks")
    return Settings(choice, defaults, hooks, target)


def _texts(reading: _Reading, table: dict[str, Any], key: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(entry, str) and entry for entry in value):
        raise reading.wrong(key, f"`{key}` must be an array of texts")
    return tuple(value)


def _finding_names(reading: _Reading, table: dict[str, Any], key: str) -> tuple[str, ...]:
    return _names_of(reading, key, _texts(reading, table, key))


def _names_of(reading: _Reading, key: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(entry, str) for entry in value):
        raise reading.wrong(key, f"`{key}` must be an array of names of findings")
    names, problem = parse_names(value)
    if problem:
        raise reading.wrong(key, problem)
    return names


def _table(reading: _Reading, table: dict[str, Any], key: str, read: Callable[[str, Any], Any]) -> dict[str, Any]:
    value = table.get(key, {})
    if not isinstance(value, dict):
        raise reading.wrong(key, f"`{key}` must be a table")
    return {name: read(name, entry) for name, entry in value.items()}


def _severities(reading: _Reading, table: dict[str, Any]) -> dict[str, Severity]:
    def read(key: str, value: Any) -> Severity:
        _, problem = parse_names([key])
        if problem:
            raise reading.wrong(key, problem)
        if not isinstance(value, str) or value not in _SEVERITIES:
            raise reading.wrong(key, f"the severity of `{key}` must be error, warning or info")
        kind = next((kind for kind in KINDS.values() if key in (kind.name, kind.code)), None)
        if kind is not None and kind.severity is Severity.ERROR and _SEVERITIES[value] is not Severity.ERROR:
            raise reading.wrong(key, f"Falco refuses rules with `{key}`: its severity stays error")
        return _SEVERITIES[value]

    return _table(reading, table, "severity", read)
