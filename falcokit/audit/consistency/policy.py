"""The audit policy by itself; which rules can fire with it is another question."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

from falcokit.audit.consistency.finding import Finder, Finding
from falcokit.audit.consistency.pieces import Piece, items_of, text_at, text_of
from falcokit.document import Mapping, Node, Sequence

__all__ = ["policy", "wrong_version"]

_STAGES: Final = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")
_LEVELS: Final = ("None", "Metadata", "Request", "RequestResponse")
_OFF: Final = "# Records nothing; disable.sh puts it in."
"""What stands in the policies with which `falcokit audit init` turns auditing off."""
_OMIT: Final = "omitStages: [RequestReceived]"


def policy(piece: Piece, minor: int | None) -> Iterator[Finding]:
    """What is wrong with the policy of an API server of Kubernetes 1.*minor*, None for a current one."""
    found, root = Finder(piece), piece.root
    version = text_at(root, "apiVersion")
    if wrong := wrong_version(version, minor):
        yield found.error("api-version", root.get("apiVersion"), *wrong)
    if text_at(root, "kind") != "Policy":
        said = f"the audit API has no kind `{text_at(root, 'kind')}` for policies: the API server does not start"
        yield found.error("kind", root.get("kind"), said, "kind: Policy")
    rules = root.get("rules")
    if not isinstance(rules, Sequence) or not rules.items:
        said = "a policy without rules is refused: the API server does not start"
        yield found.error("no-rules", rules, said, "rules: [{level: Metadata}]")
        return
    for rule in rules.items:
        level = text_at(rule, "level")
        if level not in _LEVELS:
            near = next((one for one in _LEVELS if one.lower() == level.lower()), "Metadata")
            node = (rule.get("level") if isinstance(rule, Mapping) else None) or rule
            yield found.error(
                "level", node, f"`{level}` is no level" if level else "a rule has no level", f"level: {near}"
            )
        yield from _stages(found, rule.get("omitStages") if isinstance(rule, Mapping) else None)
    if all(text_at(rule, "level") == "None" for rule in rules.items):
        said = "every rule has the level None: nothing is recorded"
        if _OFF in piece.document.file.text:
            yield found.info("silent", rules, f"{said}, as is meant where auditing is turned off")
        else:
            yield found.warning("silent", rules, said, "level: Metadata")
    yield from _stages(found, root.get("omitStages"))


def wrong_version(version: str, minor: int | None) -> tuple[str, str] | None:
    """What is wrong with a *version* of the audit API, and what to write; None where nothing is.

    By the change logs of Kubernetes v1 came in 1.12, and the others went in 1.24.
    """
    old = version in ("audit.k8s.io/v1alpha1", "audit.k8s.io/v1beta1")
    if old and (minor is None or minor >= 24):
        return f"`{version}` is gone since Kubernetes 1.24", "apiVersion: audit.k8s.io/v1"
    if version == "audit.k8s.io/v1" and minor is not None and minor < 12:
        return f"Kubernetes 1.{minor} does not know `{version}`", "apiVersion: audit.k8s.io/v1beta1"
    if not old and version != "audit.k8s.io/v1":
        return "an audit policy is of apiVersion audit.k8s.io/v1", "apiVersion: audit.k8s.io/v1"
    return None


def _stages(found: Finder, node: Node | None) -> Iterator[Finding]:
    for one in items_of(node):
        stage = text_of(one)
        if stage not in _STAGES:
            near = next(iter(get_close_matches(stage, _STAGES, 1)), "RequestReceived")
            yield found.error("stage", one, f"`{stage}` is no stage", near)
        elif stage == "ResponseComplete":
            yield found.error(
                "omitted-stage", one, "nearly all rules look at ResponseComplete, which is left out", _OMIT
            )
        elif stage == "ResponseStarted":
            said = "the rules about exec, attach and port-forward look at ResponseStarted, which is left out"
            yield found.warning("omitted-stage", one, said, _OMIT)
