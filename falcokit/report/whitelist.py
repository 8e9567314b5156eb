"""Proposals of whitelists, with their proofs."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from shlex import quote
from typing import Any, Final

from falcokit.report.text import plain
from falcokit.whitelist.history import Blast
from falcokit.whitelist.identity import Identity
from falcokit.whitelist.place import Change
from falcokit.whitelist.proof import Proof
from falcokit.whitelist.propose import SHADOW, Proposal

__all__ = ["to_json", "to_text"]

_MAX_ROWS: Final = 20
_WORD: Final = re.compile(r"\s+|[()]|[^\s()]+")


def to_text(proposals: Sequence[Proposal], *, to: str = "", dry_run: bool = False, colour: bool = False) -> str:
    """All proposals for people; *to* says that the texts are in that file already, or, in a dry run, would be."""
    written = f"{'dry run' if dry_run else 'written'}   {plain(to)}" if to else ""
    return "\n".join([_one(proposal, written, colour) for proposal in proposals])


def _highlighted(text: str) -> str:
    from pygments import highlight
    from pygments.formatters import TerminalFormatter
    from pygments.lexers import YamlLexer

    return str(highlight(text, YamlLexer(), TerminalFormatter()))


def _one(proposal: Proposal, written: str, colour: bool) -> str:
    more = f" and {proposal.events - 1} more like it" if proposal.events > 1 else ""
    lines = [
        f"rule      {plain(proposal.rule)}" + (f" (event {plain(proposal.place)}{more})" if proposal.place else "")
    ]
    change, proof = proposal.change, proposal.proof
    if change is None or proof is None:
        lines.append(f"{'nothing   ' if proposal.already else 'cannot    '}{plain(proposal.cannot)}")
        if proposal.already:
            return "\n".join(lines) + "\n"
        lines += [f"          {way}: {plain(why)}" for way, why in proposal.refused]
        lines += _others(proposal.identities, None)
        return "\n".join(lines) + "\n"
    identity = change.identity
    lines.append(f"identity  {plain(identity.condition)}")
    lines.append(f"          {identity.kind}, {identity.risk}: {plain(identity.reason)}")
    lines += _others(proposal.identities, identity)
    if proposal.narrower:
        options = " ".join([f"--{dimension} {quote(plain(value))}" for dimension, value in proposal.narrower])
        lines.append(f"          narrower with {options}")
    lines.append(f"where     {_where(change)}")
    lines += [f"          not {way}: {plain(why)}" for way, why in proposal.refused]
    if written:
        lines.append(written)
    else:
        text = "\n".join([plain(line) for line in proposal.text.splitlines()])
        lines += ["", *(_highlighted(text) if colour else text).splitlines(), ""]
    lines.append("proof     " + _about_event(proof))
    lines.append("          fires without it, not with it: " + _shown(proof.silenced))
    lines.append("          still fires with it:           " + _shown(proof.still))
    lines.append("          other rules that change: " + (", ".join(map(plain, proof.others)) or "none"))
    lines.append("          the resolved condition: " + plain(_difference(proof.before, proof.after)))
    if proposal.blast is not None:
        lines += _history(proposal.blast)
    return "\n".join(lines) + "\n"


def _history(blast: Blast) -> list[str]:
    total = sum(count for _, count in blast.silent)
    lines = [
        f"history   {total} of {blast.events} events fall silent"
        + (f", of {blast.open} it is not told" if blast.open else "")
    ]
    foreign = dict(blast.foreign)
    for (rule, image, process), count in blast.silent[:_MAX_ROWS]:
        other = foreign.get((rule, image, process), 0)
        said = f"; {other} of them NOT of this identity" if other else ""
        lines.append(f"          {count:>6} {plain(rule)}, image {plain(image)}, process {plain(process)}{said}")
    for way, covered in blast.covers:
        lines.append(f"          {covered:>6} of the {blast.of_rule} of the rule with --by {way.kind}")
    if len(blast.silent) > _MAX_ROWS:
        lines.append(f"          and {len(blast.silent) - _MAX_ROWS} more")
    return lines


def _others(identities: Sequence[Identity], chosen: Identity | None) -> list[str]:
    lines = []
    for identity in identities:
        if chosen is None or identity.kind != chosen.kind:
            lines.append(
                f"          or --by {identity.kind}: {plain(identity.condition)} ({identity.risk}: {plain(identity.reason)})"
            )
    return lines


def _where(change: Change) -> str:
    if change.via == "hook":
        shared = (
            f"; it also reaches {', '.join(map(plain, change.reaches))}"
            if change.reaches
            else "; it reaches no other rule"
        )
        return f"{change.kind} {plain(change.name)}, made for it{shared}"
    if change.via == "copy":
        return f"a copy of the rule. {SHADOW}"
    if change.via == "exception":
        return f"exception {plain(change.condition)} of the rule" + (", a new one" if change.new else "")
    return "behind the rule's condition"


def _about_event(proof: Proof) -> str:
    if proof.event is None:
        if proof.deciding:
            return f"the event: not decided, it does not tell {', '.join(map(plain, proof.deciding))}"
        return "shown with made-up events"
    return "the event is silenced" if proof.event else "the event is NOT silenced"


def _shown(event: Mapping[str, object]) -> str:
    text = ", ".join([f"{name}={value}" for name, value in event.items()])
    return plain(text if len(text) <= 300 else text[:297] + "...")


def _difference(before: str, after: str) -> str:
    """What was added to and taken from the resolved condition."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    if len(old) + len(new) > 20_000:
        return "too long to compare"
    parts = []
    for tag, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for sign, words in (("-", old[i:j]), ("+", new[k:m])):
            text = "".join(words).strip()
            if tag != "equal" and text.strip("() "):  # Parentheses alone say nothing to a reader.
                parts.append(f"{sign} {text}")
    return "  ".join(parts) or "the same"


