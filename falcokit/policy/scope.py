"""Reading and checking scope expressions, such as ``kubernetes.namespace.name != "dev" and container.image.repo starts with "shop/"``."""

from __future__ import annotations

import json
import re
from typing import Final

from falcokit.record import Record

__all__ = ["LABELS", "Clause", "Scope", "ScopeError", "read_scope"]

LABELS: Final = (
    "host.hostName", "host.mac", "host.ip.private", "host.ip.public", "container.id", "container.name", "container.image.repo", "container.image.tag",
    "container.image.digest", "container.image.id", "kubernetes.cluster.name", "kubernetes.namespace.name", "kubernetes.deployment.name",
    "kubernetes.daemonSet.name", "kubernetes.statefulSet.name", "kubernetes.replicaSet.name", "kubernetes.job.name", "kubernetes.cronJob.name",
    "kubernetes.pod.name", "kubernetes.node.name", "kubernetes.service.name", "kubernetes.workload.name", "kubernetes.workload.type",
    "cloudProvider.account.id", "cloudProvider.availabilityZone", "cloudProvider.region", "cloudProvider.instance.id", "cloudProvider.name",
    "aws.accountId", "aws.instanceId", "aws.region", "gcp.projectId", "azure.subscriptionId", "agent.version",
)  # fmt: skip
"""The labels that scopes mostly use; beside them there are ``agent.tag.*``, ``container.label.*`` and Kubernetes labels of any name."""
_OPEN: Final = ("agent.tag.", "container.label.", "host.label.", "kubernetes.pod.label.", "kubernetes.namespace.label.", "kubernetes.deployment.label.", "kubernetes.node.label.")  # fmt: skip
_OF_CONTAINERS: Final = ("container.", "kubernetes.")
_ON_HOSTS_TOO: Final = ("kubernetes.cluster.", "kubernetes.node.")
_MAX_LENGTH: Final = 20_000
_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<sign>!=|=|\(|\)|,)|(?P<word>[^\s=!(),"']+))"""
)
_WORD_OPERATORS: Final = {
    ("in",): ("in", False), ("not", "in"): ("in", True), ("contains",): ("contains", False), ("not", "contains"): ("contains", True),
    ("does", "not", "contain"): ("contains", True), ("starts", "with"): ("starts with", False), ("startswith",): ("starts with", False),
    ("not", "starts", "with"): ("starts with", True),
}  # fmt: skip


class ScopeError(ValueError):
    """What is wrong with a scope; ``offset`` is the character."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class Clause(Record):
    """One comparison: a ``label``, ``=``, ``!=``, ``in``, ``contains`` or ``starts with``, and ``values``; ``negated`` by a ``not``."""

    __slots__ = ("label", "negated", "operator", "values")

    def __init__(self, label: str, operator: str, values: tuple[str, ...], negated: bool = False) -> None:
        self.label: Final = label
        self.operator: Final = operator
        self.values: Final = values
        self.negated: Final = negated

    def text(self) -> str:
        """The clause as Sysdig writes it."""
        quoted = [json.dumps(value, ensure_ascii=False) for value in self.values]
        right = f"({', '.join(quoted)})" if self.operator == "in" else quoted[0]
        return f"{'not ' if self.negated else ''}{self.label} {self.operator} {right}"


class Scope(Record):
    """Clauses that must all hold, and what there is to say of them."""

    __slots__ = ("clauses", "notes")

    def __init__(self, clauses: tuple[Clause, ...], notes: tuple[str, ...]) -> None:
        self.clauses: Final = clauses
        self.notes: Final = notes

    def text(self) -> str:
        """The scope in its usual form."""
        return " and ".join([clause.text() for clause in self.clauses])

    @property
    def applies_to(self) -> str:
        """``hosts and containers``, or ``containers only``: a label that hosts do not have cannot hold for one."""
        return (
            "containers only"
            if any(_of_containers(clause.label) for clause in self.clauses)
            else "hosts and containers"
        )


def _of_containers(label: str) -> bool:
    return label.startswith(_OF_CONTAINERS) and not label.startswith(_ON_HOSTS_TOO)


def read_scope(text: str) -> Scope:
    """The scope that *text* writes.  Raises `ScopeError`."""
    if len(text) > _MAX_LENGTH:
        raise ScopeError(f"a scope of more than {_MAX_LENGTH} characters", _MAX_LENGTH)
    reading = _Reading(text)
    clauses = [reading.clause()]
    while not reading.at_end:
        word, at = reading.take()
        if word.lower() != "and":
            hint = (
                "a scope has no `or`: write `in (...)`, or a policy for each"
                if word.lower() == "or"
                else "clauses are joined by `and`"
            )
            raise ScopeError(f"`{word}` cannot stand here: {hint}", at)
        clauses.append(reading.clause())
    return Scope(tuple(clauses), tuple(_notes(clauses)))


def _notes(clauses: list[Clause]) -> list[str]:
    notes = []
    for clause in clauses:
        if clause.label == "container.image.repository":
            notes.append(
                "the label of a scope is `container.image.repo`; `container.image.repository` is a field of rules"
            )
        elif clause.label not in LABELS and not clause.label.startswith(_OPEN):
            from falcokit.ruleset.suggest import nearest

            near = nearest(clause.label, LABELS)
            notes.append(
                f"`{clause.label}` is no label that is known" + (f": did you mean `{near[0]}`?" if near else "")
            )
        if clause.operator in ("contains", "starts with") and clause.values == ("",):
            notes.append(f"every `{clause.label}` {clause.operator} the empty text")
    outright: dict[str, frozenset[str]] = {}
    for clause in clauses:
        if clause.operator in ("=", "in") and not clause.negated:
            values = frozenset(clause.values)
            known = outright.get(clause.label)
            if known is not None and known.isdisjoint(values):
                notes.append(f"nothing is in this scope: `{clause.label}` would have to be two things at once")
            outright[clause.label] = values if known is None else known & values
    return notes


class _Reading:
    """The tokens of a scope, one after the other."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, bool, int]] = []
        self._at = 0
        self._end = len(text)
        at = 0
        while at < len(text.rstrip()):
            found = _TOKEN.match(text, at)
            if found is None:
                raise ScopeError(
                    "a quote is never closed" if text[at:].lstrip()[:1] in "\"'" else "this cannot be read", at
                )
            quoted = found["text"] is not None
            token = re.sub(r"\\(.)", r"\1", found["text"][1:-1]) if quoted else found[0].strip()
            self._tokens.append((token, quoted, found.end() - len(found[0].lstrip())))
            at = found.end()

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._tokens)

    def take(self, what: str = "more") -> tuple[str, int]:
        """The next token, and where it stands."""
        if self.at_end:
            raise ScopeError(f"the scope ends where {what} is expected", self._end)
        token, _, at = self._tokens[self._at]
        self._at += 1
        return token, at

    def _next_is(self, *words: str) -> bool:
        following = self._tokens[self._at : self._at + len(words)]
        return len(following) == len(words) and all(
            not quoted and token.lower() == word for (token, quoted, _), word in zip(following, words, strict=True)
        )

    def clause(self) -> Clause:
        negated = self._next_is("not")
        self._at += negated
        label, at = self.take("a label")
        if not re.fullmatch(r"[A-Za-z][\w/-]*(?:\.[\w/-]+)+", label):
            raise ScopeError(f"`{label}` is no label: these have dots, such as kubernetes.namespace.name", at)
        if self._next_is("=") or self._next_is("!="):
            operator, _ = self.take()
            return Clause(label, operator, (self._value(),), negated)
        for words, (operator, turned) in _WORD_OPERATORS.items():
            if self._next_is(*words):
                self._at += len(words)
                values = self._values() if operator == "in" else (self._value(),)
                return Clause(label, operator, values, negated is not turned)
        word, at = self.take("an operator")
        raise ScopeError(f"`{word}` is no operator: =, !=, in, not in, contains, starts with", at)

    def _value(self) -> str:
        token, at = self.take("a value")
        if token in ("(", ")", ",") and not self._tokens[self._at - 1][1]:
            raise ScopeError(f"`{token}` is no value", at)
        return token

    def _values(self) -> tuple[str, ...]:
        token, at = self.take("`(`")
        if token != "(":
            raise ScopeError("`in` takes values in parentheses", at)
        values = [self._value()]
        while True:
            token, at = self.take("`)`")
            if token == ")":
                return tuple(values)
            if token != ",":
                raise ScopeError("values are separated by commas", at)
            values.append(self._value())
