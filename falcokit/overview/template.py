"""The form of an alert: its output without what differs from one time to the next.

The fields of an alert tell which parts of its output are values.  Values of fields that name one process, one container or
one moment are taken out whole; in others what looks made up (identifiers, ports of clients, numbers of processes) is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

__all__ = ["Templates", "without_container", "without_volatile"]

_VOLATILE: Final = re.compile(
    r"(?:container\..*|k8s\..*|evt\.(?:time|datetime|rawtime|num|latency|deltatime|reltime|hostname).*"
    r"|(?:proc|thread)\.(?:pid|ppid|vpid|apid|vpgid|pgid|sid|sname|tid|vtid|tty|ttyuid|pcap_.*|ppid.*|duration|ppid\.duration|pid\.ts|ppid\.ts|.*\.ts|exe_ino.*|nthreads|nchilds|vmsize.*|vmrss.*|pgid.*|vpgid.*|sid\..*|acmdline.*|aname.*|aexe.*)"
    r"|fd\.(?:lport|cport|rport\.ephemeral|ino|dev.*|num|uid|containername|containerdirectory)|mesos\..*|marathon\..*|ka\.(?:auditid|useragent|sourceips.*)|jevt\.time.*|jevt\.rawtime|container)",
)  # fmt: skip
_CONTAINER: Final = re.compile(r"(?:container|k8s|mesos|marathon)\..*|container")
_HEX: Final = r"(?=[0-9a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]"
_MADE_UP: Final = re.compile(
    rf"(?P<digest>(?:sha(?:256|512):)?\b{_HEX}{{32,128}}\b)"
    r"|(?P<uuid>\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b)"
    rf"|(?P<id>\b{_HEX}{{12,31}}\b)"
    r"|(?P<time>\b\d{4}-\d\d-\d\d[T_ -]?\d\d[:.-]?\d\d(?:[:.-]?\d\d)?(?:\.\d+)?Z?)"
    r"|(?P<client>\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}:\d{1,5}->)"
    r"|(?P<pod>(?<=[a-z0-9])-[bcdfghjklmnpqrstvwxz2456789]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b)"
    r"|(?P<proc>(?<=/proc/)\d+)"
    r"|(?P<temporary>(?<=/)(?:tmp|temp)[._-]?(?=[A-Za-z]*[0-9A-Z])[A-Za-z0-9_]{6,12}\b)"
    r"|(?P<number>(?<![\w.])\d{5,}(?![\w.]))",
    re.DOTALL,
)  # fmt: skip
_MARKS: Final = {"client": "<client>->", "pod": "-<pod>", "temporary": "tmp<name>", "proc": "<pid>"}
_KEYED: Final = re.compile(
    r"(?P<key>\b(?:pid|ppid|vpid|tid|terminal|tty|pgid|sid|lport|cport|container_id|container_name|container_image|container_image_repository|container_image_tag|image|k8s_pod(?:_name)?|k8s_ns(?:_name)?|k8s\.pod|k8s\.ns|container|evt_time)=)[^\s()|,]+"
)
_BOX: Final = re.compile(
    r"\s*\(id=[0-9a-f]{12,64}\)|\s*\b(?:container|container_id|container_name|container_image|container_image_repository|container_image_tag|image|k8s_ns|k8s_ns_name|k8s_pod|k8s_pod_name|k8s\.ns|k8s\.pod|id)=[^\s()|,]*"
    r"|(?<=[\s(])[^\s()]{1,200} \(id=[^\s()]{1,80}\)"
)  # fmt: skip
_HEAD: Final = re.compile(
    r"(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?: (?:Emergency|Alert|Critical|Error|Warning|Notice|Informational|Info|Debug) ",
    re.IGNORECASE,
)
_MAX_TEXT: Final = 2000
_MAX_KNOWN: Final = 50_000
_MAX_PLANS: Final = 10_000
"""How much is remembered; behind that it only gets slower."""


class Templates:
    """The forms of alerts seen so far, by number."""

    def __init__(self, found: Iterable[tuple[str, str]] = ()) -> None:
        self._plans: dict[str, _Plan] = {}
        self._known: dict[tuple[str, str], int] = {}
        self.found: list[tuple[str, str]] = [*found]
        """Rule and text of each form, by its number."""
        self._texts = {form: number for number, form in enumerate(self.found)}

    def number(self, rule: str, output: str, fields: Mapping[str, object]) -> int:
        """The form of an alert of *rule*."""
        shape = output
        if output[2:3] == ":":  # The time of day in front.
            shape = output[output.find(": ", 0, 40) + 2 :]
        if fields.__class__ is dict:
            plan = self._plans.get(rule)
            if plan is None or plan.count != len(fields):
                plan = self._plan(rule, output, fields)
            # Most alerts differ from one before in nothing but the values of fields that tell one time from another.
            for value in plan.values(fields):
                if value.__class__ is int and value > 99:
                    value = str(value)
                if value.__class__ is str and len(value) > 2:
                    shape = shape.replace(value, "\0")
        known = self._known.get((rule, shape))
        if known is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            known = self._known[rule, shape] = self._of_text(rule, _text(output, fields))
        return known

    def _plan(self, rule: str, output: str, fields: Mapping[str, object]) -> _Plan:
        if len(self._plans) >= _MAX_PLANS:
            self._plans.clear()
        names = [name for name, value in fields.items() if _VOLATILE.fullmatch(name) and str(value) in output]
        plan = self._plans[rule] = _Plan(len(fields), _getter(names))
        return plan

    def _of_text(self, rule: str, text: str) -> int:
        number = self._texts.get((rule, text))
        if number is None:
            number = self._texts[rule, text] = len(self.found)
            self.found.append((rule, text))
        return number


class _Plan:
    """How many fields the alerts of a rule have, and what gives the values of those that tell one time from another."""

    __slots__ = ("count", "values")

    def __init__(self, count: int, values: Callable[[Mapping[str, object]], Iterable[Any]]) -> None:
        self.count = count
        self.values = values


def _getter(names: Sequence[str]) -> Callable[[Mapping[str, object]], Iterable[Any]]:
    if len(names) < 2:
        return lambda fields: [fields.get(name) for name in names]
    fast: Callable[[Mapping[str, object]], tuple[Any, ...]] = itemgetter(*names)

    def values(fields: Mapping[str, object]) -> Iterable[Any]:
        try:
            return fast(fields)
        except KeyError:
            return [fields.get(name) for name in names]

    return values


def without_volatile(text: str) -> str:
    """*text* with a mark in the place of what looks made up for one time."""
    return _MADE_UP.sub(_mark, text)


def without_container(output: str) -> str:
    """*output* without what tells of the container, and the time and priority in front of it; all else stays."""
    text = _BOX.sub("", _HEAD.sub("", output[:_MAX_TEXT], count=1))
    return re.sub(r"\s+(?=\))|(?<=\()\s+|(?<=\s)\s+", "", text).replace("()", "").strip()


def _mark(found: re.Match[str]) -> str:
    kind = found.lastgroup or ""
    return _MARKS.get(kind) or f"<{kind}>"


def _text(output: str, fields: Mapping[str, object]) -> str:
    """The output with the values of volatile fields, and what looks made up in others, replaced by marks."""
    text = without_container(output)
    values: list[tuple[str, str]] = []
    for name, value in fields.items() if isinstance(fields, dict) else ():
        if isinstance(value, (str, int)) and not isinstance(value, bool) and _VOLATILE.fullmatch(name):
            told = str(value)
            if len(told) > 1 and told not in ("host", "<NA>"):
                values.append((told, f"<{name}>"))
    for told, mark in sorted(values, key=lambda pair: -len(pair[0])):
        text = re.sub(rf"(?<![\w.-]){re.escape(told)}(?![\w-])", lambda _, mark=mark: mark, text)  # type: ignore[misc]
    return without_volatile(_KEYED.sub(lambda found: found["key"] + "<" + found["key"][:-1] + ">", text))
