"""Changes as text: items of a rules file for new and old releases of Falco, and what other tools take."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from falcokit.case.write import yaml_text
from falcokit.whitelist.place import Change

__all__ = ["FORMS", "snippet"]

FORMS: Final = ("override", "append", "helm", "crd", "terraform")
"""Rules files of Falco 0.37 and later, of older releases, values of the Helm chart, a Rulesfile resource, a Sysdig Terraform resource."""
_PLAIN: Final = re.compile(r"[A-Za-z0-9(][A-Za-z0-9 _./()<>=\-]*[A-Za-z0-9_./)\-]|[A-Za-z0-9]")
_ITEM: Final = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
_BARE: Final = re.compile(r"[A-Za-z0-9_./:@-]+")
_WORDS: Final = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"))


def snippet(changes: Sequence[Change], form: str = "override", note: str = "") -> str:
    """*changes* in one of `FORMS`; *note* is a comment on top, of one line or more."""
    items = "\n".join([_item(change, old=form == "append") for change in changes])
    comment = "".join([f"# {line}\n" for line in note.splitlines()])
    text = comment + items
    if form == "helm":
        return "customRules:\n  falcokit-whitelist.yaml: |-\n" + _indented(text, 4)
    if form == "crd":
        head = "apiVersion: artifact.falcosecurity.dev/v1alpha1\nkind: Rulesfile\nmetadata:\n  name: falcokit-whitelist\nspec:\n  inlineRules: |-\n"
        return head + _indented(text, 4)
    if form == "terraform":
        return _terraform(changes, comment)
    return text


def _indented(text: str, width: int) -> str:
    return "".join([" " * width + line + "\n" if line else "\n" for line in text.splitlines()])


def _item(change: Change, *, old: bool) -> str:
    """The item of a rules file."""
    name = scalar(change.name)
    if change.via == "exception":
        return _exception(change, old=old)
    if change.via == "copy":
        tags = [scalar(value) for key, value in change.copy if key == "tags"]
        plain = ("enabled", "warn_evttypes", "skip-if-unknown-filter", "capture", "capture_duration")
        keys = [f"  {key}: {value if key in plain else scalar(value)}" for key, value in change.copy if key != "tags"]
        return "\n".join([f"- rule: {name}", *keys, *([f"  tags: [{', '.join(tags)}]"] if tags else [])]) + "\n"
    if change.kind == "list":
        lines = [
            f"- list: {name}",
            f"  items: [{', '.join([list_item(item, change.identity.lists) for item in change.items])}]",
        ]
        key = "items"
    else:
        lines = [f"- {change.kind}: {name}", f"  condition: {scalar(change.condition)}"]
        key = "condition"
    lines += ["  append: true"] if old else ["  override:", f"    {key}: append"]
    return "\n".join(lines) + "\n"


def _exception(change: Change, *, old: bool) -> str:
    """An item that adds to the exceptions of a rule."""
    exception = change.condition
    lines = [f"- rule: {scalar(change.name)}", "  exceptions:", f"    - name: {scalar(exception)}"]
    fields, comps, values = zip(*change.exception, strict=True)
    lists = change.identity.lists
    if change.new:
        lines += [
            f"      fields: [{', '.join(map(scalar, fields))}]",
            f"      comps: [{', '.join(map(scalar, comps))}]",
        ]
    if change.flat:
        lines.append(f"      values: [{list_item(values[0], lists)}]")
    else:
        row = [
            f"[{list_item(value, lists)}]" if comp == "in" else list_item(value, lists)
            for comp, value in zip(comps, values, strict=True)
        ]
        lines.append(f"      values: [[{', '.join(row)}]]")
    lines += ["  append: true"] if old else ["  override:", "    exceptions: append"]
    return "\n".join(lines) + "\n"


def _terraform(changes: Sequence[Change], comment: str) -> str:
    """Resources of the Sysdig provider; rules there are changed by exceptions and appended conditions."""
    found = []
    for change in changes:
        label = re.sub(r"[^a-z0-9]+", "_", change.name.lower()).strip("_") or "whitelist"
        if change.kind == "list":
            items = ", ".join([_hcl(falco_word(item, change.identity.lists)) for item in change.items])
            body = f"  name   = {_hcl(change.name)}\n  items  = [{items}]\n  append = true\n"
            found.append(f'resource "sysdig_secure_list" "{label}" {{\n{body}}}\n')
        elif change.kind == "macro":
            body = f"  name      = {_hcl(change.name)}\n  condition = {_hcl(change.condition)}\n  append    = true\n"
            found.append(f'resource "sysdig_secure_macro" "{label}" {{\n{body}}}\n')
        elif change.via == "exception":
            fields, comps, values = zip(*change.exception, strict=True)
            lists = change.identity.lists
            row = [
                f"[{_hcl(falco_word(value, lists))}]" if comp == "in" else _hcl(falco_word(value, lists))
                for comp, value in zip(comps, values, strict=True)
            ]
            rows = f"jsonencode([{row[0]}])" if change.flat else f"jsonencode([[{', '.join(row)}]])"
            body = f"  name   = {_hcl(change.name)}\n  append = true\n  exceptions {{\n    name   = {_hcl(change.condition)}\n"
            body += f"    fields = [{', '.join(map(_hcl, fields))}]\n    comps  = [{', '.join(map(_hcl, comps))}]\n    values = {rows}\n  }}\n"
            found.append(f'resource "sysdig_secure_rule_falco" "{label}" {{\n{body}}}\n')
        else:
            body = f"  name      = {_hcl(change.name)}\n  condition = {_hcl(change.condition)}\n  append    = true\n"
            found.append(f'resource "sysdig_secure_rule_falco" "{label}" {{\n{body}}}\n')
    return comment + "\n".join(found)


def _hcl(text: str) -> str:
    """*text* as a string of Terraform, in which nothing is interpolated."""
    return yaml_text(text).replace("${", "$${").replace("%{", "%%{")


def scalar(text: str) -> str:
    """*text* as a YAML scalar, plain where that reads back as itself."""
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else yaml_text(text)


def list_item(text: str, lists: frozenset[str] = frozenset()) -> str:
    """*text* as an item of a list or a value of an exception, as YAML."""
    word = falco_word(text, lists)
    return scalar(word) if _ITEM.fullmatch(text) else yaml_text(word)


def falco_word(text: str, lists: frozenset[str] = frozenset()) -> str:
    """*text* as Falco must find it in an item of a list or a value of an exception: it puts these into conditions as they are, so
    what is more than a word is quoted, and what is called like one of *lists*."""
    if _BARE.fullmatch(text) and text not in lists:
        return text
    from falcokit.condition.ast import Check, Field, Value
    from falcokit.condition.render import to_source

    return to_source(Check(Field("proc.name"), "=", "", Value(text, quoted=True)), lists).removeprefix("proc.name = ")
