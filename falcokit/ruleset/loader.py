"""Loading rules files in order: read, collect, compile after each file, as Falco does; and once more without stopping.

`load` gives Falco's view, which stops at the first problem of a file; `load_all` goes on behind problems and so sees
them all.  A `Memo` kept between loads makes loading an unchanged file cheap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from falcokit.catalogue import AUDIT_CLOUDS, Catalogue
from falcokit.diagnostic import Diagnostic, FalcoPlace
from falcokit.document import Document, YamlError
from falcokit.record import Record
from falcokit.ruleset.body import Texts
from falcokit.ruleset.collector import Applied, Definition, apply
from falcokit.ruleset.compiler import Compilation, compile_definitions
from falcokit.ruleset.definitions import Definitions, ListDefinition, MacroDefinition
from falcokit.ruleset.documents import read_documents, yaml_error
from falcokit.ruleset.items import EngineItem, IgnoredItem, Item, PluginRequirement, PluginsItem
from falcokit.ruleset.lists import Work
from falcokit.ruleset.reader import read
from falcokit.ruleset.suggest import forget
from falcokit.source import SourceFile, Span

if TYPE_CHECKING:
    from falcokit.ruleset.additions import OutputAddition

__all__ = ["FileResult", "Loaded", "Memo", "load", "load_all"]


class FileResult(Record):
    """What loading one file gave.

    ``documents`` are those read and ``items`` what is written in them, none where the file is not YAML;
    ``diagnostics`` are in the order found.  With `load` there is at most one error among them, the last; with
    `load_all` all errors.
    """

    __slots__ = ("diagnostics", "documents", "file", "items", "parsed")

    def __init__(
        self,
        file: SourceFile,
        documents: tuple[Document, ...],
        diagnostics: tuple[Diagnostic, ...],
        parsed: bool,
        items: tuple[Item, ...] = (),
    ) -> None:
        self.file: Final = file
        self.documents: Final = documents
        self.diagnostics: Final = diagnostics
        self.parsed: Final = parsed
        self.items: Final = items

    @property
    def successful(self) -> bool:
        """Whether Falco would accept the file."""
        return not any(d.is_error for d in self.diagnostics)


class Loaded(Record):
    """All files loaded: a result for each, what was collected, and the last compile (None when no file came so far)."""

    __slots__ = ("catalogue", "compilation", "definitions", "files")

    def __init__(
        self,
        files: tuple[FileResult, ...],
        definitions: Definitions,
        compilation: Compilation | None,
        catalogue: Catalogue,
    ) -> None:
        self.files: Final = files
        self.definitions: Final = definitions
        self.compilation: Final = compilation
        self.catalogue: Final = catalogue

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """The findings of all files, file by file."""
        return tuple([d for result in self.files for d in result.diagnostics])


MAX_FINDINGS: Final = 5000
"""How many findings of one file are enough: a file with more is not a file of rules that somebody will mend."""


class Memo:
    """What earlier loads found out, by the identity of what it was found out about; holds two loads and no more.

    One that is not *lasting* serves a single run and does not remember what only a later one would ask for.
    """

    def __init__(self, *, lasting: bool = True) -> None:
        self.lasting = lasting
        self.texts = Texts()
        self._new: dict[tuple[object, ...], tuple[tuple[object, ...], object]] = {}
        self._old: dict[tuple[object, ...], tuple[tuple[object, ...], object]] = {}
        self.compilations: list[Compilation | None] = []
        self.loaded: list[object] = []

    def next_load(self) -> None:
        """Forget what the load before the last one needed and the last did not."""
        self._old, self._new = self._new, {}
        self.texts.work = Work()
        if len(self.texts.parsed) > 50_000:
            self.texts = Texts()

    def get(self, subjects: tuple[object, ...]) -> object | None:
        """What is known about *subjects*, told apart by identity."""
        key = tuple(map(id, subjects))
        entry = self._new.get(key)
        if entry is None:
            entry = self._old.get(key)
            if entry is None:
                return None
            self._new[key] = entry
        return entry[1]

    def put(self, subjects: tuple[object, ...], value: object) -> None:
        """Remember *value* for *subjects*, which are kept alive with it."""
        self._new[tuple(map(id, subjects))] = (subjects, value)


class _Read(Record):
    __slots__ = ("documents", "error", "items", "notes")

    def __init__(
        self,
        documents: tuple[Document, ...],
        error: YamlError | None,
        items: tuple[Item, ...],
        notes: tuple[Diagnostic, ...],
    ) -> None:
        self.documents: Final = documents
        self.error: Final = error
        self.items: Final = items
        self.notes: Final = notes


def _read_file(file: SourceFile, memo: Memo) -> _Read:
    known = memo.get((file,))
    if known is None:
        found = read_documents(file)
        items = () if found.error is not None else [item for document in found.documents for item in read(document)]
        known = _Read(found.documents, found.error, tuple(items), found.notes)
        memo.put((file,), known)
    assert isinstance(known, _Read)
    return known


class _Load:
    """One load under way."""

    def __init__(
        self, catalogue: Catalogue, memo: Memo, additions: Sequence[OutputAddition], *, keep_going: bool
    ) -> None:
        self.catalogue = catalogue
        self.memo = memo
        self.additions = additions
        self.keep_going = keep_going
        self.definitions = Definitions()
        # One table for each kind, each with definitions of its own type.
        self.tables: dict[str, dict[str, Definition]] = {
            "list": self.definitions.lists,  # type: ignore[dict-item]
            "macro": self.definitions.macros,  # type: ignore[dict-item]
            "rule": self.definitions.rules,  # type: ignore[dict-item]
        }
        self.compilation: Compilation | None = None
        self.number = -1
        self.compiled: list[Compilation | None] = []
        # Whether all is as in the load before, up to and with the file at hand.
        self.as_before = memo.loaded[:1] == [(catalogue, tuple(additions), keep_going)]

    def file(self, file: SourceFile) -> FileResult:
        self.number += 1
        self.as_before = self.as_before and self.memo.loaded[self.number + 1 : self.number + 2] == [file]
        self.compiled.append(None)
        read_file = _read_file(file, self.memo)
        if read_file.error is not None:
            return FileResult(file, (), (yaml_error(file, read_file.error),), False)
        found: list[Diagnostic] = list(read_file.notes) if self.keep_going else []
        stopped = False
        for item in read_file.items:
            stopped = self.item(item, found) or stopped
            if stopped and not self.keep_going:
                break
            if len(found) > MAX_FINDINGS:
                found.append(_too_many(found[-1]))
                break
        if not stopped or self.keep_going:
            found += self.compile()
        if not any(d.is_error for d in found) or self.keep_going:
            found += self.missing_plugins(read_file.items)
        return FileResult(file, read_file.documents, tuple(found), True, read_file.items)

    def item(self, item: Item, found: list[Diagnostic]) -> bool:
        """Collect one item; whether Falco stops at it."""
        if isinstance(item, IgnoredItem):
            found += item.warnings
            found += item.problems if self.keep_going else item.problems[:1]
            return bool(item.problems)
        if isinstance(item, (EngineItem, PluginsItem)):
            return self.requirement(item, found)
        kind, name = item.step.item_type, item.name.text
        table = self.tables[kind]
        previous = table.get(name)
        if self.memo.lasting:
            applied = self.memo.get((previous, item, self.catalogue))
            if applied is None:
                applied = apply(previous, item, self.catalogue)
                self.memo.put((previous, item, self.catalogue), applied)
            assert isinstance(applied, Applied)
        else:
            applied = apply(previous, item, self.catalogue)
        state = applied.state if self.keep_going else applied.falco_state
        for diagnostic in applied.diagnostics if self.keep_going else applied.falco_diagnostics:
            found.append(_with_near_name(diagnostic, table) if diagnostic.kind == "no-target" else diagnostic)
        if state is not None and state is not previous:
            table[name] = state
            if kind != "rule":
                self.definitions.touched(kind, name)
        return applied.stops

    def requirement(self, item: EngineItem | PluginsItem, found: list[Diagnostic]) -> bool:
        problems = item.problems if self.keep_going else item.problems[:1]
        found += problems
        if isinstance(item, PluginsItem):
            if not problems:
                self.definitions.plugins.extend(item.requirements)
        elif item.version is not None:
            engine = self.catalogue.engine_version
            if item.version[0] != engine[0] or item.version > engine:
                problems = (_too_new(item, engine),)
                found += problems
            else:
                self.definitions.engine = max(self.definitions.engine, item.version)
        if not problems or self.keep_going:
            found += item.late_warnings
        return bool(problems)

    def compile(self) -> list[Diagnostic]:
        """Compile what is collected so far; Falco's view ends with the first error."""
        # What the last load compiled after its file of this place mostly is what is asked for again.
        last = self.memo.compilations[self.number] if self.number < len(self.memo.compilations) else None
        if self.as_before and last is not None:
            self.compilation = self.compiled[self.number] = last
            return self.found(last)
        compilation = compile_definitions(
            self.definitions, self.catalogue, self.memo.texts, last or self.compilation, self.additions
        )
        self.compilation = self.compiled[self.number] = compilation
        return self.found(compilation)

    def found(self, compilation: Compilation) -> list[Diagnostic]:
        """The findings of a compile."""
        found = compilation.diagnostics
        if not compilation.failed:
            return [*found, *self.unused(compilation)]
        if self.keep_going:
            return list(found)
        first = next(number for number, d in enumerate(found) if d.is_error)
        return list(found[: first + 1])

    def unused(self, compilation: Compilation) -> list[Diagnostic]:
        found = []
        definitions = self.definitions
        for name, macro in definitions.macros.items():
            if name not in compilation.used_macros:
                found.append(_unused("unused-macro", macro, "no rule or macro uses the macro"))
        for name, listed in definitions.lists.items():
            if name not in compilation.used_lists:
                found.append(_unused("unused-list", listed, "nothing uses the list"))
        return found

    def missing_plugins(self, items: tuple[Item, ...]) -> list[Diagnostic]:
        """The requirements of this file's items that no loaded plugin meets; here Falco ends without a result."""
        loaded = {plugin.name: plugin.version for plugin in self.catalogue.plugins}
        found = []
        for item in items:
            if isinstance(item, PluginsItem) and not item.problems:
                for requirement in item.requirements:
                    if not _met(requirement, loaded):
                        found.append(_unmet(item, requirement, loaded))
        return found


