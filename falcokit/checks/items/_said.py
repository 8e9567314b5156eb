"""Whether a rule is what a key would make of it."""

from __future__ import annotations

from falcokit.document import Node, Scalar, Sequence
from falcokit.ruleset.definitions import RuleDefinition, joined
from falcokit.ruleset.rule_reader import PRIORITIES
from falcokit.ruleset.values import boolean

__all__ = ["says_already"]


def says_already(rule: RuleDefinition, key: str, value: Node) -> bool:
    """Whether *rule* has the *value* of *key* as it is."""
    if key == "tags":
        return isinstance(value, Sequence) and all(isinstance(t, Scalar) and t.value in rule.tags for t in value.items)
    if not isinstance(value, Scalar):
        return False
    if key in ("desc", "output"):
        return joined(rule.desc if key == "desc" else rule.output).split() == value.value.split()
    if key == "priority":
        number = 6 if value.value.lower() == "info" else None
        for at, word in enumerate(PRIORITIES):
            number = at if word.lower() == value.value.lower() else number
        return number == rule.priority
    state = getattr(rule, key.replace("-", "_"))
    return bool(value.value == str(state) if key == "capture_duration" else boolean(value.value) is state)
