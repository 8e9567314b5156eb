"""Reading the ``exceptions`` of a rule item: shapes only, what they mean comes later."""

from __future__ import annotations

from typing import Final

from falcokit.diagnostic import Step
from falcokit.document import Mapping, Node, Scalar, Sequence
from falcokit.ruleset.items import Entry, ExceptionItem, Written
from falcokit.ruleset.values import Values, described

__all__ = ["read_exceptions"]

_MAX_NESTING: Final = 100


def read_exceptions(values: Values, *, appending: bool) -> tuple[ExceptionItem, ...]:
    """The exceptions of the item that *values* reads; with *appending* ``fields`` may be left out."""
    node = values.node.get("exceptions")
    if node is None or (isinstance(node, Scalar) and node.null):
        return ()
    outer = Step("exceptions", "", node.start)
    if not isinstance(node, Sequence):
        message = f"`exceptions` must be a sequence, not {described(node)}"
        values.problem("exception-shape", message, node, (outer,), "write each exception as `- name: ...` below it")
        return ()
    found: list[ExceptionItem] = []
    for element in node.items:
        unnamed = Step("exception", "", element.start)
        if not isinstance(element, Mapping):
            message = f"an exception must be a mapping, not {described(element)}"
            values.problem("exception-shape", message, element, (outer, unnamed), "give it `name`, `fields`, `values`")
            continue
        reading = Values(values.file, element, (*values.steps, outer, unnamed))
        meant = "write `name:` for `exception:`" if reading.has("exception") else "give it a `name:`"
        name = reading.text("name", noun="an exception", help=meant)
        values.problems += reading.problems
        if name is None:
            continue
        for earlier in found:
            if earlier.name.text == name.text:
                step = Step("exception", name.text, element.start)
                message = f"the exception name `{name.text}` is used twice in this item"
                warning = values.diagnostic(
                    "exception-name-twice", message, name.node, (step,), "both take effect: rename one", "", name.text
                )
                values.warnings.append(warning)
        found.append(_read(values, element, name, appending))
    return tuple(found)


def _read(values: Values, node: Mapping, name: Written, appending: bool) -> ExceptionItem:
    step = Step("exception", name.text, node.start)
    inside = Values(values.file, node, (*values.steps, step))
    fields = comps = None
    written = node.get("fields")
    if written is not None:
        fields = _entry(inside, written, "fields", ())
    elif not appending:
        help_text = "name the field or fields that `values` are compared with"
        inside.problem("missing-key", f"the exception `{name.text}` needs `fields`", node, help=help_text)
    written = node.get("comps")
    if written is not None:
        comps = _entry(inside, written, "comps", ())
    entries: tuple[Entry, ...] = ()
    written = node.get("values")
    if written is not None:
        outer = Step("exception values", "", written.start)
        if isinstance(written, Sequence):
            entries = tuple(
                _entry(inside, element, "", (outer, Step("exception value", "", element.start)))
                for element in written.items
            )
        else:
            message = f"`values` of an exception must be a sequence, not {described(written)}"
            node_of = node.key("values") if isinstance(written, Scalar) and written.null else written
            inside.problem("exception-shape", message, node_of, (outer,), "write `values: [...]`, with `[]` for none")
    elif appending:
        message = f"the appended exception `{name.text}` has no `values` and so no effect"
        singular = node.key("value")
        help_text = "the key is `values`, not `value`" if singular is not None else "add `values: [...]`"
        warning = inside.diagnostic("append-no-values", message, singular or name.node, (), help_text, "", name.text)
        values.warnings.append(warning)
    values.problems += inside.problems
    return ExceptionItem(name, node, fields, comps, entries, written is not None)


def _entry(inside: Values, node: Node, key: str, steps: tuple[Step, ...]) -> Entry:
    """A scalar or a sequence of entries; an empty text anywhere is a problem, null and mappings are nothing."""
    here = (*steps, Step("value for", key, node.start))
    if isinstance(node, Scalar):
        if node.null:
            return None
        if not node.value:
            inside.problem("empty-value", "a part of an exception must not be empty text", node, here)
            return None
        return Written(inside.file, node)
    if isinstance(node, Mapping) or len(steps) > _MAX_NESTING:
        return None
    known = inside.entries.get(id(node))
    if known is not None:
        # Reached before by an alias: read once, or a few aliases of aliases would be read for ever.
        return known
    inside.entries[id(node)] = ()
    found = inside.entries[id(node)] = tuple(
        _entry(inside, e, "", (*here, Step("exception", "", e.start))) for e in node.items
    )
    return found
