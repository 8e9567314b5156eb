"""What someone may have meant by a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["forget", "nearest"]

_MAX_ASKED = 1000
_asked: dict[tuple[str, int, int], tuple[str, ...]] = {}


def forget() -> None:
    """Begin a load: each has the same number of searches before it."""
    _asked.clear()


def nearest(name: str, known: Iterable[str], count: int = 1) -> tuple[str, ...]:
    """The *count* names of *known* most like *name*, best first; none where none is close."""
    if len(name) > 200:
        return ()
    candidates = sorted(known)
    key = (name, hash(tuple(candidates)), count)
    found = _asked.get(key)
    if found is None:
        if len(_asked) >= _MAX_ASKED:
            # A file with thousands of unknown names is broken in another way, and looking for each would take minutes.
            return ()
        found = _asked[key] = _nearest(name, candidates, count)
    return found


def _nearest(name: str, candidates: list[str], count: int) -> tuple[str, ...]:
    import difflib

    lower = {c.lower(): c for c in candidates}
    if name.lower() in lower and lower[name.lower()] != name:
        return (lower[name.lower()],)
    return tuple(difflib.get_close_matches(name, candidates, count, 0.75))
