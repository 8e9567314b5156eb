"""FK558."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.condition.ast import And, Check, Field, Identifier, Value
from falcokit.diagnostic import Confidence, Edit, Fix, Severity
from falcokit.ruleset.macros import Bound
from falcokit.ruleset.ruleset import Ruleset
from falcokit.ruleset.uses import Use, field_of, texts_of

__all__ = ["missing_field_excluded"]

_IMAGE: Final = "while the container engine has not answered"
_MISSING: Final = {
    "container.image": _IMAGE,
    "container.image.repository": _IMAGE,
    "container.image.tag": _IMAGE,
    "container.image.digest": _IMAGE,
    "container.image.id": _IMAGE,
    "container.label": "in containers without that label",
    "k8s.ns.name": "outside of pods",
    "k8s.pod.name": "outside of pods",
    "k8s.pod.uid": "outside of pods",
    "k8s.pod.label": "in pods without that label",
    "ka.target.subresource": "in requests for the resource itself",
}
"""Fields that events often lack, and when.  `container.name` and the like are `host` on the host."""
_OWN: Final = ("container.label", "k8s.pod.label", "ka.target.subresource")
"""Those that can be missing in a container, pod or request that is known."""
_NOTHING: Final = frozenset(("", "<na>", "n/a", "na", "null", "nil", "none", "nan", "host", "incomplete"))
"""Texts that nobody whitelists: compared with them, a field is asked for."""
_WRITTEN: Final = re.compile(r"([\w.]+(?:\[[^]\s]*\])?) *!= *(\S+)")


@check("FK558", Severity.INFO, Confidence.MEDIUM)
def missing_field_excluded(ruleset: Ruleset) -> Iterator[Finding]:
    """A whitelist by `!=` lets events through that lack the field.

    Every comparison with a missing field is false, `!=` as well, so the rule is silent wherever the field is missing:
    fields of Kubernetes on the host and in containers that are in no pod, labels where nobody set them, images in a
    container that has just started (and on the host before Falco 0.41).  `not FIELD = VALUE` holds there.  If these events
    are not meant, say so: `FIELD exists`, or `container`.

    ## Flagged

    ```yaml custom.yaml
    - rule: Miner
      desc: a miner
      condition: evt.type = execve and proc.name = xmrig and «k8s.ns.name != research»
      output: miner %proc.name
      priority: INFO
    - macro: in_a_container
      condition: container.id != host
    - rule: Shell in a pod
      desc: a shell
      condition: evt.type = execve and in_a_container and proc.name = sh and «k8s.pod.label[team] != "sre"»
      output: shell %proc.name
      priority: INFO
    ```

    ## Fixed

    ```yaml custom.yaml
    - rule: Miner
      desc: a miner
      condition: evt.type = execve and proc.name = xmrig and not k8s.ns.name = research
      output: miner %proc.name
      priority: INFO
    - macro: in_a_container
      condition: container.id != host
    - rule: Shell in a pod
      desc: a shell
      condition: evt.type = execve and in_a_container and proc.name = sh and not k8s.pod.label[team] = "sre"
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - macro: in_a_container
      condition: container.id != host
    - rule: Shell in a container
      desc: a shell
      condition: evt.type = execve and in_a_container and proc.name = sh and k8s.ns.name != research
      output: shell %proc.name
      priority: INFO
    - rule: Shell of an image
      desc: a shell
      condition: >
        evt.type = execve and proc.name = sh and container.image.repository exists
        and container.image.repository != registry.example.com/tools
      output: shell %proc.name
      priority: INFO
    - rule: Shell in a pod
      desc: a shell
      condition: evt.type = execve and proc.name = sh and k8s.pod.name != "" and not k8s.ns.name = research
      output: shell %proc.name
      priority: INFO
    - rule: Shell of a name
      desc: the host is a container called host for Falco
      condition: evt.type = execve and proc.name = sh and container.name != tools
      output: shell %proc.name
      priority: INFO
    ```

    ## See also

    `null-compare`
    """
    uses = {id(use.check): use for use in ruleset.uses if use.check.operator == "!=" and _leaves_out(use)}
    if not uses:
        return
    narrowing: set[int] = set()
    harmless: set[int] = set()
    for rule in ruleset.compilation.rules.values():
        required = [key for key in _required(rule.bound) if key in uses]
        asked_for = _asked_for(rule.bound) if required else set()
        for key in required:
            (harmless if _wanted(uses[key].check) in asked_for else narrowing).add(key)
    for key, use in uses.items():
        if key in narrowing and key not in harmless:
            yield _finding(use)


def _leaves_out(use: Use) -> bool:
    """Whether the check says which value is not wanted of a field that may be missing."""
    right = use.check.right
    return (
        field_of(use.check) in _MISSING
        and use.catches
        and not use.excludes
        and not use.check.modifier
        and isinstance(right, Value)
        and right.text.lower() not in _NOTHING
    )


def _shown(check: Check) -> str:
    argument = getattr(check.left, "argument", None)
    return field_of(check) if argument is None else f"{field_of(check)}[{argument}]"


def _wanted(check: Check) -> str:
    """What a rule asks for if it means only events that have the field."""
    return _shown(check) if field_of(check) in _OWN else "container"


def _required(bound: Bound | None) -> Iterator[int]:
    """The checks that hold whenever the condition does, by identity."""
    stack = [(bound, bound.tree)] if bound is not None else []
    while stack:
        holder, node = stack.pop()
        if isinstance(node, And):
            stack += [(holder, child) for child in node.children]
        elif isinstance(node, Check):
            yield id(node)
        elif isinstance(node, Identifier) and (inner := holder.env.get(node.name)) is not None:
            stack.append((inner, inner.tree))


def _asked_for(bound: Bound | None) -> set[str]:
    """The fields that the rule asks for anywhere, and whether it asks for a container."""
    found: set[str] = set()
    seen: set[tuple[int, bool]] = set()
    pending = [(bound, False)] if bound is not None else []
    while pending:
        holder, negated = pending.pop()
        if (id(holder), negated) in seen:
            continue
        seen.add((id(holder), negated))
        for leaf, behind in holder.sided:
            side = behind is not negated
            if isinstance(leaf, Check):
                if isinstance(leaf.left, Field) and _asks(leaf, side):
                    found |= {_shown(leaf), "container"}
            elif (inner := holder.env.get(leaf.name)) is not None:
                pending.append((inner, side))
    return found


def _asks(check: Check, behind_not: bool) -> bool:
    name, texts = field_of(check), {text.lower() for text in texts_of(check)}
    if name == "evt.type":
        return "container" in texts and not behind_not
    if not name.startswith(("container.", "k8s.", "k8smeta.", "ka.target.subresource")):
        return False
    if behind_not is (check.operator == "!="):
        return not behind_not
    return not _NOTHING.isdisjoint(texts)


def _finding(use: Use) -> Finding:
    field, span = _shown(use.check), use.span()
    written = _WRITTEN.fullmatch(span.text)
    wanted = f"not {written[1]} = {written[2]}" if written is not None else f"not {field} = {texts_of(use.check)[0]}"
    fix = Fix(f"write `{wanted}`", (Edit(span, wanted),), safe=False) if written is not None else None
    message = f"events without `{field}` are let through as well: it is missing {_MISSING[field_of(use.check)]}"
    return Finding(span, message, f"write `{wanted}`, or add `{field} exists` if these are not meant", (), fix)
