"""Reading ``rule`` items: definition, ``append: true``, ``override`` and the bare ``enabled``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from falcokit.diagnostic import Diagnostic, Step
from falcokit.document import Mapping, Scalar
from falcokit.ruleset.items import ExceptionItem, IgnoredItem, RuleItem, RuleUpdate, Written
from falcokit.ruleset.values import Values, described, plain_name, short
from falcokit.source import SourceFile

__all__ = ["APPENDABLE", "PRIORITIES", "REPLACEABLE", "RULE_KEYS", "TALON", "override_of", "read_rule"]

RULE_KEYS: Final = frozenset((
    "rule", "condition", "output", "desc", "priority", "source", "enabled", "capture", "capture_duration",
    "warn_evttypes", "skip-if-unknown-filter", "tags", "exceptions", "override", "append",
))  # fmt: skip
APPENDABLE: Final = ("condition", "exceptions", "output", "desc", "tags")
REPLACEABLE: Final = (
    *APPENDABLE, "priority", "capture", "capture_duration", "enabled", "warn_evttypes", "skip-if-unknown-filter",
)  # fmt: skip
PRIORITIES: Final = (
    "Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug",
)  # fmt: skip
TALON: Final = "this looks like a Falco Talon file, not a file of Falco rules"
_NEITHER: Final = (
    "to change an existing rule, name the keys you change under `override:`, such as `override: {exceptions: append}`; "
    "a new rule needs condition, output, desc and priority"
)
_PRIORITY: Final = {word.lower(): number for number, word in enumerate(PRIORITIES)} | {"info": 6}

UnknownKeys = Callable[[Values, frozenset[str]], tuple[Diagnostic, ...]]


def read_rule(file: SourceFile, node: Mapping, unknown_keys: UnknownKeys) -> RuleItem | IgnoredItem:
    """One rule item as written."""
    name = plain_name(file, node, "rule")
    if name is None:
        nameless = Values(file, node, (Step("rule", "", node.start),))
        nameless.text("rule", noun="the item")
        return IgnoredItem(file, tuple(nameless.problems), ())
    step = Step("rule", name.text, node.start)
    values = Values(file, node, (step,))
    source = _lenient_source(values)
    append = values.boolean("append")
    if append:
        message = "`append: true` is deprecated"
        help_text = "write `override:` with `condition: append` or `exceptions: append` (Falco 0.37 and later)"
        values.warn("deprecated-append", message, node.key("append"), help_text, "append")
    appends, replaces = override_of(values, APPENDABLE, REPLACEABLE, append=bool(append))
    late: tuple[Diagnostic, ...] = ()
    updates: tuple[RuleUpdate, ...]
    if appends or replaces:
        updates, late = _overriding(file, node, step, appends, replaces)
    elif append:
        updates = (_appending(file, node, step),)
    elif not any(values.has(key) for key in ("condition", "output", "desc", "priority")):
        updates = (_enabling(file, node, step),)
    else:
        updates = (_defining(file, node, step),)
    unknown = unknown_keys(values, RULE_KEYS)
    return RuleItem(
        file, node, name, step, source, updates, tuple(values.problems), tuple(values.warnings), late, unknown
    )


def _lenient_source(values: Values) -> Written | None:
    """The source as it is read before everything else: null and empty pass, other kinds of node do not."""
    value = values.node.get("source")
    if value is None:
        return None
    if not isinstance(value, Scalar):
        step = Step("value for", "source", value.start)
        values.problem("wrong-shape", f"`source` must be a text, not {described(value)}", value, (step,))
        return None
    return None if value.null or not value.value else Written(values.file, value)


def _exceptions(values: Values, *, appending: bool) -> tuple[ExceptionItem, ...]:
    """The item's exceptions; most rules have none, and then nothing is imported for them."""
    if not values.has("exceptions"):
        return ()
    from falcokit.ruleset.exception_reader import read_exceptions

    return read_exceptions(values, appending=appending)


