"""What can be wrong, and one finding of it at one place.

`KINDS` is the single table of the findings that reading and resolving rules files gives: our name and code, Falco's
code beside it (people search for that one), how bad it is, and one sentence.  Codes are never used twice.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from falcokit.record import Record
from falcokit.source import SourceFile, Span

__all__ = [
    "KINDS", "Confidence", "Diagnostic", "Edit", "FalcoPlace", "Fix", "Kind", "Label", "Problem", "Severity", "Step",
]  # fmt: skip


class Severity(IntEnum):
    """How bad a finding is; errors keep Falco from loading the file."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    @property
    def word(self) -> str:
        """The lower-case word used in options and output."""
        return self.name.lower()


class Confidence(IntEnum):
    """How sure a finding is; what Falco itself would say is certain."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def word(self) -> str:
        """The lower-case word used in options and output."""
        return self.name.lower()


class Kind(Record):
    """One kind of finding: our name and code, Falco's code where it has one, severity, one sentence, how sure it is."""

    __slots__ = ("about", "code", "confidence", "falco", "name", "severity")

    def __init__(
        self,
        name: str,
        code: str,
        falco: str,
        severity: Severity,
        about: str,
        confidence: Confidence = Confidence.HIGH,
    ) -> None:
        self.name: Final = name
        self.code: Final = code
        self.falco: Final = falco
        self.severity: Final = severity
        self.about: Final = about
        self.confidence: Final = confidence


class Edit(Record):
    """A change to one file: the characters of *span* give way to *text*."""

    __slots__ = ("span", "text")

    def __init__(self, span: Span, text: str) -> None:
        self.span: Final = span
        self.text: Final = text


class Fix(Record):
    """Edits that mend a finding, all or none of them; ``safe`` ones change nothing about what Falco does or would do
    if the author's mistake were none."""

    __slots__ = ("edits", "message", "safe")

    def __init__(self, message: str, edits: tuple[Edit, ...], safe: bool = True) -> None:
        self.message: Final = message
        self.edits: Final = edits
        self.safe: Final = safe


class Problem(Record):
    """A finding inside one condition or output text, before anyone knows which file the text came from.

    ``start`` and ``end`` are the wrong bytes of the text's UTF-8, ``at`` is the byte where Falco reports it.
    ``unknown_filter`` marks the failures that ``skip-if-unknown-filter: true`` turns into a warning; ``ends_falco``
    those on which Falco itself ends without a result.
    """

    __slots__ = ("at", "end", "ends_falco", "help", "kind", "message", "start", "unknown_filter")

    def __init__(
        self,
        kind: str,
        message: str,
        at: int,
        start: int,
        end: int,
        help: str = "",
        unknown_filter: bool = False,
        ends_falco: bool = False,
    ) -> None:
        self.kind: Final = kind
        self.message: Final = message
        self.at: Final = at
        self.start: Final = start
        self.end: Final = end
        self.help: Final = help
        self.unknown_filter: Final = unknown_filter
        self.ends_falco: Final = ends_falco


class Label(Record):
    """A second place that explains a finding."""

    __slots__ = ("message", "span")

    def __init__(self, span: Span, message: str) -> None:
        self.span: Final = span
        self.message: Final = message


class Step(Record):
    """One of Falco's nested locations: its word for the kind of thing, the thing's name, its character in the file."""

    __slots__ = ("item_name", "item_type", "offset")

    def __init__(self, item_type: str, item_name: str, offset: int) -> None:
        self.item_type: Final = item_type
        self.item_name: Final = item_name
        self.offset: Final = offset


class FalcoPlace(Record):
    """Where Falco reports a finding: nested locations in one file, outermost first, the file itself left out.

    With ``condition`` a further location follows, inside that text, at byte ``at``; ``at`` is None where Falco names
    the text but no place in it.
    """

    __slots__ = ("at", "condition", "file", "snippet", "steps")

    def __init__(
        self,
        file: SourceFile,
        steps: tuple[Step, ...] = (),
        condition: str | None = None,
        at: int | None = None,
        snippet: str = "",
    ) -> None:
        self.file: Final = file
        self.steps: Final = steps
        self.condition: Final = condition
        self.at: Final = at
        self.snippet: Final = snippet


