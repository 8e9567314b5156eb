"""What an exception must satisfy when it is defined or newly appended: fields, comps and how they fit."""

from __future__ import annotations

from typing import Final

from falcokit.catalogue import Catalogue
from falcokit.diagnostic import Diagnostic, FalcoPlace, Step
from falcokit.ruleset.items import Entry, ExceptionItem, Written
from falcokit.source import SourceFile, Span

__all__ = ["LIST_OPERATORS", "check_exception"]

_PLAIN: Final = (
    "exists", "<=", "<", ">=", ">", "==", "=", "!=", "glob", "iglob", "contains", "icontains", "bcontains",
    "startswith", "bstartswith", "endswith", "regex", "intersects", "in", "pmatch",
)  # fmt: skip
_MODIFIED: Final = frozenset(
    f"{operator} {modifier}" for operator in _PLAIN[5:17] for modifier in ("oneof", "anyof", "allof")
)
LIST_OPERATORS: Final = frozenset(("intersects", "in", "pmatch")) | _MODIFIED
"""Operators, with their modifier, whose right side is a list."""
_OPERATORS: Final = frozenset(_PLAIN) | _MODIFIED


def check_exception(
    file: SourceFile, rule: Step, exception: ExceptionItem, source: str, catalogue: Catalogue
) -> tuple[list[Diagnostic], str | tuple[str, ...] | None]:
    """What is wrong with *exception*, in Falco's order, and its comps where they are left to their default."""
    name = exception.name.text
    place = FalcoPlace(file, (rule, Step("exception", name, exception.node.start)))
    found: list[Diagnostic] = []

    def wrong(message: str, key: str, help_text: str, entry: Entry = None, at: FalcoPlace = place) -> None:
        node = entry.node if isinstance(entry, Written) else exception.node.key(key) or exception.name.node
        span = Span(file, node.start, node.end)
        found.append(Diagnostic("exception-fields", message, span, help_text, (), at, "", name))

    fields, comps = exception.fields, exception.comps
    defaults: str | tuple[str, ...] | None = None
    if fields is None or fields == ():
        wrong(f"the exception `{name}` names no field", "fields", "write `fields: [proc.name, ...]`")
        return found, None
    if isinstance(fields, tuple):
        if comps is None or comps == ():
            defaults = ("=",) * len(fields)
        else:
            several = comps if isinstance(comps, tuple) else ()
            count = len(several)
            if count != len(fields):
                what = f"{count} comp{'' if count == 1 else 's'}" if several else "one comp that is no list"
                message = f"the exception `{name}` has {len(fields)} field{'' if len(fields) == 1 else 's'} but {what}"
                wrong(message, "comps", "give one comp for each field, in the same order")
            for comp in several:
                text = comp.text.strip(" \t\r\n") if isinstance(comp, Written) else ""
                if text not in _OPERATORS:
                    wrong(f"`{text}` is no operator", "comps", _nearest(text, _OPERATORS), comp)
    elif comps is None or comps == ():
        defaults = "in"
    elif isinstance(comps, tuple):
        message = f"the exception `{name}` has one field but a list of comps"
        wrong(message, "comps", "write `fields` as a list as well, or `comps` as one text")
    else:
        text = comps.text.strip(" \t\r\n")
        if text not in LIST_OPERATORS:
            message = f"with a single field `{text}` cannot compare a list of values"
            wrong(message, "comps", "use in, pmatch, intersects or a modifier such as `startswith oneof`", comps)
    if source in catalogue.sources:
        from falcokit.ruleset.check_compiler import usable_field

        for entry in fields if isinstance(fields, tuple) else (fields,):
            text = entry.text if isinstance(entry, Written) else ""
            problem = usable_field(text, source, catalogue)
            if problem is not None:
                # A malformed argument makes Falco fail in another way, which names only the file.
                at = FalcoPlace(file) if problem.kind == "field-argument" else place
                wrong(problem.message, "fields", problem.help, entry, at)
    return found, defaults


def _nearest(text: str, known: frozenset[str]) -> str:
    from falcokit.ruleset.suggest import nearest

    near = nearest(text, known)
    return f"did you mean `{near[0]}`?" if near else "use an operator of conditions, such as =, in, startswith"
