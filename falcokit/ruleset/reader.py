"""From documents to items as written, with everything that the shape of a single item gets wrong."""

from __future__ import annotations

import re
from collections.abc import KeysView
from typing import Final

from falcokit.diagnostic import Diagnostic, FalcoPlace, Step
from falcokit.document import Document, Mapping, Node, Scalar, Sequence, key_text
from falcokit.ruleset.items import (
    EngineItem,
    IgnoredItem,
    Item,
    ListItem,
    MacroItem,
    PluginRequirement,
    PluginsItem,
    Written,
)
from falcokit.ruleset.rule_reader import RULE_KEYS, TALON, override_of, read_rule
from falcokit.ruleset.values import Values, described, plain_name, short, unsigned
from falcokit.source import SourceFile, Span

__all__ = ["read"]

_LIST_KEYS: Final = frozenset(("list", "items", "append", "override"))
_MACRO_KEYS: Final = frozenset(("macro", "condition", "append", "override"))
_KINDS: Final = ("required_engine_version", "required_plugin_versions", "list", "macro", "rule")
_LIST_NAME: Final = re.compile(r"[^()\"' \t\n\v\f\r=,]+")
_MACRO_NAME: Final = re.compile(r"[a-zA-Z]+[a-zA-Z0-9_]*")
_SEMVER: Final = re.compile(r"[ \t\n\v\f\r]*([+-]?\d+)\.[ \t\n\v\f\r]*([+-]?\d+)\.[ \t\n\v\f\r]*([+-]?\d+)")
_FOREIGN_KEYS: Final = {
    "exception": "exceptions are written under the rule they belong to, with `override: {exceptions: append}`",
    "rules": "rules are written as elements of one sequence, each beginning with `- rule:`",
    "action": TALON,
    "actions": TALON,
    "match": TALON,
}
_MEANT: Final = {
    "description": "desc", "prio": "priority", "severity": "priority", "level": "priority", "message": "output",
    "msg": "output", "cond": "condition", "conditions": "condition", "filter": "condition", "values": "items",
    "tag": "tags", "overrides": "override",
}  # fmt: skip
"""Keys of other tools, or of memory, for which no likeness of letters would find the right one."""


def read(document: Document) -> tuple[Item, ...]:
    """The items of one document, in order; elements that define nothing are `IgnoredItem` with what is wrong."""
    root, file = document.root, document.file
    if root is None:
        return ()
    if not isinstance(root, Sequence):
        return (IgnoredItem(file, (_not_rules(file, root),), ()),)
    nodes = [_unwrapped(node) for node in root.items] if file.wrapped else root.items
    return tuple(item for node in nodes if (item := _read(file, node)) is not None)


def _unwrapped(node: Node) -> Node:
    """``{rule: {name: N, ...}}`` as ``{rule: N, ...}``."""
    if not isinstance(node, Mapping) or len(node.pairs) != 1:
        return node
    key, inner = node.pairs[0]
    name = inner.get("name") if isinstance(inner, Mapping) else None
    if not isinstance(inner, Mapping) or name is None:
        return node
    rest = tuple([pair for pair in inner.pairs if pair[1] is not name])
    return Mapping(((key, name), *rest), node.start, node.end, inner.flow)


def _not_rules(file: SourceFile, root: Node) -> Diagnostic:
    help_text = "a rules file is a sequence: each item begins with `- rule:`, `- macro:` or `- list:`"
    if isinstance(root, Mapping):
        names = root.names()
        if {"rules_files", "rules_file", "engine"} & names:
            help_text = "this looks like Falco's own configuration: give it with `--config`"
        elif {"customRules", "apiVersion", "kind"} & names:
            help_text = "this looks like a Kubernetes or Helm file: the rules inside it must be taken out first"
        elif {"rule", "macro", "list"} & names:
            help_text = "put `- ` before the item's first key and indent the others below it"
    end = min(root.end, root.start + 80, (file.text.find("\n", root.start) + 1 or len(file.text) + 1) - 1)
    span = Span(file, root.start, max(end, root.start))
    message = f"a rules file must be a sequence of items, not {described(root)}"
    return Diagnostic("not-a-rules-file", message, span, help_text, (), FalcoPlace(file))