def _with_near_name(diagnostic: Diagnostic, table: dict[str, Definition]) -> Diagnostic:
    """The diagnostic of a missing target with the name that may have been meant: names are case-sensitive."""
    from falcokit.ruleset.suggest import nearest

    near = nearest(diagnostic.detail, table)
    return diagnostic.replaced(help=f"did you mean `{near[0]}`?") if near else diagnostic


def _met(requirement: PluginRequirement, loaded: dict[str, str]) -> bool:
    for name, version, _ in requirement.alternatives:
        if name.startswith(AUDIT_CLOUDS) and "k8saudit" in loaded:
            return True
        if name in loaded:
            if not loaded[name]:
                return True  # A plugin that falcokit does not know.
            have = tuple(map(int, loaded[name].split(".")[:3]))
            return have[0] == version[0] and have >= version
    return False


def _unmet(item: PluginsItem, requirement: PluginRequirement, loaded: dict[str, str]) -> Diagnostic:
    name, version, written = requirement.alternatives[0]
    for alternative in requirement.alternatives:
        if alternative[0] in loaded:
            name, version, written = alternative
            break
    wanted = ".".join(map(str, version))
    if name in loaded:
        message = f"the plugin `{name}` is required in version {wanted}, loaded is {loaded[name]}"
        help_text = f"require {loaded[name]} or lower of the same major version"
    else:
        message = f"the plugin `{name}` is required but not loaded"
        help_text = (
            f"loaded plugins: {', '.join(sorted(loaded)) or 'none'}; one of your own is made known with --fields FILE"
        )
    place = FalcoPlace(item.file, (item.step,))
    span = Span(item.file, written.node.start, written.node.end)
    return Diagnostic("plugin-version", message, span, help_text, (), place, "", name)