def override_of(
    values: Values, appendable: tuple[str, ...], replaceable: tuple[str, ...], *, append: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keys an item appends and replaces; see `falcokit.ruleset.override`, imported when there is one."""
    if not values.has("override"):
        return (), ()
    from falcokit.ruleset.override import read_override

    return read_override(values, appendable, replaceable, append=append)


def _finished(values: Values, operation: str, **given: Any) -> RuleUpdate:
    return RuleUpdate(operation, tuple(values.problems), tuple(values.warnings), **given)


def _defining(file: SourceFile, node: Mapping, step: Step) -> RuleUpdate:
    values = Values(file, node, (step,))
    given: dict[str, Any] = {}
    for key in ("condition", "output", "desc"):
        given[key] = values.text(key)
    priority = values.text("priority")
    given["priority"] = _priority(values, priority)
    values.text("source", required=False)
    _settings(values, given, ("enabled", "capture", "capture_duration", "warn_evttypes", "skip-if-unknown-filter"))
    if values.has("tags"):
        given["tags"] = values.texts("tags", required=False)
    given["exceptions"] = _exceptions(values, appending=False)
    return _finished(values, "define", **given)


def _appending(file: SourceFile, node: Mapping, step: Step) -> RuleUpdate:
    values = Values(file, node, (step,))
    given: dict[str, Any] = {}
    if values.has("condition"):
        given["condition"] = values.text("condition")
    if values.has("exceptions"):
        given["exceptions"] = _exceptions(values, appending=True)
    if not given:
        help_text = "give the `condition` or `exceptions` to append, or use `override` for other keys"
        values.problem("empty-append", "an appended rule needs `condition` or `exceptions`", help=help_text)
    return _finished(values, "append", **given)


def _enabling(file: SourceFile, node: Mapping, step: Step) -> RuleUpdate:
    values = Values(file, node, (step,))
    if not values.has("enabled"):
        message = "a rule item without condition, output, desc and priority needs the key `enabled`"
        help_text = TALON if {"match", "actions"} <= node.names() else _NEITHER
        values.problem("missing-key", message, help=help_text, detail="enabled")
        return _finished(values, "enable")
    enabled = values.boolean("enabled")
    if enabled is not None:
        message = "changing only `enabled` without `override` is deprecated"
        help_text = "add `override:` with `enabled: replace` below it (Falco 0.37 and later)"
        values.warn("deprecated-enabled", message, node.key("enabled"), help_text, "enabled")
    return _finished(values, "enable", enabled=enabled)


def _overriding(
    file: SourceFile, node: Mapping, step: Step, appends: tuple[str, ...], replaces: tuple[str, ...]
) -> tuple[tuple[RuleUpdate, ...], tuple[Diagnostic, ...]]:
    """All appends as one update, then all replaces as another, then what the override forgot to name."""
    left = {key for key in REPLACEABLE if node.get(key) is not None}
    updates = []
    for operation, named, order in (("append", appends, APPENDABLE), ("replace", replaces, REPLACEABLE)):
        if not named:
            continue
        values = Values(file, node, (step,))
        given: dict[str, Any] = {}
        for key in order:
            if key not in named:
                continue
            if key not in left:
                message = f"`override` names `{key}` for {operation}, but the item has no `{key}`"
                missing = node.get("override")
                place = missing.key(key) if isinstance(missing, Mapping) else None
                from falcokit.ruleset.suggest import nearest

                near = nearest(key, [k.value for k in node.keys()])  # noqa: SIM118  # not a dict
                help_text = f"did you misspell `{near[0]}`?" if near else f"add `{key}:` to the item"
                values.problem("override-without-value", message, place, help=help_text)
                continue
            left.discard(key)
            _updated_key(values, key, operation, given)
        updates.append(_finished(values, operation, **given))
    rest = Values(file, node, (step,))
    for key in sorted(left):
        value = node.get(key)
        assert value is not None
        message = f"`override` does not say what to do with `{key}`"
        help_text = f"add `{key}: append` or `{key}: replace` below `override`, or remove the key"
        if key not in APPENDABLE:
            help_text = f"add `{key}: replace` below `override`, or remove the key"
        rest.problem("key-without-override", message, node.key(key), (Step("overrides", key, value.start),), help_text)
    return tuple(updates), tuple(rest.problems)


def _updated_key(values: Values, key: str, operation: str, given: dict[str, Any]) -> None:
    if key in ("condition", "output", "desc"):
        given[key] = values.text(key)
    elif key == "exceptions":
        given[key] = _exceptions(values, appending=operation == "append")
    elif key == "tags":
        given[key] = values.texts(key, required=False)
    elif key == "priority":
        given[key] = _priority(values, values.text(key))
    else:
        _settings(values, given, (key,))


def _settings(values: Values, given: dict[str, Any], keys: tuple[str, ...]) -> None:
    for key in keys:
        value = values.number(key) if key == "capture_duration" else values.boolean(key)
        if value is not None:
            given[key.replace("-", "_")] = value


def _priority(values: Values, written: Written | None) -> int | None:
    if written is None:
        return None
    number = _PRIORITY.get(written.text.lower()) if written.text.isascii() else None
    if number is None:
        from falcokit.ruleset.suggest import nearest

        near = nearest(written.text.lower(), _PRIORITY)
        wanted = "one of " + ", ".join(p.upper() for p in PRIORITIES)
        help_text = f"did you mean {near[0].upper()}?" if near else wanted
        if written.text.lower() == "warn":
            help_text = "did you mean WARNING?"
        step = Step("rule priority", "", written.node.start)
        values.problem("invalid-value", f"`{short(written.text)}` is no priority", written.node, (step,), help_text)
    return number