def _read(file: SourceFile, node: Node) -> Item | None:
    if isinstance(node, Scalar) and node.null:
        return None
    if not isinstance(node, Mapping):
        place = FalcoPlace(file, (Step("rules content item", "", node.start),))
        message = f"an element of a rules file must be a mapping, not {described(node)}"
        help_text = "items begin with `- rule:`, `- macro:` or `- list:`"
        span = Span(file, node.start, node.end)
        return IgnoredItem(file, (Diagnostic("not-an-item", message, span, help_text, (), place),), ())
    keys = node.names()
    for kind in _KINDS:
        if kind in keys:
            break
    else:
        return IgnoredItem(file, (), (_unknown_item(file, node, keys),))
    if kind == "rule":
        return read_rule(file, node, _unknown_keys)
    if kind == "macro":
        return _read_macro(file, node)
    if kind == "list":
        return _read_list(file, node)
    if kind == "required_engine_version":
        return _read_engine(file, node)
    return _read_plugins(file, node)


def _unknown_item(file: SourceFile, node: Mapping, keys: KeysView[str]) -> Diagnostic:
    place = FalcoPlace(file, (Step("rules content item", "", node.start),))
    help_text = next((_FOREIGN_KEYS[k] for k in sorted(keys) if k in _FOREIGN_KEYS), "")
    if not help_text:
        from falcokit.ruleset.suggest import nearest

        near = [(k, n) for k in sorted(keys) for n in nearest(k, _KINDS)]
        help_text = f"did you mean `{near[0][1]}` for `{near[0][0]}`?" if near else "name it `rule`, `macro` or `list`"
    names = ", ".join(f"`{k}`" for k in sorted(keys)[:4]) or "nothing"
    message = f"an item with {names} is neither rule, macro nor list: Falco ignores it"
    span = Values(file, node, ()).head()
    return Diagnostic("unknown-item", message, span, help_text, (), place)


def _unknown_keys(values: Values, known: frozenset[str]) -> tuple[Diagnostic, ...]:
    """A warning for each key that Falco ignores on this kind of item."""
    if values.node.names() <= known:
        return ()
    found = []
    for name in values.node.keys():  # noqa: SIM118  # not a dict
        key = key_text(name)
        if key in known:
            continue
        from falcokit.ruleset.suggest import nearest

        what = values.steps[0].item_type
        near = (_MEANT[key],) if _MEANT.get(key) in known else nearest(key, known)
        help_text = f"did you mean `{near[0]}`?" if near else _misplaced(key, what)
        message = f"a {what} has no key `{key}`: Falco ignores it"
        found.append(values.diagnostic("unknown-key", message, name, (), help_text, "", key))
    return tuple(found)


def _misplaced(key: str, what: str) -> str:
    if key in ("rule", "macro", "list"):
        return f"put `- {key}:` on a line of its own to begin another item"
    if key in _FOREIGN_KEYS:
        return _FOREIGN_KEYS[key]
    if key == "<<":
        return "Falco does not expand merge keys: write the keys out"
    if key in RULE_KEYS and what != "rule":
        return f"`{key}` belongs to rules"
    return "remove the key"


def _named(file: SourceFile, node: Mapping, kind: str) -> tuple[Written | None, Values]:
    """The name of an item and a reader whose places carry that name."""
    name = plain_name(file, node, kind)
    if name is None:
        nameless = Values(file, node, (Step(kind, "", node.start),))
        nameless.text(kind, noun="the item")
        return None, nameless
    return name, Values(file, node, (Step(kind, name.text, node.start),))


def _read_list(file: SourceFile, node: Mapping) -> Item:
    name, values = _named(file, node, "list")
    if name is None:
        return IgnoredItem(file, tuple(values.problems), ())
    if not _LIST_NAME.fullmatch(name.text):
        help_text = "names of lists have no blanks, quotes, commas, `=` or parentheses"
        values.warn("invalid-list-name", f"no condition can name the list `{name.text}`", name.node, help_text)
    items = values.texts("items", required=True)
    operation = _operation(values, "items")
    late = _unknown_keys(values, _LIST_KEYS)
    return ListItem(
        file, node, name, values.steps[0], operation, items or (), tuple(values.problems), tuple(values.warnings), late
    )


def _read_macro(file: SourceFile, node: Mapping) -> Item:
    name, values = _named(file, node, "macro")
    if name is None:
        return IgnoredItem(file, tuple(values.problems), ())
    if not _MACRO_NAME.fullmatch(name.text):
        help_text = "names of macros begin with a letter and go on with letters, digits and `_`"
        values.warn("invalid-macro-name", f"no condition can name the macro `{name.text}`", name.node, help_text)
    condition = values.text("condition")
    operation = _operation(values, "condition")
    late = _unknown_keys(values, _MACRO_KEYS)
    return MacroItem(
        file, node, name, values.steps[0], operation, condition, tuple(values.problems), tuple(values.warnings), late
    )


def _operation(values: Values, key: str) -> str:
    """Whether a list or macro item defines or appends."""
    append = values.boolean("append")
    if append:
        deprecated_append(values, key)
    appends, _ = override_of(values, (key,), (key,), append=bool(append))
    return "append" if append or appends else "define"


