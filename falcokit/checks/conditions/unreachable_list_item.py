"""FK463."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.condition.ast import Check, ListValue, Value
from falcokit.diagnostic import Confidence, Label, Severity
from falcokit.logic import Claim, Place, places
from falcokit.ruleset.definitions import ListDefinition
from falcokit.ruleset.ruleset import Named, Ruleset
from falcokit.source import Origin, Span

__all__ = ["unreachable_list_item"]


@check("FK463", Severity.WARNING, Confidence.MEDIUM)
def unreachable_list_item(ruleset: Ruleset) -> Iterator[Finding]:
    """An item added to a default list can never be met where the list is used.

    Every rule that uses the list says something else of the field that leaves no event with this value.  A name that is
    added to a list of parents is mostly one that only occurs as a process, or the list is not the one that was meant.

    ## Flagged

    ```yaml default.yaml
    - list: user_known_cats
      items: []
    - rule: Cats written
      desc: a file of cats was written
      condition: evt.type = openat and fd.name startswith /etc/cats and not fd.name in (user_known_cats)
      output: file %fd.name written by %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - list: user_known_cats
      items: [/etc/cats/tom, «/var/cats/tom»]
      override:
        items: append
    ```

    ## Accepted

    ```yaml default.yaml
    - list: user_known_cats
      items: []
    - rule: Cats written
      desc: a file of cats was written
      condition: evt.type = openat and fd.name startswith /etc/cats and not fd.name in (user_known_cats)
      output: file %fd.name written by %proc.name
      priority: INFO
    - rule: Cats read
      desc: a file of cats was read
      condition: evt.type = openat and (fd.name startswith /var or fd.name startswith /etc) and not fd.name in (user_known_cats)
      output: file %fd.name read by %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - list: user_known_cats
      items: [/etc/cats/tom, /var/cats/tom]
      override:
        items: append
    ```

    ## See also

    `dead-exclusion`, `never-true`
    """
    for named, definition in ruleset.named.items():
        if not isinstance(definition, ListDefinition):
            continue
        first, last = definition.contributions[0], definition.contributions[-1]
        if first.file.origin is Origin.DEFAULT and last.file.origin is Origin.CUSTOM:
            yield from _unreachable(ruleset, named, definition)


def _unreachable(ruleset: Ruleset, named: Named, definition: ListDefinition) -> Iterator[Finding]:
    texts = frozenset([item.text for item in definition.items])
    asked: list[Place] = []
    for rule in ruleset.rules_using(named):
        found = places(
            ruleset.compilation.rules[rule],
            lambda claim: isinstance(claim.node, Check) and named[1] in claim.bound.body.used_lists
            and texts <= frozenset(getattr(claim.node.right, "texts", ())),
            ruleset.catalogue,
        )  # fmt: skip
        if not found or not all(place.claim.node.operator == "in" for place in found):  # type: ignore[union-attr]
            return
        asked += found
    for item in definition.items if asked else ():
        if item.file.origin is not Origin.CUSTOM:
            continue
        pieces = [_piece(place.claim, item.text) for place in asked]
        if all(place.excludes(piece) for place, piece in zip(asked, pieces, strict=True)):
            because = asked[0].because(pieces[0])
            labels = () if because is None else (Label(because.span(), "this leaves nothing of it"),)
            field = asked[0].claim.node.left.name  # type: ignore[union-attr]
            message = f"`{field}` is never this where `{named[1]}` is used"
            help_text = "take it out, or add it to the list or macro that was meant"
            yield Finding(Span(item.file, item.node.start, item.node.end), message, help_text, labels)


def _piece(claim: Claim, text: str) -> Claim:
    """That the field of *claim* is *text*."""
    check = claim.node
    assert isinstance(check, Check)
    assert isinstance(check.right, ListValue)
    return Claim(Check(check.left, "=", "", Value(text), check.at, check.start, check.end), claim.bound)
