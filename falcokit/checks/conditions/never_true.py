"""FK451."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.checks.conditions._chains import Chain, chains
from falcokit.condition.ast import And, Check, Field, ListValue, Value
from falcokit.diagnostic import Severity
from falcokit.ruleset.ruleset import Ruleset

__all__ = ["never_true"]

_EXACT: Final = ("=", "==", "in")


@check("FK451", Severity.WARNING)
def never_true(ruleset: Ruleset) -> Iterator[Finding]:
    """Two parts of a condition cannot hold together.

    A field has one value.  `proc.name = a and proc.name = b` never holds: `or` was meant, or `in (a, b)`.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh and «proc.name in (bash, zsh)»
      output: shell %proc.name
      priority: INFO
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name in (sh, bash) and proc.name in (bash, zsh) and proc.aname = a and proc.aname = b
      output: shell %proc.name
      priority: INFO
    ```

    ## See also

    `always-true-chain`
    """
    for chain in chains(ruleset):
        if isinstance(chain.node, And):
            yield from _contradictions(chain, ruleset)


def _contradictions(chain: Chain, ruleset: Ruleset) -> Iterator[Finding]:
    known: dict[tuple[str, str | None], tuple[Check, frozenset[str]]] = {}
    for child in chain.node.children:
        if not isinstance(child, Check) or child.operator not in _EXACT or child.modifier:
            continue
        if not isinstance(child.left, Field):
            continue
        if isinstance(child.right, ListValue):
            texts = frozenset(child.right.texts)
        elif isinstance(child.right, Value):
            texts = frozenset((child.right.text,))
        else:
            continue
        key = (child.left.name, child.left.argument)
        if key not in known:
            known[key] = (child, texts)
        elif texts and known[key][1] and known[key][1].isdisjoint(texts) and _single(child.left, ruleset):
            message = f"this never holds together with what is said of `{child.left.name}` before"
            help_text = "write `or` between the two, or one `in (...)` with all values"
            yield Finding(chain.body.locate(child.start, child.end), message, help_text)


def _single(field: Field, ruleset: Ruleset) -> bool:
    """Whether the field has one text that is compared as it is written."""
    if (
        field.name in ("proc.aname", "proc.apid", "proc.aexepath", "proc.aexe", "proc.acmdline")
        and field.argument is None
    ):
        return False
    for source in ruleset.catalogue.sources_of(field.name):
        use = ruleset.catalogue.resolve(
            field.name if field.argument is None else f"{field.name}[{field.argument}]", source
        )
        return not getattr(use, "is_list", True) and getattr(use, "type", "") in ("CHARBUF", "FSPATH")
    return False
