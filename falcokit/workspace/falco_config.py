"""Starting as Falco does: its configuration, the rules files it names, and which of their rules run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from falcokit.catalogue import Catalogue
from falcokit.config import FalcoConfig, is_enabled, read_config
from falcokit.diagnostic import Diagnostic
from falcokit.errors import ConfigError
from falcokit.ruleset.additions import OutputAddition
from falcokit.ruleset.default_index import published_names
from falcokit.ruleset.loader import Loaded, load
from falcokit.ruleset.rule_compiler import CompiledRule
from falcokit.workspace.files import DiskReader
from falcokit.workspace.sources import DEFAULT_LIMIT

__all__ = ["ConfiguredRule", "ConfiguredRuleset", "LintSetup", "LoadedConfig", "lint_setup", "load_config"]


class ConfiguredRule(NamedTuple):
    """A compiled rule, and whether it runs under the configuration."""

    compiled: CompiledRule
    enabled: bool

    @property
    def name(self) -> str:
        """The rule's name."""
        return self.compiled.name


class ConfiguredRuleset(NamedTuple):
    """The rules that Falco compiled, in order, and all that was loaded."""

    rules: tuple[ConfiguredRule, ...]
    loaded: Loaded


class LoadedConfig(NamedTuple):
    """A configuration that Falco would start with.

    ``files`` are the paths of the rules files in load order; ``notes`` tell what Falco ignores without a word, each
    with its place and what to do.
    """

    config: FalcoConfig
    files: tuple[str, ...]
    ruleset: ConfiguredRuleset
    notes: tuple[str, ...]


def load_config(
    path: str | os.PathLike[str],
    args: Sequence[str] = (),
    *,
    folder: str | os.PathLike[str] | None = None,
    environment: Mapping[str, str] | None = None,
    catalogue: Catalogue | None = None,
    limit: int = DEFAULT_LIMIT,
) -> LoadedConfig:
    """Load what a Falco with the configuration at *path* and the command line *args* (``-r``, ``-o``) would load.

    Relative paths, those of *args* too, are relative to *folder*, by default the folder of the configuration; for
    Falco it is the folder it is started in.  *environment* gives the variables of ``${NAME}``, by default those of this
    process.  *catalogue* replaces the catalogue of the plugins that the configuration loads.  No file may be larger
    than *limit* bytes.

    Raises `falcokit.ConfigError` where Falco would not start: its text names every problem and what to do.
    """
    main = os.fspath(path)
    name = os.path.basename(main)
    base = os.path.dirname(main)
    if folder is not None:
        name, base = os.path.abspath(main), os.path.abspath(folder)
    reader = DiskReader(base, limit)
    config = read_config(name, args, os.environ if environment is None else environment, reader)
    files = [reader.read(file) for file in config.rules_files]
    if catalogue is None:
        catalogue = Catalogue.bundled(config.plugins)
    loaded = load(files, catalogue, additions=config.additions, stop_at_failure=True)
    problems = [finding for finding in loaded.diagnostics if finding.is_error]
    if problems:
        # Falco tells of an unmet plugin requirement alone, whatever else is wrong.
        problems.sort(key=lambda finding: finding.kind != "plugin-version")
        raise ConfigError("\n".join([_line(finding) for finding in problems]))
    ruleset = ConfiguredRuleset(_configured(loaded, config), loaded)
    notes = (*config.notes, *_unknown_plugins(config, catalogue), *_selecting_nothing(config, ruleset.rules))
    return LoadedConfig(config, tuple([file.name for file in files]), ruleset, notes)


def _line(finding: Diagnostic) -> str:
    line, column = finding.file.line_column(finding.span.start)
    text = f"{finding.file.name}:{line + 1}:{column + 1}: {finding.message}"
    return f"{text}; {finding.help}" if finding.help else text


def _configured(loaded: Loaded, config: FalcoConfig) -> tuple[ConfiguredRule, ...]:
    compilation = loaded.compilation
    if compilation is None:
        return ()
    found = []
    for rule in compilation.rules.values():
        if rule.skipped:
            continue
        own = rule.definition
        runs = is_enabled(own.name, own.tags, own.priority, own.enabled, config.selection, config.minimum_priority)
        found.append(ConfiguredRule(rule, runs))
    return tuple(found)


def _unknown_plugins(config: FalcoConfig, catalogue: Catalogue) -> Iterable[str]:
    known = {plugin.name for plugin in catalogue.plugins if plugin.version or plugin.source}
    for name in config.plugins or ():
        if name not in known:
            yield f"the plugin `{name}` is not in falcokit's catalogue: its source and fields count as unknown"


def _selecting_nothing(config: FalcoConfig, rules: Sequence[ConfiguredRule]) -> Iterable[str]:
    for entry in config.selection:
        if not any(entry.is_for(rule.name, rule.compiled.definition.tags) for rule in rules):
            what = " or ".join([f"{key} `{text}`" for key, text in (("rule", entry.rule), ("tag", entry.tag)) if text])
            yield f"{entry.where}: no rule fits the {what}; check the name, upper and lower case count"


class LintSetup(NamedTuple):
    """What a lint takes from a configuration.

    ``files`` are the rules files in load order, each with whether it is a default file; ``key`` tells configurations
    with different outcomes apart.
    """

    files: tuple[tuple[str, bool], ...]
    catalogue: Catalogue
    additions: Sequence[OutputAddition]
    config: FalcoConfig
    key: str


def lint_setup(
    path: str, default_names: Sequence[str] | None, limit: int = DEFAULT_LIMIT, planned: str = ""
) -> LintSetup:
    """The rules files, plugins and output additions of the configuration at *path*.

    Files with the names under which Falco and its plugins publish their rules count as default files;
    *default_names*, shell patterns, replace these names.  The file at the real path *planned* counts as there.  Raises `falcokit.ConfigError`.
    """
    reader = DiskReader(os.path.dirname(path), limit, planned)
    config = read_config(os.path.basename(path), (), os.environ, reader)
    catalogue = Catalogue.bundled(config.plugins)
    patterns = default_names or published_names()
    files = [(reader.name(file), _fits(os.path.basename(file), patterns)) for file in config.rules_files]
    return LintSetup(tuple(files), catalogue, config.additions, config, repr(config))


def _fits(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
