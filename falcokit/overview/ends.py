"""Which end of a connection is the container's own, and whose address the other one is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import Final, NamedTuple

__all__ = ["Ends", "Place", "address_of", "kind_of", "networks_of", "own_ends", "owners"]

Place = tuple[str | None, str | None]
"""A host, and what tells its containers apart; None for the host itself."""
_ANYWHERE: Final = ("0.0.0.0", "::")


class Ends(NamedTuple):
    """A connection that was seen at ``place``; an address is empty where it was not told."""

    place: Place
    client: str
    server: str


@lru_cache(maxsize=20_000)
def address_of(text: str) -> str:
    """*text* as addresses are best written; what is none stays as it is."""
    try:
        found = ip_address(text)
    except ValueError:
        return "" if text in ("", "<NA>") else text[:255]
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


@lru_cache(maxsize=20_000)
def kind_of(address: str) -> str:
    """Where an address leads: ``loopback``, ``link-local``, ``private`` or ``internet``; empty where it tells nothing."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    if found.is_loopback or address in _ANYWHERE:
        return "loopback"
    return "link-local" if found.is_link_local else "internet" if found.is_global else "private"


def own_ends(seen: Sequence[Ends]) -> list[bool]:
    """For each connection whether the client is the place's own end.

    Events do not say it.  An address of a private network is rather ours than one of the internet, one that all connections of
    the place have rather than one of some of them; where nothing decides, it is the client: a program is seen that connects.
    """
    often: dict[Place, Counter[str]] = defaultdict(Counter)
    for place, client, server in set(seen):
        often[place].update({client, server})

    def weight(place: Place, address: str) -> tuple[bool, int]:
        return kind_of(address) != "internet", often[place][address]

    def ours(place: Place, client: str, server: str) -> bool:
        return not client or (bool(server) and weight(place, client) >= weight(place, server))

    return [ours(*one) for one in seen]


def owners(seen: Iterable[tuple[Place, str]], clustered: Mapping[Place, str]) -> dict[tuple[str, str], Place]:
    """Whose an address is, by network and address: of the places that had it as their own, where it is one alone.

    A network is a host, or the cluster that *clustered* names for a place: behind a host, addresses say nothing of other hosts.
    """
    found: dict[tuple[str, str], set[Place]] = defaultdict(set)
    for place, address in seen:
        for network in networks_of(place, clustered):
            found[network, address].add(place)
    return {key: next(iter(places)) for key, places in found.items() if len(places) == 1}


def networks_of(place: Place, clustered: Mapping[Place, str]) -> tuple[str, ...]:
    """The networks in which the addresses that *place* sees mean something, the nearest first."""
    host = f"host {place[0] or ''}"
    return (host, f"cluster {clustered[place]}") if place in clustered else (host,)
