"""The form of an alert: its output without what differs from one time to the next.

What tells of the container is taken out; the values of fields that name one container or pod are, wherever they stand; so are the
values of keys for one process or connection, and what looks made up in others (identifiers, clients, times).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from falcokit.overview.severity import PRIORITIES

__all__ = ["Templates", "without_container", "without_volatile"]

_ID: Final = re.compile(
    r"container\.(?:id|full_id|cni\.json|ip|start_ts|duration)|k8s\.pod\.(?:name|id|uid|ip|sandbox_id|full_sandbox_id|cni\.json)|k8s\.(?:rs|rc)\.(?:name|id|uid)"
)
"""Fields whose values name one container or pod: wherever such a value stands, it is that."""
_SURE: Final = frozenset(("container.id", "container.full_id", "k8s.pod.uid", "k8s.pod.id"))
_LEAST: Final = 6
"""How many letters such a value has at least, and a figure among them: other words are names that may mean something else."""
_HEX: Final = r"(?=[0-9a-f]*[0-9])(?=[0-9]*[a-f])[0-9a-f]"
_MADE_UP: Final = re.compile(
    rf"(?P<digest>(?:sha(?:256|512):)?\b{_HEX}{{32,128}}\b)"
    r"|(?P<uuid>\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b)"
    rf"|(?P<id>\b{_HEX}{{12,31}}\b)"
    r"|(?P<time>\b\d{4}-\d\d-\d\d[T_ -]?\d\d[:.-]?\d\d(?:[:.-]?\d\d)?(?:\.\d+)?Z?)"
    r"|(?P<client>(?<![\w:.])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:]{2,39}(?:\d{1,3}(?:\.\d{1,3}){3})?):\d{1,5}->)"
    r"|(?P<pod>(?<=[a-z0-9])-[bcdfghjklmnpqrstvwxz2456789]{8,10}-[bcdfghjklmnpqrstvwxz2456789]{5}\b)"
    r"|(?P<proc>(?<=/proc/)\d+)"
    r"|(?P<temporary>(?<=/)(?:tmp|temp)[._-]?(?=[A-Za-z]*[0-9A-Z])[A-Za-z0-9_]{6,12}\b)"
    r"|(?P<number>(?<![\w.])\d{7,}(?![\w.]))",
    re.DOTALL,
)  # fmt: skip
_MARKS: Final = {"client": "<client>->", "pod": "-<pod>", "temporary": "tmp<name>", "proc": "<pid>"}
_KEYED: Final = re.compile(
    r"(?P<key>(?<![\w.])(?:[\w.]*(?:pid|tid|tty|pgid|lport|cport)|terminal|sid|proc_sid|evt_?time)=)[^\s()|,]+"
)
_BOX: Final = re.compile(
    r"\s*\(id=[0-9a-f]{12,64}\)|\s*(?<![\w.])(?:[\w.]*container[\w.]*|image(?:_\w+)?|k8s[\w.]*|pod|pod_name|id)=[^\s()|,]*"
    r"|(?<=[\s(])[^\s()]{1,200} \(id=[^\s()]{1,80}\)"
)
_HEAD: Final = re.compile(
    r"(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?: (?:Emergency|Alert|Critical|Error|Warning|Notice|Informational|Info|Debug) ",
    re.IGNORECASE,
)
_FIGURE: Final = re.compile(r"\d")
_MAX_TEXT: Final = 2000
_MAX_KNOWN: Final = 50_000
_MAX_PLANS: Final = 10_000
"""How much is remembered; behind that it only gets slower."""


class Templates:
    """The forms of alerts seen so far, by number."""

    def __init__(self, found: Iterable[tuple[str, str]] = ()) -> None:
        self._plans: dict[str, tuple[int, tuple[str, ...]]] = {}
        self._known: dict[tuple[str, str], int] = {}
        self._keyed: dict[tuple[str, str], int] = {}
        self.found: list[tuple[str, str]] = [*found]
        """Rule and text of each form, by its number."""
        self._texts = {form: number for number, form in enumerate(self.found)}

    def number(self, rule: str, output: str, fields: Mapping[str, object]) -> int:
        """The form of an alert of *rule*."""
        shape = output
        if output[2:3] == ":":  # The time of day in front.
            shape = output[output.find(": ", 0, 40) + 2 :]
        if isinstance(fields, dict):
            plan = self._plans.get(rule)
            for name in plan[1] if plan is not None and plan[0] == len(fields) else self._names(rule, fields):
                value = fields.get(name)
                if isinstance(value, str) and len(value) >= _LEAST and (name in _SURE or _FIGURE.search(value)):
                    shape = shape.replace(value, f"<{name}>")
        # Most alerts differ from one before in nothing else; of the others, most in numbers of processes.
        known = self._known.get((rule, shape))
        return self._new(rule, shape) if known is None else known

    def _new(self, rule: str, shape: str) -> int:
        text = shape
        if shape.partition(" ")[0] in PRIORITIES:  # It stood behind the time.
            text = shape.partition(" ")[2]
        keyed = _KEYED.sub(_key, text)
        known = self._keyed.get((rule, keyed))
        if known is None:
            known = self._of_text(rule, without_volatile(without_container(keyed)))
        for held, key in ((self._known, shape), (self._keyed, keyed)):
            if len(held) >= _MAX_KNOWN:
                held.clear()
            held[rule, key] = known
        return known

    def _names(self, rule: str, fields: Mapping[str, object]) -> tuple[str, ...]:
        """The fields of the alerts of *rule* that name one container or pod: these have the same ones, as long as there are as many."""
        plan = self._plans.get(rule)
        if plan is None or plan[0] != len(fields):
            if len(self._plans) >= _MAX_PLANS:
                self._plans.clear()
            plan = self._plans[rule] = (len(fields), tuple([name for name in fields if _ID.fullmatch(name)]))
        return plan[1]

    def _of_text(self, rule: str, text: str) -> int:
        number = self._texts.get((rule, text))
        if number is None:
            number = self._texts[rule, text] = len(self.found)
            self.found.append((rule, text))
        return number


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


def _key(found: re.Match[str]) -> str:
    return f"{found['key']}<{found['key'][:-1]}>"