class Diagnostic(Record):
    """One finding at one place.

    ``kind`` is a name of `KINDS`; ``help`` says what to write instead; ``labels`` are further places, outermost
    first; ``falco`` is where Falco reports it; ``falco_code`` differs from the kind's only where Falco reports the
    same thing in two ways; ``detail`` is the word the finding is about (a deprecated field, an unknown key).
    ``check`` is the kind of a finding that a check made, which is not in `KINDS`.
    """

    __slots__ = (
        "check", "detail", "falco", "falco_code", "fix", "help", "kind", "labels", "message", "severity", "span",
    )  # fmt: skip

    def __init__(
        self,
        kind: str,
        message: str,
        span: Span,
        help: str = "",
        labels: tuple[Label, ...] = (),
        falco: FalcoPlace | None = None,
        falco_code: str = "",
        detail: str = "",
        severity: Severity | None = None,
        check: Kind | None = None,
        fix: Fix | None = None,
    ) -> None:
        self.kind: Final = kind
        self.message: Final = message
        self.span: Final = span
        self.help: Final = help
        self.labels: Final = labels
        self.falco: Final = falco
        self.falco_code: Final = falco_code
        self.detail: Final = detail
        self.severity: Final = severity
        self.check: Final = check
        self.fix: Final = fix

    @property
    def about(self) -> Kind:
        """The kind of the finding."""
        return self.check or KINDS[self.kind]

    @property
    def file(self) -> SourceFile:
        """The file of the place."""
        return self.span.file

    @property
    def code(self) -> str:
        """Falco's code, empty where Falco says nothing."""
        return self.falco_code or self.about.falco

    @property
    def is_error(self) -> bool:
        """Whether Falco would refuse the file for it."""
        return self.level is Severity.ERROR

    @property
    def level(self) -> Severity:
        """The severity of this finding: its own, or that of its kind."""
        return self.severity if self.severity is not None else self.about.severity


_E, _W, _I = Severity.ERROR, Severity.WARNING, Severity.INFO
_YAML, _SHAPE, _VALID = "LOAD_ERR_YAML_PARSE", "LOAD_ERR_YAML_VALIDATE", "LOAD_ERR_VALIDATE"
_COND, _OUT = "LOAD_ERR_COMPILE_CONDITION", "LOAD_ERR_COMPILE_OUTPUT"