def to_json(proposals: Sequence[Proposal]) -> list[dict[str, Any]]:
    """The same as data."""
    return [_json(proposal) for proposal in proposals]


def _json(proposal: Proposal) -> dict[str, Any]:
    change, proof = proposal.change, proposal.proof
    return {
        "rule": proposal.rule,
        "event": proposal.place or None,
        "events": proposal.events,
        "already": proposal.already,
        "cannot": None if proposal.already else proposal.cannot or None,
        "identity": _identity(change.identity) if change is not None else None,
        "narrower": dict(proposal.narrower),
        "identities": [_identity(identity) for identity in proposal.identities],
        "change": None
        if change is None
        else {"via": change.via, "kind": change.kind, "name": change.name, "exception": change.condition if change.via == "exception" else None, "reaches": list(change.reaches)},
        "refused": [{"via": way, "reason": why} for way, why in proposal.refused],
        "text": proposal.text or None,
        "history": None
        if proposal.blast is None
        else {
            "events": proposal.blast.events,
            "undecided": proposal.blast.open,
            "of_rule": proposal.blast.of_rule,
            "covers": {other.kind: covered for other, covered in proposal.blast.covers},
            "silent": [{"rule": rule, "image": image, "process": process, "count": count} for (rule, image, process), count in proposal.blast.silent],
            "foreign": [{"rule": rule, "image": image, "process": process, "count": count} for (rule, image, process), count in proposal.blast.foreign],
        },
        "proof": None
        if proof is None
        else {
            "event_silenced": proof.event,
            "deciding_fields": list(proof.deciding),
            "silenced": dict(proof.silenced),
            "still_fires": dict(proof.still),
            "other_rules_changed": list(proof.others),
            "condition_before": proof.before,
            "condition_after": proof.after,
        },
    }  # fmt: skip


def _identity(identity: Identity) -> dict[str, Any]:
    return {
        "kind": identity.kind,
        "risk": identity.risk,
        "reason": identity.reason,
        "condition": identity.condition,
        "checks": [list(check) for check in identity.checks],
    }
