"""Reading test files: YAML with a place for everything, so that what is wrong can be shown where it stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from falcokit.case.model import Case, Expected, Named, Setup, TestFile
from falcokit.diagnostic import Diagnostic
from falcokit.document import Mapping, Node, Scalar, Sequence, compose, key_text
from falcokit.ruleset.suggest import nearest
from falcokit.source import SourceFile, Span

__all__ = ["CASE_KEYS", "EXPECT_KEYS", "FILE_KEYS", "read_test_file"]

_SETUP_KEYS: Final = ("source", "enable", "macros", "lists")
EXPECT_KEYS: Final = ("fires", "silent", "unknown", "output", "reason")
FILE_KEYS: Final = ("rules", "defaults", "rule_matching", *_SETUP_KEYS, "cases")
CASE_KEYS: Final = ("name", "fields", "event", "events", "line", "complete", *_SETUP_KEYS, "expect", "table")
_MAX_CASES: Final = 100_000


class _Reading:
    """One file being read, and what was found wrong."""

    def __init__(self, file: SourceFile) -> None:
        self.file: Final = file
        self.found: Final[list[Diagnostic]] = []

    def wrong(self, node: Node, message: str, help: str = "") -> None:
        """Note that *node* is wrong."""
        self.found.append(
            Diagnostic("invalid-test", message, Span(self.file, node.start, max(node.end, node.start + 1)), help)
        )

    def named(self, node: Node) -> Named:
        text = node.value if isinstance(node, Scalar) else ""
        return Named(text, Span(self.file, node.start, node.end))

    def mapping(self, node: Node | None, what: str, keys: Iterable[str] = ()) -> Mapping | None:
        """*node* as a mapping with no keys but *keys*, if any are given."""
        if node is None:
            return None
        if not isinstance(node, Mapping):
            self.wrong(node, f"{what} must be a mapping of keys and values")
            return None
        seen: set[str] = set()
        known = tuple(keys)
        for key, _ in node.pairs:
            if not isinstance(key, Scalar):
                self.wrong(key, "a key must be a text")
                continue
            name = key_text(key)
            if name in seen:
                self.wrong(key, f"`{name}` is given twice", "leave one of the two")
            seen.add(name)
            if known and name not in known:
                near = nearest(name, known)
                self.wrong(
                    key,
                    f"there is no key `{name}` in {what}",
                    f"did you mean `{near[0]}`?" if near else f"keys: {', '.join(known)}",
                )
        return node

    def text(self, node: Node | None, what: str) -> Named | None:
        """*node* as a text that is not empty."""
        if node is None:
            return None
        if not isinstance(node, Scalar) or node.null or not node.value:
            self.wrong(node, f"{what} must be a text")
            return None
        return self.named(node)

    def texts(self, node: Node | None, what: str) -> tuple[Named, ...]:
        """*node* as texts: one, or a sequence of them."""
        if node is None:
            return ()
        nodes = node.items if isinstance(node, Sequence) else (node,)
        return tuple([named for item in nodes if (named := self.text(item, what)) is not None])

    def truth(self, node: Node | None, what: str) -> bool | None:
        """*node* as ``true`` or ``false``."""
        if node is None:
            return None
        if isinstance(node, Scalar) and node.value.lower() in ("true", "false"):
            return node.value.lower() == "true"
        self.wrong(node, f"{what} must be true or false")
        return None


def read_test_file(file: SourceFile) -> tuple[TestFile | None, tuple[Diagnostic, ...]]:
    """The test file in *file*, and what is wrong with it; with an error the cases that could be read are there still."""
    reading = _Reading(file)
    documents, error = compose(file)
    if error is not None:
        place = Span(file, error.offset, error.offset + 1)
        return None, (Diagnostic("invalid-test", f"the file is not YAML: {error.message}", place),)
    root = documents[0].root if documents else None
    if root is None:
        return None, (
            Diagnostic("invalid-test", "the file is empty", Span(file, 0, 0), "write `cases:` with a case below it"),
        )
    if len(documents) > 1:
        reading.wrong(documents[1].root or Scalar("", documents[1].start, documents[1].start, "", True),
                      "a test file is one document", "remove the `---`")  # fmt: skip
    top = reading.mapping(root, "a test file", FILE_KEYS)
    if top is None:
        return None, tuple(reading.found)
    rules = (
        reading.texts(top.get("rules"), "`rules`: the path of a rules file") if top.get("rules") is not None else None
    )
    cases: list[Case] = []
    setup = _setup(reading, top)
    nodes = top.get("cases")
    if not isinstance(nodes, Sequence) or not nodes.items:
        reading.wrong(
            nodes or Scalar("", top.start, top.start, "", True), "a test file needs `cases`: a sequence of cases"
        )
    else:
        for node in nodes.items:
            cases += _cases(reading, node, setup)
            if len(cases) > _MAX_CASES:
                reading.wrong(node, f"more than {_MAX_CASES} cases in one file")
                break
    return TestFile(file, rules, _defaults(reading, top.get("defaults")), _matching(reading, top), tuple(cases)), tuple(
        reading.found
    )


def _matching(reading: _Reading, top: Mapping) -> str:
    found = reading.text(top.get("rule_matching"), "`rule_matching`")
    if found is not None and found.text not in ("all", "first"):
        reading.wrong(top.get("rule_matching") or top, "`rule_matching` must be `all` or `first`")
    return "first" if found is not None and found.text == "first" else "all"


def _defaults(reading: _Reading, node: Node | None) -> tuple[Named, ...] | None:
    """The default files, None for the usual ones."""
    if node is None or (isinstance(node, Scalar) and node.value.lower() == "true"):
        return None
    if isinstance(node, Scalar) and node.value.lower() == "false":
        return ()
    return reading.texts(node, "`defaults`: the path of a rules file, or true or false")


def _setup(reading: _Reading, node: Mapping) -> Setup:
    enable = reading.texts(node.get("enable"), "`enable`: the name of a rule")
    every = [name for name in enable if name.text == "all"]
    macros: list[tuple[Named, Named]] = []
    given = reading.mapping(node.get("macros"), "`macros`")
    for key, value in given.pairs if given is not None else ():
        condition = reading.text(value, "a macro's condition")
        if isinstance(key, Scalar) and condition is not None:
            macros.append((reading.named(key), condition))
    lists: list[tuple[Named, tuple[Named, ...]]] = []
    given = reading.mapping(node.get("lists"), "`lists`")
    for key, value in given.pairs if given is not None else ():
        if isinstance(key, Scalar):
            lists.append((reading.named(key), reading.texts(value, "an item of a list")))
    return Setup(
        reading.text(node.get("source"), "`source`"), tuple([name for name in enable if name not in every]), bool(every), tuple(macros), tuple(lists)
    )  # fmt: skip


def _cases(reading: _Reading, node: Node, outer: Setup) -> list[Case]:
    """The case *node*, or one for each row of its table."""
    case = reading.mapping(node, "a case", CASE_KEYS)
    if case is None:
        return []
    name = reading.text(case.get("name"), "a case's name")
    if case.get("name") is None:
        reading.wrong(node, "a case needs a `name`", "say in a few words what it is about")
    title = name.text if name is not None else "?"
    kinds = [key for key in ("event", "events") if case.get(key) is not None]
    if len(kinds) == 2:
        reading.wrong(case.key("events") or node, "a case has one `event`, or all `events` of a file, not both")
    if not kinds and case.get("fields") is None and case.get("table") is None:
        reading.wrong(node, "a case needs an event", "give its `fields`, or the path of a file as `event` or `events`")
    path = reading.text(case.get(kinds[0]), f"`{kinds[0]}`: the path of a file") if kinds else None
    fields = _fields(reading, case.get("fields"))
    line = reading.text(case.get("line"), "`line`")
    if line is not None and not (line.text.isdecimal() and line.text.isascii() and len(line.text) < 10):
        reading.wrong(case.get("line") or node, "`line` must be the number of a line")
        line = None
    setup = _setup(reading, case).on_top_of(outer)
    expect = case.get("expect")
    expected = _expected(reading, reading.mapping(expect, "`expect`", EXPECT_KEYS))
    whole = Case(
        title,
        Span(reading.file, name.span.start if name is not None else node.start, name.span.end if name is not None else node.end),
        fields,
        expected,
        setup,
        path,
        kinds == ["events"],
        int(line.text) if line is not None else None,
        reading.truth(case.get("complete"), "`complete`"),
    )  # fmt: skip
    table = case.get("table")
    if table is None:
        if not _says_something(expected):
            reading.wrong(
                expect or node, "a case must expect something", "`expect: {fires: [a rule], silent: [another]}`"
            )
            return []
        return [whole]
    if not isinstance(table, Sequence) or not table.items:
        reading.wrong(table, "`table` must be a sequence of rows")
        return []
    rows = [_row(reading, row, whole, number) for number, row in enumerate(table.items, 1)]
    return [row for row in rows if row is not None]


def _row(reading: _Reading, node: Node, whole: Case, number: int) -> Case | None:
    """One row of a table: keys with a dot are fields, the others say what is expected, and both go over those of the case."""
    row = reading.mapping(node, "a row")
    if row is None:
        return None
    fields = {name.text: (name, value) for name, value in whole.fields}
    texts: list[str] = []
    expectations: list[tuple[Node, Node]] = []
    title = None
    for key, value in row.pairs:
        if not isinstance(key, Scalar):
            continue
        name = reading.named(key)
        if name.text == "name":
            title = reading.text(value, "a row's name")
        elif "." in name.text:
            fields[name.text] = (name, value)
            texts.append(f"{name.text}={value.value if isinstance(value, Scalar) else '...'}")
        elif name.text in EXPECT_KEYS:
            expectations.append((key, value))
        else:
            near = nearest(name.text, EXPECT_KEYS)
            reading.wrong(key, f"`{name.text}` is neither a field nor `name`, {', '.join(EXPECT_KEYS)}", f"did you mean `{near[0]}`?" if near else "")  # fmt: skip
    own = _expected(reading, Mapping(tuple(expectations), node.start, node.end, False))
    expected = own if _says_something(own) else whole.expected
    if not _says_something(expected):
        reading.wrong(node, "a row must expect something", "add `fires:` or `silent:`, or `expect:` to the case")
        return None
    label = title.text if title is not None else " ".join(texts) or f"row {number}"
    return whole.replaced(
        name=f"{whole.name}: {label}",
        span=title.span if title is not None else Span(reading.file, node.start, min(node.end, node.start + 80)),
        fields=tuple(fields.values()),
        expected=expected,
    )


def _fields(reading: _Reading, node: Node | None) -> tuple[tuple[Named, object], ...]:
    found = reading.mapping(node, "`fields`")
    return tuple(
        [
            (reading.named(key), value)
            for key, value in (found.pairs if found is not None else ())
            if isinstance(key, Scalar)
        ]
    )


def _expected(reading: _Reading, node: Mapping | None) -> Expected:
    if node is None:
        return Expected()
    fires = node.get("fires")
    nothing = fires if isinstance(fires, Sequence) and not fires.items else None
    output: list[tuple[Named | None, Named]] = []
    given = node.get("output")
    if isinstance(given, Mapping):
        for key, value in given.pairs:
            text = reading.text(value, "an output")
            if isinstance(key, Scalar) and text is not None:
                output.append((reading.named(key), text))
    elif (text := reading.text(given, "`output`")) is not None:
        output.append((None, text))
    return Expected(
        reading.texts(fires, "`fires`: the name of a rule") if nothing is None else (),
        reading.texts(node.get("silent"), "`silent`: the name of a rule"),
        reading.texts(node.get("unknown"), "`unknown`: the name of a rule"),
        Span(reading.file, nothing.start, nothing.end) if nothing is not None else None,
        tuple(output),
        reading.texts(node.get("reason"), "`reason`: a field or a check"),
    )


def _says_something(expected: Expected) -> bool:
    return bool(expected.fires or expected.silent or expected.unknown or expected.nothing or expected.output)
