"""What someone may have meant by a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["nearest"]


def nearest(name: str, known: Iterable[str], count: int = 1) -> tuple[str, ...]:
    """The *count* names of *known* most like *name*, best first; none where none is close."""
    if len(name) > 200:
        return ()
    import difflib

    candidates = sorted(known)
    lower = {c.lower(): c for c in candidates}
    if name.lower() in lower and lower[name.lower()] != name:
        return (lower[name.lower()],)
    return tuple(difflib.get_close_matches(name, candidates, count, 0.75))