def _too_new(item: EngineItem, engine: tuple[int, int, int]) -> Diagnostic:
    assert item.version is not None
    wanted, have = ".".join(map(str, item.version)), ".".join(map(str, engine))
    node = item.node.get("required_engine_version")
    assert node is not None
    help_text = f"the engine version is not Falco's own; falcokit knows engine {have}"
    message = f"the file requires engine version {wanted}, which {have} does not satisfy"
    place = FalcoPlace(item.file, (item.step,))
    return Diagnostic(
        "engine-version", message, Span(item.file, node.start, node.end), help_text, (), place, "", wanted
    )


def _unused(kind: str, definition: ListDefinition | MacroDefinition, message: str) -> Diagnostic:
    item = definition.item
    span = Span(item.file, item.name.node.start, item.name.node.end)
    help_text = "remove it, or use it in a rule"
    place = FalcoPlace(item.file, (item.step,))
    return Diagnostic(kind, f"{message} `{definition.name}`", span, help_text, (), place, "", definition.name)


def _too_many(last: Diagnostic) -> Diagnostic:
    message = f"the file has more than {MAX_FINDINGS} findings: falcokit reads it no further"
    return Diagnostic("too-many-findings", message, last.span, "mend the first ones and lint again")


def load(
    files: Sequence[SourceFile],
    catalogue: Catalogue,
    memo: Memo | None = None,
    additions: Sequence[OutputAddition] = (),
    *,
    stop_at_failure: bool = False,
) -> Loaded:
    """Load *files* as Falco does; with *stop_at_failure* none after the first failed one, as at Falco's start."""
    return _load(files, catalogue, memo, additions, keep_going=False, stop_at_failure=stop_at_failure)


def load_all(
    files: Sequence[SourceFile],
    catalogue: Catalogue,
    memo: Memo | None = None,
    additions: Sequence[OutputAddition] = (),
) -> Loaded:
    """Load *files* without stopping at problems."""
    return _load(files, catalogue, memo, additions, keep_going=True, stop_at_failure=False)


def _load(
    files: Sequence[SourceFile],
    catalogue: Catalogue,
    memo: Memo | None,
    additions: Sequence[OutputAddition],
    *,
    keep_going: bool,
    stop_at_failure: bool,
) -> Loaded:
    memo = Memo(lasting=False) if memo is None else memo
    memo.next_load()
    catalogue.forget_suggestions()
    forget()
    run = _Load(catalogue, memo, additions, keep_going=keep_going)
    results = []
    for file in files:
        result = run.file(file)
        results.append(result)
        if stop_at_failure and not result.successful:
            break
    memo.compilations = run.compiled
    memo.loaded = [(catalogue, tuple(additions), keep_going), *files[: len(results)]]
    return Loaded(tuple(results), run.definitions, run.compilation, catalogue)
