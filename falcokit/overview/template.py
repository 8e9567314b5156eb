"""The form of an alert: its output without what differs from one time to the next.

What tells of the container is taken out; the values of fields that name one container or pod are, wherever they stand; so are the
values of keys for one process or connection, and what looks made up in others (identifiers, clients, times).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from falcokit.overview.severity import PRIORITIES

__all__ = ["MIXED", "MOST_FORMS", "Templates", "without_container", "without_volatile"]

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
_WHOLE: Final = ("terminal", "sid", "proc_sid", "evt_time", "evttime")
_VALUE: Final = re.compile(
    rf"=(?:(?<=[pt]id=)|(?<=tty=)|(?<=pgid=)|(?<=[lc]port=)|{'|'.join(f'(?<={key}=)(?<![a-zA-Z0-9_.]{key}=)' for key in _WHOLE)})[^\s()|,]+"
)
"""The same values, found in a sixth of the time."""
_BOX: Final = re.compile(
    r"\s*\(id=[0-9a-f]{12,64}\)|\s*(?<![\w.])(?:[\w.]*container[\w.]*|image(?:_\w+)?|k8s[\w.]*|pod|pod_name|id)=[^\s()|,]*"
    r"|(?<=[\s(])[^\s()]{1,200} \(id=[^\s()]{1,80}\)"
)
_HEAD: Final = re.compile(
    r"(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?: (?:Emergency|Alert|Critical|Error|Warning|Notice|Informational|Info|Debug) ",
    re.IGNORECASE,
)
_ASSIGNED: Final = re.compile(r"(?<![^\s(|])([\w.\[\]]{1,100})=")
_FIGURE: Final = re.compile(r"\d")
_UNTIDY: Final = re.compile(r"\s+(?=\))|(?<=\()\s+|(?<=\s)\s+")
_SPANNING: Final = re.compile(r":\d\d:\d\d|-\d\d |\(id=|\0")
"""What is looked for over several words: moments, and containers with their identifiers."""
_GONE: Final = re.compile(r"\s*\0")
MOST_FORMS: Final = 5_000
"""How many forms of a rule a history has: nobody looks at more, and memory would grow with them."""
MIXED: Final = " ..."
_MAX_TEXT: Final = 2000
_MAX_WORDS: Final = 1500
"""Longer texts may have more than `_MAX_TEXT` letters once they have marks in them."""
_MAX_KNOWN: Final = 50_000
_MAX_PLANS: Final = 10_000
"""How much is remembered; behind that it only gets slower."""


class Templates:
    """The forms of alerts seen so far, by number.

    A rule that has *most* forms has no more that tell the values in its output; the text of those ends in `MIXED`.
    """

    def __init__(self, found: Iterable[tuple[str, str]] = (), most: int | None = None) -> None:
        self._plans: dict[tuple[str, int], tuple[str, ...]] = {}
        self._known: dict[tuple[str, str], int] = {}
        self.found: list[tuple[str, str]] = [*found]
        """Rule and text of each form, by its number."""
        self._texts = {form: number for number, form in enumerate(self.found)}
        self._most: Final = most
        self._counts = Counter([rule for rule, _ in self.found])

    def number(self, rule: str, output: str, fields: Mapping[str, object]) -> int:
        """The form of an alert of *rule*."""
        shape = output
        if output[2:3] == ":":  # The time of day in front.
            shape = output[output.find(": ", 0, 40) + 2 :]
        if isinstance(fields, dict):
            names = self._plans.get((rule, len(fields)))
            for name in self._names(rule, fields) if names is None else names:
                value = fields.get(name)
                if isinstance(value, str) and len(value) >= _LEAST and (name in _SURE or _FIGURE.search(value)):
                    shape = shape.replace(value, f"<{name}>")
        # Most alerts differ from one before in nothing else; of the others, most in numbers of processes.
        known = self._known.get((rule, shape))
        if known is None:
            plain = _VALUE.sub("=", shape)
            known = self._known.get((rule, plain))
            if known is None:
                known = self._new(rule, shape)
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[rule, shape] = self._known[rule, plain] = known
        return known

    def _new(self, rule: str, shape: str) -> int:
        first, _, rest = shape.partition(" ")
        return self._of_text(rule, _form(rest if first in PRIORITIES else shape))  # It stood behind the time.

    def _names(self, rule: str, fields: Mapping[str, object]) -> tuple[str, ...]:
        """The fields of the alerts of *rule* that name one container or pod: those with as many fields have the same ones."""
        if len(self._plans) >= _MAX_PLANS:
            self._plans.clear()
        names = self._plans[rule, len(fields)] = tuple([name for name in fields if _ID.fullmatch(name)])
        return names

    def _of_text(self, rule: str, text: str) -> int:
        number = self._texts.get((rule, text))
        if number is None and self._most is not None and self._counts[rule] >= self._most:
            text = (_without_values(text) if self._counts[rule] < 2 * self._most else "<*>") + MIXED
            number = self._texts.get((rule, text))
        if number is None:
            number = self._texts[rule, text] = len(self.found)
            self._counts[rule] += 1
            self.found.append((rule, text))
        return number


def _form(text: str) -> str:
    """*text* without what tells of the container, of one process or connection, or looks made up.

    Most words are as in other texts, and are looked at once only.
    """
    if len(text) > _MAX_WORDS or _SPANNING.search(text):
        return without_volatile(without_container(_KEYED.sub(_key, text)))
    return _tidied(_GONE.sub("", " ".join(map(_word, text.split(" ")))))


@lru_cache(maxsize=20_000)
def _word(text: str) -> str:
    """What `_form` makes of one word; it begins with NUL where the blanks in front of it go with it."""
    return without_volatile(_boxless(_KEYED.sub(_key, text) if "=" in text else text))


@lru_cache(maxsize=20_000)
def _boxless(text: str) -> str:
    """One word without what tells of the container; it begins with NUL where the blanks in front of it go with it."""
    found = _BOX.search(text) if "=" in text else None
    return text if found is None else f"{'' if found.start() else chr(0)}{_BOX.sub('', text)}"


def without_volatile(text: str) -> str:
    """*text* with a mark in the place of what looks made up for one time."""
    return _MADE_UP.sub(_mark, text)


def _without_values(text: str) -> str:
    """*text* with a mark in the place of each value behind a key, up to the next key."""
    first, *rest = _ASSIGNED.split(text)
    found = [first]
    for key, value in zip(rest[::2], rest[1::2], strict=True):
        found.append(f"{key}=<{key}>{value[len(value.rstrip(' (|')) :]}")
    last = rest[-1] if rest else ""
    return "".join(found) + last[len(last.rstrip(")")) :]


def without_container(output: str, headed: bool = True) -> str:
    """*output* without what tells of the container, and the time and priority in front of it, if it is *headed*; all else stays."""
    text = output[:_MAX_TEXT]
    if headed:
        text = _HEAD.sub("", text, count=1)
    if "(id=" in text or "\0" in text:  # What is looked for has several words.
        return _tidied(_BOX.sub("", text))
    return _tidied(_GONE.sub("", " ".join(map(_boxless, text.split(" ")))))


def _tidied(text: str) -> str:
    """*text* without blanks that stand there for nothing, and without empty parentheses."""
    if "  " in text or " )" in text or "( " in text or not text.isprintable():
        text = _UNTIDY.sub("", text)
    return text.replace("()", "").strip()


def _mark(found: re.Match[str]) -> str:
    kind = found.lastgroup or ""
    return _MARKS.get(kind) or f"<{kind}>"


def _key(found: re.Match[str]) -> str:
    return f"{found['key']}<{found['key'][:-1]}>"
