"""Audit policies for people and programs: verdicts on rules, what rules need, estimated volume."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Any, Final

from falcokit.audit.generate import Generated
from falcokit.audit.needs import Effect, Need, Needs
from falcokit.audit.policy_file import STAGES, Finding, Level, Policy
from falcokit.audit.regions import Region, Values
from falcokit.audit.verdicts import Gap, State, Verdict
from falcokit.audit.volume import Volume
from falcokit.report.markdown import cell
from falcokit.report.text import plain

__all__ = ["check_json", "check_markdown", "check_text", "findings_text", "made_json", "made_markdown", "volume_text"]

_ORDER: Final = (State.CANNOT, State.BLIND, State.UNKNOWN, State.PARTLY, State.FIRES, State.NEVER)
_MAX_REASONS: Final = 4
_MAX_NAMES: Final = 4
_MAX_ROWS: Final = 20
_GROUP: Final = "group of the user: "
_PATH: Final = "path: "


def findings_text(findings: Iterable[Finding]) -> str:
    """What is wrong with a policy, two lines each."""
    lines = []
    for finding in findings:
        line, column = finding.span.file.line_column(finding.span.start)
        place = f"{plain(finding.span.file.name)}:{line + 1}:{column + 1}"
        lines += [f"{place}: {finding.severity.word}: {plain(finding.message)}", f"  = help: {plain(finding.help)}"]
    return "".join([line + "\n" for line in lines])


def check_text(
    verdicts: Sequence[Verdict], policy: Policy, name: str, findings: Sequence[Finding] = (), volume: Volume | None = None,
    width: int = 80,
) -> str:  # fmt: skip
    """The table of rules and what becomes of them, those with trouble first."""
    lines = [findings_text(findings), f"policy: {plain(name)}", ""] if findings else [f"policy: {plain(name)}", ""]
    room = max(width - 17, 30)
    for state in _ORDER:
        for verdict in verdicts:
            if verdict.state is state:
                lines.append(f"{state.value:<16} {plain(verdict.name)}")
                for reason in reasons(verdict, policy):
                    lines += [f"{'':<17}{row}" for row in wrap(plain(reason), room, break_on_hyphens=False)]
    lines += ["", *wrap(summary(verdicts), width)]
    return "\n".join(lines) + "\n" + ("\n" + volume_text(volume) if volume is not None else "")


def summary(verdicts: Sequence[Verdict]) -> str:
    """How many rules each thing is true of."""
    found = Counter(verdict.state for verdict in verdicts)
    parts = [f"{found[state]} {_PLURALS[state]}" for state in _ORDER if found[state]]
    return f"{len(verdicts)} rule{'s' if len(verdicts) != 1 else ''}: {', '.join(parts)}"


_PLURALS: Final = {
    State.CANNOT: "cannot fire",
    State.BLIND: "blind",
    State.UNKNOWN: "not known",
    State.PARTLY: "on a part",
    State.FIRES: "can fire",
    State.NEVER: "on nothing as written",
}


def reasons(verdict: Verdict, policy: Policy) -> list[str]:
    """Why a rule does not fire on all that it is meant for, a sentence each; lines are those of the policy."""
    if verdict.state is State.NEVER:
        return ["its condition holds for no event, whatever the policy records"]
    groups: dict[tuple[object, ...], list[Gap]] = {}
    for gap in verdict.gaps:
        key = gap.number, gap.given, gap.stages, gap.need.level, gap.effect
        groups.setdefault(key, []).append(gap)
    said = [_reason(gaps, policy) for gaps in groups.values()]
    more = [f"and {len(said) - _MAX_REASONS} more like these"] if len(said) > _MAX_REASONS else []
    unknown = [] if verdict.known else ["it and the policy are too large to be looked at in full"]
    return said[:_MAX_REASONS] + more + unknown


def _reason(gaps: Sequence[Gap], policy: Policy) -> str:
    gap = gaps[0]
    what = _requests([one.need.region for one in gaps])
    narrower = [_narrower(one.region, one.need.region) for one in gaps]
    # Where a part is told by what it is not, saying the others would mislead.
    only = f" ({'; '.join(_some(list(dict.fromkeys(narrower)), 3))})" if all(narrower) else ""
    place = "no rule is about them" if gap.number is None else f"line {policy.rules[gap.number].line}"
    if gap.given is Level.NONE:
        said = "" if gap.number is None else " says None"
        return f"needs {gap.need.level.word} on {what}{only}: {place}{said}"
    if gap.stages:
        # The line that is to be changed; where both omit stages, that of the rule is as good.
        if policy.line and not set(gap.stages).isdisjoint(policy.omit_stages):
            place = f"line {policy.line}"
        return f"needs the stage {' or '.join(gap.stages)} of {what}{only}: {place} omits it"
    word = {
        Effect.BLIND: "fires without looking at the body: ",
        Effect.MISSES: "misses what only the body tells: ",
    }.get(gap.effect, "")
    return f"{word}needs {gap.need.level.word} on {what}{only}: {place} gives {gap.given.word}"


def _some(texts: Sequence[str], most: int = _MAX_NAMES) -> list[str]:
    return [*texts[:most], *([f"{len(texts) - most} more"] if len(texts) > most else [])]


def _listed(values: Values) -> str:
    return ", ".join(_some([text for text in sorted(values.texts) if text]))


def _requests(regions: Iterable[Region]) -> str:
    """The requests of *regions* in a few words: by what is asked of which resources."""
    verbs: dict[tuple[str, str], set[str]] = {}
    for region in regions:
        asked = [""] if region.get("verb").others else sorted(region.get("verb").texts)
        whose = "".join(
            f" {word} {_listed(region.get(side))}"
            for side, word in (("namespace", "in"), ("user", "by"))
            if not region.get(side).others and region.get(side).texts != {""}
        )
        whose += " by who has not logged in" if region.get("user") == Values(frozenset([""])) else ""
        for what in _resources(region):
            verbs.setdefault((what, whose), set()).update(asked)
    for (what, whose), asked_of in [*verbs.items()]:
        every = verbs.get((what, ""), set())
        if "" in asked_of:
            verbs[what, whose] = {""}
        if whose and ("" in every or asked_of <= every):
            del verbs[what, whose]
    alike: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for (what, whose), asked_of in verbs.items():
        alike.setdefault((tuple(sorted(asked_of)), whose), []).append(what)
    said = [
        f"{', '.join(_some(asked, 8))} {', '.join(_some(sorted(whats)))}{whose}".strip()
        for (asked, whose), whats in alike.items()
    ]
    return " and ".join(_some(said, 3))


def _resources(region: Region) -> list[str]:
    resources, subresources = region.get("resource"), region.get("subresource")
    if resources.texts == {""} and not resources.others:
        paths = [
            side.removeprefix(_PATH)
            for side, values in region.sides.items()
            if side.startswith(_PATH) and "yes" in values
        ]
        return [f"requests for {', '.join(paths) or 'paths'}"]
    subs = [""] if subresources.others else sorted(subresources.texts)
    if resources.others:
        plain = "requests" if "" in resources else "requests for resources"
        return [f"{plain} of a subresource {sub}" if sub else plain for sub in subs]
    return [f"{one}/{sub}" if sub else one for one in sorted(resources.texts) for sub in subs]


def _narrower(region: Region, whole: Region) -> str:
    """In what *region* is less than *whole*, where that can be told in a few words."""
    said = []
    for side, values in region.sides.items():
        if values == whole.get(side):
            continue
        if side.startswith(_GROUP):
            if "yes" in values:
                said.append(f"by members of {side.removeprefix(_GROUP)}")
        elif side.startswith(_PATH):
            if "yes" in values:
                said.append(f"for {side.removeprefix(_PATH)}")
        elif not values.others and _listed(values) and not (side == "group" and not region.get("resource").others):
            said.append(f"{_SAID.get(side, side)} {_listed(values)}")
    return ", ".join(said)


_SAID: Final = {
    "user": "by", "namespace": "in namespace", "group": "of group", "name": "named", "resource": "for", "verb": "to",
    "subresource": "for subresource",
}  # fmt: skip


# ------------------------------------------------------------------------------------------------------------------ Volume


def volume_text(volume: Volume) -> str:
    """What a sample comes to, and what of it a policy would record."""
    total = volume.total
    times = 1 / volume.days if volume.days else None
    per = "a day" if times else "in the sample"
    factor = times or 1.0
    lines = [
        f"{'':<32}{'events ' + per:>16}{'bytes':>10}{'by policy':>12}{'bytes':>10}",
        *[
            f"{plain(f'{row.verb} {row.resource}')[:31]:<32}{_count(row.events * factor):>16}{_size(row.bytes * factor):>10}"
            f"{_count(row.kept_events * factor):>12}{_size(row.kept_bytes * factor):>10}"
            for row in volume.rows[:_MAX_ROWS]
        ],
    ]
    if len(volume.rows) > _MAX_ROWS:
        lines.append(f"... {len(volume.rows) - _MAX_ROWS} more")
    lines.append(
        f"{'all':<32}{_count(total.events * factor):>16}{_size(total.bytes * factor):>10}"
        f"{_count(total.kept_events * factor):>12}{_size(total.kept_bytes * factor):>10}"
    )
    lines += [f"= {note}" for note in _notes(volume)]
    return "\n".join(lines) + "\n"


def _notes(volume: Volume) -> list[str]:
    notes = ["the sample has only what was recorded: what its own policy leaves out is not counted"]
    if volume.days is None:
        notes.append("it covers less than a minute: too short to say anything about a day")
    if volume.raised:
        notes.append(f"{volume.raised} events would have bodies that the sample lacks: they are larger than told")
    if volume.skipped:
        notes.append(f"{volume.skipped} events are no audit events and are left out")
    return notes


def _count(number: float) -> str:
    return f"{round(number):,}".replace(",", " ")


def _size(number: float) -> str:
    for unit in ("B", "KB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 100 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:,.1f} TB".replace(",", " ")


# ---------------------------------------------------------------------------------------------------------------- Markdown


def check_markdown(
    verdicts: Sequence[Verdict], policy: Policy, name: str, findings: Sequence[Finding] = (), volume: Volume | None = None
) -> str:  # fmt: skip
    """For a pull request."""
    lines = [f"## Audit policy {cell(name)}", "", summary(verdicts), ""]
    for finding in findings:
        line, column = finding.span.file.line_column(finding.span.start)
        lines.append(f"- **{line + 1}:{column + 1}** {cell(finding.message)}; {cell(finding.help)}")
    lines += [""] if findings else []
    lines += ["| rule | with this policy | why |", "| --- | --- | --- |"]
    for state in _ORDER:
        for verdict in verdicts:
            if verdict.state is state:
                why = "; ".join(reasons(verdict, policy))
                lines.append(f"| {cell(verdict.name)} | {state.value} | {cell(why)} |")
    return "\n".join(lines) + "\n" + ("\n" + _volume_markdown(volume) if volume is not None else "")


def made_markdown(made: Generated, text: str, volume: Volume | None = None) -> str:
    """A generated policy, and what each rule needs."""
    fence = "```"
    while fence in text:
        fence += "`"
    lines = ["## Audit policy for the rules in use", "", f"{fence}yaml", text.rstrip("\n"), fence, ""]
    lines += ["| rule | needs | on | without bodies |", "| --- | --- | --- | --- |"]
    for needs in made.needs:
        on = _requests([part.region for part in needs.parts])
        level = needs.level.word if needs.parts else "nothing"
        lines.append(f"| {cell(needs.rule.name)} | {level} | {cell(on)} | {needs.effect.value} |")
    return "\n".join(lines) + "\n" + ("\n" + _volume_markdown(volume) if volume is not None else "")


def _volume_markdown(volume: Volume) -> str:
    factor = 1 / volume.days if volume.days else 1.0
    per = "a day" if volume.days else "in the sample"
    lines = [f"| requests | events {per} | bytes | by the policy | bytes |", "| --- | ---: | ---: | ---: | ---: |"]
    named = [(f"{row.verb} {row.resource}", row) for row in volume.rows[:_MAX_ROWS]] + [("all", volume.total)]
    for name, row in named:
        cells = (
            _count(row.events * factor),
            _size(row.bytes * factor),
            _count(row.kept_events * factor),
            _size(row.kept_bytes * factor),
        )
        lines.append(f"| {cell(name)} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *[f"- {note}" for note in _notes(volume)]]) + "\n"


# -------------------------------------------------------------------------------------------------------------------- JSON


def check_json(
    verdicts: Sequence[Verdict], policy: Policy, name: str, findings: Sequence[Finding] = (), volume: Volume | None = None
) -> dict[str, Any]:  # fmt: skip
    """The same as data."""
    return {
        "version": 1,
        "policy": {"file": name, "rules": len(policy.rules), "findings": [_finding_json(one) for one in findings]},
        "rules": [
            {
                "name": verdict.name,
                "verdict": _WORDS[verdict.state],
                "known": verdict.known,
                "needs": [_need_json(part) for part in verdict.needs.parts],
                "without_bodies": _EFFECTS[verdict.needs.effect],
                "gaps": [_gap_json(gap, policy) for gap in verdict.gaps],
                "why": reasons(verdict, policy),
            }
            for verdict in verdicts
        ],
        "volume": None if volume is None else _volume_json(volume),
    }


def made_json(made: Generated, text: str, volume: Volume | None = None) -> dict[str, Any]:
    """A generated policy as data."""
    return {
        "version": 1,
        "policy": text,
        "rules": [_needs_json(needs) for needs in made.needs],
        "volume": None if volume is None else _volume_json(volume),
    }


_WORDS: Final = {state: state.name.lower() for state in State}
_EFFECTS: Final = {effect: effect.name.lower() for effect in Effect}


def _finding_json(finding: Finding) -> dict[str, Any]:
    line, column = finding.span.file.line_column(finding.span.start)
    return {
        "line": line + 1, "column": column + 1, "severity": finding.severity.word, "message": finding.message,
        "help": finding.help,
    }  # fmt: skip


def _needs_json(needs: Needs) -> dict[str, Any]:
    return {
        "name": needs.rule.name,
        "level": needs.level.word,
        "known": needs.known,
        "needs": [_need_json(part) for part in needs.parts],
        "without_bodies": _EFFECTS[needs.effect],
    }


def _need_json(need: Need) -> dict[str, Any]:
    return {
        "level": need.level.word,
        "stages": [stage for stage in STAGES if stage in need.stages],
        "requests": _region_json(need.region),
        "without_bodies": _EFFECTS[need.at(Level.METADATA)],
    }


def _region_json(region: Region) -> dict[str, Any]:
    return {
        side: {"not_in" if values.others else "in": sorted(values.texts)}
        for side, values in sorted(region.sides.items())
    }


def _gap_json(gap: Gap, policy: Policy) -> dict[str, Any]:
    return {
        "requests": _region_json(gap.region),
        "needed": gap.need.level.word,
        "given": gap.given.word,
        "line": None if gap.number is None else policy.rules[gap.number].line,
        "stages": list(gap.stages),
        "effect": _EFFECTS[gap.effect],
    }


def _volume_json(volume: Volume) -> dict[str, Any]:
    return {
        "days": volume.days,
        "raised": volume.raised,
        "skipped": volume.skipped,
        "total": _counts_json(volume.total),
        "rows": [{"verb": row.verb, "resource": row.resource, **_counts_json(row)} for row in volume.rows],
    }


def _counts_json(row: Any) -> dict[str, int]:
    return {"events": row.events, "bytes": row.bytes, "policy_events": row.kept_events, "policy_bytes": row.kept_bytes}
