"""What an integration needs on this machine."""

from __future__ import annotations

import os

from falcokit.deliver.secret import secret_of, with_target
from falcokit.errors import ConfigError
from falcokit.forward.integration import Integration

__all__ = ["lacking"]


def lacking(integration: Integration) -> tuple[str, ...]:
    """A sentence for each file or folder of *integration* that is not there, or not as it must be; `forward run` may have others, elsewhere."""
    found = []
    folder = os.path.dirname(integration.target)
    if integration.kind == "file" and integration.target != "-" and not os.path.isdir(folder):
        found.append(f"there is no folder {folder} to write into")
    for name in ("ca", "client_cert", "client_key"):
        path = integration.options.get(name)
        if path and not os.path.isfile(str(path)):
            found.append(f"there is no file {path} for its {name.replace('_', '-')}")
    for name, where in (*integration.secrets.items(), ("", integration.target)):
        if where.startswith("file:"):
            try:
                secret_of(integration, name) if name else with_target(integration)
            except ConfigError as error:
                found.append(str(error).removeprefix(f"{integration.name}: "))
    return tuple(found)
