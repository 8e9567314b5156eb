"""The entries of ``rules``, ``append_output``, ``plugins``: from values to what the ruleset can use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from falcokit.config.selection import Selection
from falcokit.config.value import Form, Place, Value, problem
from falcokit.errors import ConfigError
from falcokit.ruleset.additions import OutputAddition
from falcokit.ruleset.values import boolean

__all__ = ["EntryReader"]

_MAX_ENTRIES: Final = 10_000
_MAX_PARTS: Final = 100_000
_T = TypeVar("_T")


class EntryReader:
    """Reads the entries; goes on behind problems, so that all can be told, each as the text of a `ConfigError`."""

    def __init__(self, root: Value) -> None:
        self._root = root
        self._parts = 0
        self.problems: list[str] = []
        self.notes: list[str] = []

    def _sequence(self, key: str, read: Callable[[Value], _T]) -> tuple[_T, ...]:
        """What *read* makes of the elements of *key*, or of its text; Falco ignores anything else."""
        value = self._root.get(key)
        if value is None or value.form in (Form.NULL, Form.ABSENT):
            return ()
        if value.form is Form.TABLE:
            self.notes.append(f"{value.place}: Falco ignores `{key}`, which is a mapping; make it a sequence")
            return ()
        items = value.items if value.form is Form.SEQUENCE else [value]
        if len(items) > _MAX_ENTRIES:
            self.problems.append(f"{value.place}: `{key}` has more than {_MAX_ENTRIES} entries; remove some")
            return ()
        found = []
        for item in items:
            try:
                found.append(read(item))
            except ConfigError as error:
                self.problems.append(str(error))
        return tuple(found)

    def texts(self, key: str) -> tuple[tuple[str, Place], ...]:
        """The texts of *key*, one or a sequence, with their places."""
        return self._sequence(key, lambda item: (_text(item, f"an entry of `{key}`"), item.place))

    def selection(self) -> tuple[Selection, ...]:
        """The entries of ``rules``."""
        return self._sequence("rules", self._selection)

    def _selection(self, entry: Value) -> Selection:
        advice = "write `- enable: {rule: NAME}` or `- disable: {tag: TAG}`"
        if entry.form is not Form.TABLE:
            raise problem(entry.place, f"an entry of `rules` is {entry.form.value}", advice)
        enable, disable = entry.get("enable"), entry.get("disable")
        chosen = enable or disable
        if chosen is None:
            raise problem(entry.place, "an entry of `rules` has neither `enable` nor `disable`", advice)
        if enable is not None and disable is not None:
            where = disable.place
            self.notes.append(f"{where}: Falco ignores `disable` beside `enable`; make an entry of each")
        if chosen.form is not Form.TABLE:
            raise problem(chosen.place, f"a selection of rules is {chosen.form.value}", advice)
        rule, tag = (_text(v, f"`{k}`") if (v := chosen.get(k)) is not None else "" for k in ("rule", "tag"))
        if not rule and not tag:
            raise problem(entry.place, "an entry of `rules` names neither a rule nor a tag", advice)
        return Selection(enable is not None, rule, tag, str(entry.place))

    def additions(self) -> tuple[OutputAddition, ...]:
        """The entries of ``append_output``."""
        return self._sequence("append_output", self._addition)

    def _addition(self, entry: Value) -> OutputAddition:
        if entry.form is not Form.TABLE:
            advice = "write `- extra_output: TEXT`, with `match:` for some rules only"
            raise problem(entry.place, f"an entry of `append_output` is {entry.form.value}", advice)
        source, tags, rule = self._match(entry.get("match"))
        output = entry.get("extra_output")
        suggested = entry.get("suggested_output")
        return OutputAddition(
            source,
            tags,
            rule,
            _text(output, "`extra_output`") if output is not None else "",
            self._fields(entry.get("extra_fields")),
            _truth(suggested, "`suggested_output`") if suggested is not None else False,
        )

    def _match(self, match: Value | None) -> tuple[str, frozenset[str], str]:
        if match is None:
            return "", frozenset(), ""
        if match.form is Form.TEXT:
            advice = "write a mapping of `source`, `tags` and `rule`"
            raise problem(match.place, "`match` is a text", advice)
        source, rule = (_text(v, f"`{k}`") if (v := match.get(k)) is not None else "" for k in ("source", "rule"))
        tags = match.get("tags")
        if tags is None:
            return source, frozenset(), rule
        if tags.form is not Form.SEQUENCE:
            self.notes.append(f"{tags.place}: Falco ignores `tags`, which is {tags.form.value}; make it a sequence")
        self._count(tags)
        for tag in tags.items:
            if tag.form is not Form.TEXT:
                raise problem(tag.place, f"a tag is {tag.form.value}", "write a text")
        return source, frozenset([tag.text for tag in tags.items]), rule

    def _fields(self, fields: Value | None) -> tuple[tuple[str, str | None], ...]:
        if fields is None:
            return ()
        advice = "write the names of fields, or `NAME: FORMAT`, one an element"
        if fields.form is not Form.SEQUENCE:
            raise problem(fields.place, f"`extra_fields` is {fields.form.value}", advice)
        self._count(fields)
        found: dict[str, str | None] = {}
        for field in fields.items:
            if field.form is Form.TEXT:
                name, text = field.text, None
                twice = found.get(name) is not None
            elif field.form is Form.TABLE and len(field.table) == 1:
                ((name, inner),) = field.table.items()
                text = _text(inner, f"the format of `{name}`")
                twice = name in found
            else:
                raise problem(field.place, "an element of `extra_fields` is neither a name nor one pair", advice)
            if twice:
                raise problem(field.place, f"`{name}` is given twice in `extra_fields`", "give it another name")
            found[name] = text
        return tuple(found.items())

    def _count(self, value: Value) -> None:
        """Aliases make long sequences cheap to write, so there is a limit to how many elements are read in all."""
        self._parts += len(value.items)
        if self._parts > _MAX_PARTS:
            raise problem(value.place, f"`append_output` has more than {_MAX_PARTS} tags and fields", "remove some")

    def plugins(self) -> tuple[str, ...] | None:
        """The names of the plugins that Falco loads; None where the configuration says nothing of plugins."""
        configured = self._sequence("plugins", _plugin)
        if self._root.get("load_plugins") is None:
            return configured if self._root.get("plugins") is not None else None
        chosen = self.texts("load_plugins")
        for name, place in chosen:
            if name not in configured:
                advice = "give its name and library_path under `plugins`"
                self.problems.append(f"{place}: `load_plugins` names `{name}`, which `plugins` lacks; {advice}")
        return tuple([name for name, _ in chosen])


def _plugin(entry: Value) -> str:
    advice = "write a mapping of `name` and `library_path`"
    if entry.form is not Form.TABLE:
        raise problem(entry.place, f"an entry of `plugins` is {entry.form.value}", advice)
    found = {}
    for key in ("name", "library_path"):
        value = entry.get(key)
        if value is None:
            raise problem(entry.place, f"an entry of `plugins` has no `{key}`", advice)
        found[key] = _text(value, f"`{key}`")
    for key, forms in (("init_config", (Form.SEQUENCE,)), ("open_params", (Form.SEQUENCE, Form.TABLE))):
        value = entry.get(key)
        if value is not None and value.form in forms:
            raise problem(value.place, f"`{key}` is {value.form.value}", "write a text")
    return found["name"]


def _text(value: Value, what: str) -> str:
    text = value.as_text()
    if text is None:
        raise problem(value.place, f"{what} is {value.form.value}", "write a text")
    return text


def _truth(value: Value, what: str) -> bool:
    truth = boolean(value.text) if value.form is Form.TEXT else None
    if truth is None:
        raise problem(value.place, f"{what} is neither true nor false", "write `true` or `false`")
    return truth
