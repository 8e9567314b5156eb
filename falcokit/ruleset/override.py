"""Reading ``override``: which keys an item appends and which it replaces."""

from __future__ import annotations

from falcokit.diagnostic import FalcoPlace, Step
from falcokit.document import Mapping, Scalar, Sequence, key_text
from falcokit.ruleset.suggest import nearest
from falcokit.ruleset.values import Values, described

__all__ = ["read_override"]

_OPERATIONS = ("append", "replace")
_WRITE = "write `append` or `replace`"


def read_override(
    values: Values, appendable: tuple[str, ...], replaceable: tuple[str, ...], *, append: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keys to append and the keys to replace; both empty means that the item is a plain definition.

    *append* tells whether the item also says ``append: true``, which an override excludes.
    """
    node = values.node.get("override")
    if node is None or isinstance(node, Scalar):
        if isinstance(node, Scalar) and not node.null:
            help_text = f"write `override:` with `{appendable[0]}: append` below it"
            values.warn("override-without-effect", "`override` is not a mapping: Falco ignores it", node, help_text)
        return (), ()
    if isinstance(node, Sequence):
        at_file = FalcoPlace(values.file)
        message = f"`override` must be a mapping of keys to append or replace, not {described(node)}"
        problem = values.diagnostic("override-shape", message, node, (), "remove the `- ` before the key", "", "")
        values.problems.append(problem.replaced(falco=at_file))
        # It changes a rule that is there, whichever way: what a definition needs must not be asked of it.
        return (), tuple([key for key in replaceable if values.has(key)])
    appends: list[str] = []
    replaces: list[str] = []
    for name, value in node.pairs:
        if not isinstance(name, Scalar):
            continue
        key = key_text(name)
        _read_operation(values, key, name, value, appendable, replaceable, appends, replaces)
    if append and (appends or replaces):
        help_text = "keep `override` and remove `append`"
        values.problem(
            "append-and-override", "`append: true` and `override` cannot stand together", values.node.key("append"),
            help=help_text,
        )  # fmt: skip
    return tuple(appends), tuple(replaces)


def _read_operation(
    values: Values,
    key: str,
    name: Scalar,
    value: Scalar | Sequence | Mapping,
    appendable: tuple[str, ...],
    replaceable: tuple[str, ...],
    appends: list[str],
    replaces: list[str],
) -> None:
    outer = Step("overrides", "", values.node.start)
    if not isinstance(value, Scalar):
        message = f"the operation for `{key}` must be append or replace, not {described(value)}"
        problem = values.diagnostic("override-shape", message, value, (), _WRITE, "", "")
        values.problems.append(problem.replaced(falco=FalcoPlace(values.file)))
        return
    operation = "null" if value.null else value.value
    refused = len(values.problems)
    near = nearest(key, replaceable)
    meant = f"did you mean `{near[0]}`?" if near and near[0] != key else ""
    if operation == "append":
        if key not in appendable:
            why = meant or ("use `replace`" if key in replaceable else _allowed("appended", appendable))
            step = Step("overrides", key, name.start)
            values.problem("invalid-override", f"`{key}` cannot be appended to", name, (outer, step), why)
        else:
            appends.append(key)
    elif operation == "replace":
        if key not in replaceable:
            step = Step("overrides", key, name.start)
            why = meant or _allowed("replaced", replaceable)
            values.problem("invalid-override", f"`{key}` cannot be replaced", name, (outer, step), why)
        else:
            replaces.append(key)
    else:
        step = Step("value for", key, value.start)
        message = f"`{operation}` is no operation for `{key}`"
        help_text = f"did you mean `{guess[0]}`?" if (guess := nearest(operation, _OPERATIONS)) else _WRITE
        values.problem("invalid-override", message, value, (outer, step), help_text)
    if (
        len(values.problems) > refused
        and (meant_key := near[0] if near else key) in replaceable
        and values.has(meant_key)
    ):
        # What is meant is clear enough to read on: Falco has stopped, and one mistake is told once.
        (appends if nearest(operation, _OPERATIONS) == ("append",) and meant_key in appendable else replaces).append(
            meant_key
        )


def _allowed(verb: str, keys: tuple[str, ...]) -> str:
    return f"these can be {verb}: {', '.join(keys)}"