_TABLE = (
    # 0xx: YAML and the shape of items
    ("yaml-syntax", "FK001", _YAML, _E, "the file is not YAML"),
    ("unreadable-file", "FK002", "LOAD_ERR_FILE_READ", _E, "the file cannot be read"),
    ("file-too-large", "FK003", "", _E, "the file is larger than the limit"),
    ("not-a-rules-file", "FK004", _SHAPE, _E, "the document is not a sequence of items"),
    ("not-an-item", "FK005", _SHAPE, _E, "an element of the file is not a mapping"),
    ("unknown-item", "FK006", "LOAD_UNKNOWN_ITEM", _W, "an item is neither list, macro, rule nor requirement"),
    ("unknown-key", "FK007", "LOAD_UNKNOWN_KEY", _W, "Falco does not know this key and ignores it"),
    ("missing-key", "FK008", _SHAPE, _E, "a required key is missing or has no value"),
    ("wrong-shape", "FK009", _SHAPE, _E, "a value is of the wrong YAML type"),
    ("empty-value", "FK010", _SHAPE, _E, "a value is empty text"),
    ("invalid-value", "FK011", _SHAPE, _E, "a value cannot be read as what the key needs"),
    ("ignored-document", "FK012", "", _W, "Falco stops reading at an empty document: what follows it is lost"),
    ("invalid-utf8", "FK013", "", _W, "the file has bytes that are no UTF-8"),
    ("too-many-findings", "FK014", "", _E, "falcokit stops reading a file with so many findings"),
    ("unclosed-quote", "FK015", "", _W, "a double quote is never closed, which Falco's YAML reader lets pass"),
    ("template-places", "FK016", "", _I, "places that a template fills in were not read"),
    ("embedded-unreadable", "FK017", "", _W, "rules inside another file are written in a way that cannot be read"),
    ("check-failed", "FK019", "", _I, "a check of falcokit itself failed"),
    ("unused-suppression", "FK030", "", _W, "a comment that suppresses findings suppresses none"),
    ("expired-snooze", "FK031", "", _W, "the date of a snooze has passed"),
    ("invalid-suppression", "FK032", "", _W, "a comment for falcokit cannot be read"),
    ("invalid-test", "FK040", "", _E, "a test file, or a case in it, cannot be run as it is written"),
    ("test-mismatch", "FK041", "", _E, "a rule does something else than a test case expects"),
    # 1xx: names
    ("invalid-list-name", "FK101", "LOAD_INVALID_LIST_NAME", _W, "a list has a name that conditions cannot use"),
    ("invalid-macro-name", "FK102", "LOAD_INVALID_MACRO_NAME", _W, "a macro has a name that conditions cannot use"),
    # 2xx: references
    ("undefined-macro", "FK201", _VALID, _E, "a condition names a macro that is not defined, or not yet"),
    ("macro-loop", "FK202", _VALID, _E, "a macro leads back to itself"),
    ("unused-macro", "FK203", "LOAD_UNUSED_MACRO", _W, "no rule or macro uses this macro"),
    ("unused-list", "FK204", "LOAD_UNUSED_LIST", _W, "nothing uses this list"),
    ("unknown-source", "FK205", "LOAD_UNKNOWN_SOURCE", _W, "no loaded plugin has this event source"),
    ("too-large", "FK206", "", _E, "a condition, or the items of one name, are more than falcokit takes"),
    # 3xx: append, override, enabled
    ("no-target", "FK301", _VALID, _E, "there is nothing of this name to append to or to override"),
    ("source-differs", "FK302", _VALID, _E, "an item's source differs from that of the rule it changes"),
    ("empty-append", "FK303", _VALID, _E, "an appending rule gives neither condition nor exceptions"),
    ("invalid-override", "FK304", _SHAPE, _E, "an override names an operation or key that cannot be overridden"),
    ("override-shape", "FK305", _VALID, _E, "override is not a mapping of keys to append or replace"),
    ("override-without-value", "FK306", _SHAPE, _E, "override names a key that the item does not give"),
    ("key-without-override", "FK307", _SHAPE, _E, "the item gives a key that its override does not name"),
    ("override-without-effect", "FK309", "", _W, "an override that Falco ignores"),
    ("append-and-override", "FK308", _SHAPE, _E, "append and override cannot stand together"),
    # 4xx: conditions
    ("condition-syntax", "FK401", _COND, _E, "a condition does not parse"),
    (
        "unknown-field",
        "FK402",
        _COND,
        _E,
        "a condition uses a field, or an argument, that does not exist for its source",
    ),
    ("field-argument", "FK403", _COND, _E, "the argument of a plugin's field is missing, not allowed or malformed"),
    ("wrong-operator", "FK404", _COND, _E, "an operator cannot be used with a field of this type"),
    ("wrong-literal", "FK405", _COND, _E, "a value cannot be read as the field's type"),
    ("unknown-event-type", "FK406", _COND, _E, "evt.type is compared with a name that is no event type"),
    ("wrong-transformer", "FK407", _COND, _E, "a transformer does not fit its arguments"),
    ("wrong-comparison", "FK408", _COND, _E, "two fields that cannot be compared are compared"),
    ("invalid-regex", "FK409", _COND, _E, "a regular expression does not compile"),
    ("event-type-expression", "FK410", _COND, _E, "Falco ends on computed comparisons of evt.type"),
    ("needless-regex", "FK411", "LOAD_COMPILE_CONDITION", _W, "a regex does what a simpler operator does"),
    ("field-as-text", "FK412", "LOAD_COMPILE_CONDITION", _W, "a field name on the right is compared as text"),
    ("transformer-as-text", "FK413", "LOAD_COMPILE_CONDITION", _W, "a transformer on the right is compared as text"),
    (
        "unsafe-na",
        "FK414",
        "LOAD_UNSAFE_NA_CHECK",
        _W,
        "a comparison with the text <NA>, which says nothing about a missing value",
    ),
    ("unknown-filter", "FK415", "LOAD_UNKNOWN_FILTER", _W, "the rule is skipped: a field it uses is unknown"),
    # 5xx: exceptions
    ("exception-shape", "FK501", _SHAPE, _E, "an exception or a part of it is of the wrong YAML type"),
    ("exception-fields", "FK502", _VALID, _E, "an exception's fields or comps do not fit"),
    ("exception-values", "FK503", _VALID, _E, "an exception's values do not fit its fields"),
    ("exception-append", "FK504", _VALID, _E, "an appended exception gives too little or too much"),
    ("append-no-values", "FK505", "LOAD_APPEND_NO_VALUES", _W, "an appended exception has no values"),
    ("exception-name-twice", "FK506", "LOAD_EXCEPTION_NAME_NOT_UNIQUE", _W, "two exceptions of a rule share a name"),
    # 6xx: outputs
    ("output-syntax", "FK601", _OUT, _E, "an output does not parse"),
    ("unknown-output-field", "FK602", _OUT, _E, "an output uses a field that does not exist for its source"),
    ("empty-output", "FK603", _OUT, _E, "an output is empty"),
    # 7xx: performance
    ("too-many-event-types", "FK701", "LOAD_NO_EVTTYPE", _W, "a rule is tried on too many event types"),
    # 8xx: deprecations
    ("deprecated-append", "FK801", "LOAD_DEPRECATED_ITEM", _W, "append is deprecated, override takes its place"),
    ("deprecated-enabled", "FK802", "LOAD_DEPRECATED_ITEM", _W, "a bare enabled is deprecated"),
    ("deprecated-field", "FK803", "LOAD_DEPRECATED_ITEM", _W, "a field is deprecated"),
    ("deprecated-container-info", "FK804", "LOAD_DEPRECATED_ITEM", _W, "%container.info is deprecated"),
    # 9xx: requirements
    ("engine-version", "FK901", _VALID, _E, "the file requires another engine version"),
    ("plugin-version", "FK902", _VALID, _E, "a plugin requirement is malformed or not met"),
)

KINDS: dict[str, Kind] = {row[0]: Kind(*row) for row in _TABLE}
