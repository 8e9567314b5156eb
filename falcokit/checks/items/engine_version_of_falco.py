"""FK054."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.catalogue.releases import engine_versions
from falcokit.checks.check import Finding, check
from falcokit.diagnostic import Confidence, Edit, Fix, Severity
from falcokit.document import Scalar
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

    ## Fixed

    ```yaml custom.yaml
    - required_engine_version: 0.31.0
    ```

    ## Accepted

    ```yaml custom.yaml
    - required_engine_version: 0.31.0
    - required_engine_version: 0.43.0
    - required_engine_version: 0.35.0
    - required_engine_version: 38
    ```

    ## See also

    `engine-version-too-old`
    """
    engines = engine_versions()
    known = set(engines.values())
    for item in ruleset.items:
        node = item.node.get("required_engine_version") if isinstance(item, EngineItem) else None
        if not isinstance(item, EngineItem) or not isinstance(node, Scalar) or item.version is None:
            continue
        major, minor, patch = item.version
        release, engine = f"{major}.{minor}", f"{major}.{minor}.{patch}"
        # Engines have had no patches, and plain numbers are what engines had before Falco 0.37.
        if engine in known or node.value != engine or release not in engines or (minor < 37 and not patch):
            continue
        span = Span(item.file, node.start, node.end)
        message = f"no release of Falco has the engine {engine}, but there is a Falco {release}"
        fix = Fix(f"require {engines[release]}", (Edit(span, engines[release]),), safe=False)
        yield Finding(span, message, f"for Falco {release} write {engines[release]}", (), None if node.style else fix)
