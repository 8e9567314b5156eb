"""From the text of a field, argument included, to its use: Falco's rules on which argument a field takes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from falcokit.catalogue.field import Field, FieldError, FieldUse

__all__ = ["resolve_field"]

_NUMBER: Final = re.compile(r"[ \t\n\v\f\r]*[+-]?[0-9]+")
_INDEX: Final = re.compile(r"0|[1-9][0-9]*")
_NAME: Final = re.compile(r"[a-zA-Z]+[a-zA-Z0-9_]*(?:\.[a-zA-Z]+[a-zA-Z0-9_]*)*")
_COUNTED: Final = frozenset(
    ("proc.aname", "proc.apid", "proc.aexe", "proc.aexepath", "proc.acmdline", "proc.aargs", "proc.args", "fd.types")
)
_TEXTED: Final = frozenset(("proc.env", "proc.aenv"))
_PREFIXED: Final = ("evt.arg", "evt.rawarg", "evt.around", "evt.type.is", "evt.abspath.", "thread.cgroup")


def resolve_field(
    text: str,
    fields: Mapping[str, Field],
    parameters: Mapping[str, str],
    is_event: Mapping[str, object],
) -> FieldUse | FieldError:
    """The use that *text* is, all of it, among *fields* (those of one source, by name).

    *parameters* are the event parameters with their types, *is_event* knows the event types.
    """
    name, bracket, rest = text.partition("[")
    field = fields.get(name)
    if field is not None and not bracket and not field.argument:
        return FieldUse(field, None, field.type, field.is_list)
    if text.startswith(_PREFIXED):
        found = _prefixed(text, fields, parameters, is_event)
        if found is not None:
            return found
    if field is None:
        return _partly(name, text, fields)
    if field.plugin:
        return _plugin(field, rest if bracket else None, text)
    if not bracket:
        if field.argument == "required" and name != "evt.abspath":
            return _needs(field)
        return FieldUse(field, None, field.type, field.is_list)
    argument, closed, after = rest.partition("]")
    if not closed or after or not field.argument:
        return _unknown(text, f"`{name}` takes no argument" if not field.argument else "")
    if (name in _COUNTED and _NUMBER.fullmatch(argument)) or (name in _TEXTED and argument):
        return FieldUse(field, argument, field.type, field.is_list)
    return _unknown(text, f"the argument of `{name}` is a number" if name in _COUNTED else "")


def _unknown(text: str, help_text: str = "") -> FieldError:
    return FieldError("unknown-field", f"there is no field `{text}`", help_text)


def _needs(field: Field) -> FieldError:
    example = "0" if field.argument_kinds == ("index",) else "KEY"
    return FieldError(
        "field-argument", f"the field `{field.name}` needs an argument", f"write `{field.name}[{example}]`"
    )


def _partly(name: str, text: str, fields: Mapping[str, Field]) -> FieldError:
    """Falco looks for the longest field that the text begins with; a plugin's field may then lack its argument."""
    for end in range(min(len(name), 200), 0, -1):
        field = fields.get(name[:end])
        if field is not None:
            if field.plugin and field.argument == "required" and text[end : end + 1] != "[":
                return _needs(field)
            break
    return _unknown(text)


def _plugin(field: Field, rest: str | None, text: str) -> FieldUse | FieldError:
    name = field.name
    if rest is None:
        if field.argument == "required":
            return _needs(field)
        return FieldUse(field, None, field.type, field.is_list)
    # Plugins see the text up to its first blank only.
    argument, closed, after = rest.partition(" ")[0].partition("]")
    if not closed:
        help_text = "an argument cannot contain a blank"
        return FieldError("field-argument", f"the argument of `{name}` has no `]`", help_text)
    if not field.argument:
        return FieldError("field-argument", f"the field `{name}` takes no argument", f"write `{name}`")
    if "key" not in field.argument_kinds and not (_INDEX.fullmatch(argument) and int(argument[:25]) < 1 << 64):
        message = f"`{argument}` is no index for `{name}`"
        return FieldError("field-argument", message, "an index is a decimal number without leading zeros")
    if after or " " in rest:
        return _unknown(text)
    return FieldUse(field, argument, field.type, field.is_list)


def _prefixed(
    text: str, fields: Mapping[str, Field], parameters: Mapping[str, str], is_event: Mapping[str, object]
) -> FieldUse | FieldError | None:
    """The fields whose argument is part of the name; None for other fields that only begin alike."""
    if text.startswith("thread.cgroup") and not text.startswith("thread.cgroups"):
        field = fields.get("thread.cgroup")
        if field is None:
            return None
        if not text.startswith("thread.cgroup."):
            return _syntax(text, "write `thread.cgroup.cpuset` or another controller behind the dot")
        name = text[len("thread.cgroup.") :]
        return FieldUse(field, name, field.type, field.is_list) if _NAME.fullmatch(name) else _unknown(text)
    if text.startswith("evt.type.is"):
        field = fields.get("evt.type.is")
        if field is None:
            return None
        if not text.startswith("evt.type.is."):
            return _syntax(text, "write `evt.type.is.open` or another event type behind the dot")
        name = text[len("evt.type.is.") :]
        return FieldUse(field, name, field.type, field.is_list) if name in is_event else _unknown(text)
    if text.startswith("evt.around"):
        field = fields.get("evt.around")
        if field is None:
            return None
        number, closed, after = text[len("evt.around[") :].partition("]")
        if not text.startswith("evt.around[") or not closed or not _NUMBER.fullmatch(number):
            return _syntax(text, "write `evt.around[TIMESTAMP]`, in nanoseconds")
        return _unknown(text) if after else FieldUse(field, number, field.type, field.is_list)
    if text in ("evt.abspath.src", "evt.abspath.dst"):
        field = fields.get("evt.abspath")
        return None if field is None else FieldUse(field, text[-3:], field.type, field.is_list)
    raw = text.startswith("evt.rawarg")
    if text.startswith("evt.args") or not (raw or text.startswith("evt.arg")):
        return None
    field = fields.get("evt.rawarg" if raw else "evt.arg")
    if field is None:
        return None
    return _event_argument(text, field, text[len(field.name) :], parameters, raw=raw)


def _event_argument(
    text: str, field: Field, rest: str, parameters: Mapping[str, str], *, raw: bool
) -> FieldUse | FieldError:
    if rest.startswith("[") and not raw:
        number, closed, after = rest[1:].partition("]")
        if not closed or not _NUMBER.fullmatch(number):
            return FieldError("field-argument", f"`{number}` is no argument number", "write `evt.arg[0]` or a name")
        return _unknown(text) if after else FieldUse(field, number, field.type, field.is_list)
    if not rest.startswith("."):
        return _syntax(text, f"write `{field.name}.NAME` with the name of an event parameter, such as `path`")
    name = rest[1:]
    if name in parameters:
        return FieldUse(field, name, parameters[name] if raw else field.type, field.is_list)
    for end in range(min(len(name), 100) - 1, 0, -1):
        if name[:end] in parameters:
            return _unknown(text)
    return FieldError(
        "field-argument", f"no event has a parameter `{name.partition('[')[0]}`", _near(field, name, parameters)
    )


def _near(field: Field, name: str, parameters: Mapping[str, str]) -> str:
    import difflib

    near = difflib.get_close_matches(name[:100], parameters, 1, 0.7)
    return f"did you mean `{field.name}.{near[0]}`?" if near else ""


def _syntax(text: str, help_text: str) -> FieldError:
    return FieldError("field-argument", f"`{text}` is no complete field", help_text)
