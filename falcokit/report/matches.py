"""Which rules fire on which events, as a table or as alerts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from falcokit.evaluate.matcher import Matcher
from falcokit.evaluate.output import AlertFormat, json_line
from falcokit.evaluate.partial import told_fields
from falcokit.evaluate.read_back import ReadBack
from falcokit.evaluate.tell import told
from falcokit.evaluate.walk import Answer, Reason
from falcokit.event import Event
from falcokit.report.text import plain
from falcokit.ruleset.rule_compiler import CompiledRule

__all__ = ["Matches"]

_MAX_REASONS: Final = 30
_COLOURS: Final = {"fires": "31", "may fire": "33", "does not fire": "36"}


class Matches:
    """Asks *matcher* about events one after the other, and prints what it says of each.

    Events that do not tell their source are of *source*; *complete* says whether what an event lacks has no value (None:
    as its form has it).  Of events that are not complete the rules that fire in any case are told, and what becomes of
    the rule that the event names; with *maybe* all that may fire.
    """

    def __init__(
        self,
        matcher: Matcher,
        source: str,
        *,
        complete: bool | None = None,
        maybe: bool = False,
        explain: bool = False,
        json: bool = False,
        colour: bool = False,
        width: int = 80,
    ) -> None:
        self._matcher: Final = matcher
        self._source: Final = source
        self._complete: Final = complete
        self._maybe: Final = maybe
        self._explain: Final = explain
        self._json: Final = json
        self._colour: Final = colour
        self._width: Final = width
        self._by_name: Final = {rule.name: rule for rule in matcher.rules}
        self._formats: Final[dict[str, AlertFormat]] = {}
        self._read_back: Final = ReadBack(matcher.rules, matcher.catalogue)
        self._headed = False
        self.events = 0
        self.firing = 0
        self.open = 0

    def of(self, event: Event) -> str:
        """What is printed about *event*, the next one; nothing where no rule fires on it."""
        self.events += 1
        source = event.source or self._source
        complete = event.form.complete if self._complete is None else self._complete
        if complete:
            fired = self._matcher.fired(event.fields, source)
            if not fired:
                return ""
            self.firing += 1
            return "".join([self._told(event, event.fields, rule, "fires", None) for rule in fired])
        fields, rules = told_fields(event, source, self._matcher.catalogue, self._read_back)
        answers: dict[str, Answer | None] = {}
        if self._maybe:
            answers = {verdict.rule.name: verdict.answer for verdict in self._matcher.verdicts(fields, source)}
        else:
            answers = {rule.name: None for rule in self._matcher.certain(fields, source)}
        for name in rules:
            own = self._by_name.get(name)
            if own is not None and name not in answers and own.definition.source == source:
                answers[name] = self._matcher.why(own, fields, complete=False)
        words = {name: _word(answer) for name, answer in answers.items()}
        self.firing += "fires" in words.values()
        self.open += "may fire" in words.values()
        return "".join(
            [self._told(event, fields, self._by_name[name], words[name], answer) for name, answer in answers.items()]
        )

    def _told(
        self, event: Event, fields: Mapping[str, object], rule: CompiledRule, word: str, answer: Answer | None
    ) -> str:
        if answer is None and self._explain:
            answer = self._matcher.why(rule, fields, complete=word == "fires" and self._is_complete(event))
        if self._json:
            return self._alert(event, fields, rule, word, answer)
        lines = [] if self._headed else [_row("EVENT", "TIME", "RULE", "VERDICT")]
        self._headed = True
        lines.append(_row(_place(event), _time(event.time), rule.name, word))
        coloured = len(lines) - 1
        if word == "may fire" and answer is not None:
            needed = dict.fromkeys([name for reason in answer.reasons for name, _ in reason.values])
            lines.append(f"    would be decided by: {', '.join(needed)}")
        if self._explain and answer is not None:
            lines += [f"    {line}" for reason in answer.reasons[:_MAX_REASONS] for line in _because(reason)]
            if len(answer.reasons) > _MAX_REASONS:
                lines.append(f"    and {len(answer.reasons) - _MAX_REASONS} checks more")
        shown = [plain(line) for line in lines]
        if self._colour:
            # What events and rules say is plain by now: this is the only colour.
            at = len(f"{_place(event):<24} {_time(event.time):<19} ")
            row = shown[coloured]
            shown[coloured] = f"{row[:at]}\x1b[{_COLOURS[word]}m{word}\x1b[0m{row[at + len(word) :]}"
        return "".join([line + "\n" for line in shown])

    def _is_complete(self, event: Event) -> bool:
        return event.form.complete if self._complete is None else self._complete

    def _alert(
        self, event: Event, fields: Mapping[str, object], rule: CompiledRule, word: str, answer: Answer | None
    ) -> str:
        if word != "fires" and not (self._maybe or self._explain):
            return ""
        known = self._formats.get(rule.name)
        if known is None:
            known = self._formats[rule.name] = AlertFormat(rule, self._matcher.catalogue)
        alert: dict[str, Any] = known.alert(fields, event.time, event.host or "localhost")
        if self._maybe or self._explain:
            alert["falcokit"] = {
                "verdict": word,
                "event": _place(event),
                "reasons": [
                    _reason(reason) for reason in (answer.reasons if answer is not None else ())[:_MAX_REASONS]
                ],
            }
        return json_line(alert).decode() + "\n"

    def summary(self) -> str:
        """What was done, in one line."""
        words = [f"{self.events} event{'' if self.events == 1 else 's'} read", f"rules fire on {self.firing}"]
        if self.open:
            words.append(f"{self.open} not decided by the fields they tell")
        return ", ".join(words)


def _word(answer: Answer | None) -> str:
    return "fires" if answer is None or answer.holds else "may fire" if answer.holds is None else "does not fire"


def _row(place: str, time: str, rule: str, verdict: str) -> str:
    return f"{place:<24} {time:<19} {verdict:<13} {rule}"


def _place(event: Event) -> str:
    name = event.name if len(event.name) <= 18 else "..." + event.name[-15:]
    return f"{name}:{event.line}"


def _time(time: int | None) -> str:
    """*time*, nanoseconds since 1970, to the second."""
    if time is None or not 0 <= time < 253_402_300_800 * 10**9:
        return "-"
    return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time // 10**9):%Y-%m-%d %H:%M:%S}"


def _because(reason: Reason) -> list[str]:
    span = reason.span()
    where = ""
    if span is not None:
        line, column = span.file.line_column(span.start)
        where = f"{span.file.name}:{line + 1}:{column + 1}"
    if reason.through:
        where += f" (macro {' > '.join(reason.through)})"
    return [told(reason), f"  at {where}"] if where else [told(reason)]


def _reason(reason: Reason) -> dict[str, Any]:
    from falcokit.report.json import place_json

    span = reason.span()
    return {
        "check": reason.text(),
        "holds": reason.holds,
        "fields": dict(reason.values),
        "macros": list(reason.through),
        "place": place_json(span) if span is not None else None,
    }