def deprecated_append(values: Values, key: str) -> None:
    """The warning for ``append: true``."""
    help_text = f"write `override:` with `{key}: append` below it (Falco 0.37 and later)"
    values.warn("deprecated-append", "`append: true` is deprecated", values.node.key("append"), help_text, "append")


def _read_engine(file: SourceFile, node: Mapping) -> Item:
    values = Values(file, node, (Step("required_engine_version", "", node.start),))
    written = values.text("required_engine_version")
    version = None
    if written is not None:
        number = unsigned(written.text)
        version = (0, number, 0) if number is not None else semver(written.text)
        if version is None:
            message = f"`{short(written.text)}` is not an engine version"
            values.problem(
                "invalid-value", message, written.node, (), "write it as x.y.z, such as 0.57.0, or as a number"
            )
    late = _unknown_keys(values, frozenset(("required_engine_version",)))
    return EngineItem(file, node, values.steps[0], version, tuple(values.problems), late)


def semver(text: str) -> tuple[int, int, int] | None:
    """The version that *text* begins with, read as C does: blanks and signs allowed, what follows ignored."""
    found = _SEMVER.match(text)
    if found is None or max(map(len, found.groups())) > 40:
        return None
    major, minor, patch = (int(n) % (1 << 32) for n in found.groups())
    return major, minor, patch


def _read_plugins(file: SourceFile, node: Mapping) -> Item:
    value = node.get("required_plugin_versions")
    assert value is not None
    step = Step("required plugin versions", "", value.start)
    values = Values(file, node, (step,))
    requirements = []
    if isinstance(value, Sequence):
        for entry in value.items:
            requirement = _read_requirement(values, entry)
            if requirement is not None:
                requirements.append(requirement)
    else:
        message = f"`required_plugin_versions` must be a sequence, not {described(value)}"
        values.problem(
            "wrong-shape", message, node.key("required_plugin_versions"), (), "write `- name:` and `version:`"
        )
    at_item = Values(file, node, (Step("required plugin versions", "", node.start),))
    late = _unknown_keys(at_item, frozenset(("required_plugin_versions",)))
    return PluginsItem(file, node, step, tuple(requirements), tuple(values.problems), late)


def _read_requirement(values: Values, node: Node) -> PluginRequirement | None:
    unnamed = Step("required plugin versions entry", "", node.start)
    if not isinstance(node, Mapping):
        message = f"a plugin requirement must be a mapping, not {described(node)}"
        values.problem("wrong-shape", message, node, (unnamed,), "give it `name` and `version`")
        return None
    found: list[tuple[str, Written]] = []
    named = _read_alternative(values, node, (), "required plugin versions entry", found)
    steps = (Step("required plugin versions entry", named or "", node.start),)
    alternatives = node.get("alternatives")
    if isinstance(alternatives, Sequence):
        for alternative in alternatives.items:
            if isinstance(alternative, Mapping):
                _read_alternative(values, alternative, steps, "required plugin versions alternative", found)
                continue
            inner = Step("required plugin versions alternative", "", alternative.start)
            message = f"a plugin alternative must be a mapping, not {described(alternative)}"
            values.problem("wrong-shape", message, alternative, (*steps, inner), "give it `name` and `version`")
    elif alternatives is not None:
        message = f"`alternatives` must be a sequence, not {described(alternatives)}"
        values.problem("wrong-shape", message, node.key("alternatives"), steps)
    seen: list[tuple[str, tuple[int, int, int], Written]] = []
    for name, written in found:
        version = semver(written.text)
        if version is None:
            message = f"`{short(written.text)}` is not a version for the plugin `{name}`"
            values.problem("plugin-version", message, written.node, steps, "write it as x.y.z")
        elif any(name == other for other, _, _ in seen):
            message = f"the plugin `{name}` is required twice in one entry"
            values.problem("plugin-version", message, written.node, steps, "keep one version of each plugin")
        else:
            seen.append((name, version, written))
    return PluginRequirement(tuple(seen))


def _read_alternative(
    values: Values, node: Mapping, steps: tuple[Step, ...], item_type: str, found: list[tuple[str, Written]]
) -> str | None:
    nameless = Values(values.file, node, (*values.steps, *steps, Step(item_type, "", node.start)))
    name = nameless.text("name", noun="a plugin requirement")
    values.problems += nameless.problems
    if name is None:
        return None
    named = Values(values.file, node, (*values.steps, *steps, Step(item_type, name.text, node.start)))
    version = named.text("version", noun=f"the requirement of plugin `{name.text}`")
    values.problems += named.problems
    if version is not None:
        found.append((name.text, version))
    return name.text
