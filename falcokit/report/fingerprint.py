"""A name for a finding that stays the same while lines around it come and go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b

from falcokit.diagnostic import Diagnostic

__all__ = ["fingerprints"]


def fingerprints(findings: Iterable[Diagnostic]) -> list[str]:
    """For each finding 32 hexadecimal digits made of its code, file, item and flagged text; equal ones are numbered."""
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for d in findings:
        item = next((s for s in d.falco.steps if s.item_name), None) if d.falco is not None else None
        name = f"{item.item_type}\0{item.item_name}" if item is not None else ""
        about = (d.about.code, d.file.name.removeprefix("./"), name, d.span.text or d.message)
        text = "\1".join((*about, str(seen[about])))
        seen[about] += 1
        found.append(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest())
    return found
