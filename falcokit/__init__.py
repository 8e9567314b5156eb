"""falcokit: author, check and whitelist Falco rules."""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing would take longer than all of this module

if TYPE_CHECKING:
    from falcokit.catalogue import Catalogue
    from falcokit.errors import CatalogueError, ConditionError, ConfigError, FalcokitError, RulesError
    from falcokit.event import Event, audit_events, read_events
    from falcokit.validation import Validation, compile_condition, validate
    from falcokit.workspace.falco_config import LoadedConfig, load_config

__version__ = "0.1.0"

__all__ = [
    "Catalogue", "CatalogueError", "ConditionError", "ConfigError", "Event", "FalcokitError", "LoadedConfig", "RulesError",
    "Validation", "__version__", "audit_events", "compile_condition", "load_config", "read_events", "validate",
]  # fmt: skip

_HOMES = {
    "Catalogue": "falcokit.catalogue",
    **dict.fromkeys(
        ("CatalogueError", "ConditionError", "ConfigError", "FalcokitError", "RulesError"), "falcokit.errors"
    ),
    **dict.fromkeys(("Event", "audit_events", "read_events"), "falcokit.event"),
    **dict.fromkeys(("Validation", "compile_condition", "validate"), "falcokit.validation"),
    **dict.fromkeys(("LoadedConfig", "load_config"), "falcokit.workspace.falco_config"),
}


def __getattr__(name: str) -> object:
    """Import what is asked for, and only that."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'falcokit' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
