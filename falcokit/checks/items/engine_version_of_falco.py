"""FK054."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.catalogue.releases import engine_versions
from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Confidence, Severity
from falcokit.ruleset.items import EngineItem
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Span

__all__ = ["engine_version_of_falco"]


@check("FK054", Severity.INFO, Confidence.MEDIUM)
def engine_version_of_falco(ruleset: Ruleset) -> Iterator[Finding]:
    """A required engine version looks like a version of Falco.

    The rules engine has a version of its own: Falco 0.37 has engine 0.31.0, Falco 0.44 has 0.62.0.  A file that asks for engine
    0.37.0 and means Falco 0.37 is refused by it.

    ## Flagged

    ```yaml custom.yaml
    - required_engine_version: «0.37.0»
    ```

    ## Accepted

    ```yaml custom.yaml
    - required_engine_version: 0.31.0
    ```
    """
    engines = engine_versions()
    known = {tuple(map(int, version.split("."))) for version in engines.values()}
    for item in ruleset.items:
        node = item.node.get("required_engine_version") if isinstance(item, EngineItem) else None
        if not isinstance(item, EngineItem) or node is None or item.version is None or item.version in known:
            continue
        release = f"{item.version[0]}.{item.version[1]}"
        if "." in item.file.text[node.start : node.end] and item.version[2] == 0 and int(item.version[1]) >= 37:
            if release not in engines:
                continue
            message = f"no release of Falco has the engine {release}.0, but there is a Falco {release}"
            help_text = f"for Falco {release} write {engines[release]}"
            yield Finding(Span(item.file, node.start, node.end), message, help_text)
