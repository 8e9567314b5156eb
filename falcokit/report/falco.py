"""A validation in the layout of ``falco -V`` without JSON."""

from __future__ import annotations

from typing import Any

from falcokit.report.text import plain

__all__ = ["render"]


def render(results: dict[str, Any]) -> str:
    """The verdict on each file; for an invalid one the error with its locations."""
    lines = []
    for result in results["falco_load_results"]:
        name = plain(result["name"])
        if result["errors"]:
            lines += [f"{name}: Invalid", f"{len(result['errors'])} Errors:"]
            for entry in result["errors"]:
                lines += _entry(entry)
        elif result["warnings"]:
            lines.append(f"{name}: Ok, with warnings")
        else:
            lines.append(f"{name}: Ok")
        if result["warnings"]:
            lines.append(f"{len(result['warnings'])} Warnings:")
            for entry in result["warnings"]:
                lines += _entry(entry)
    return "\n".join(lines) + "\n"


def _entry(entry: dict[str, Any]) -> list[str]:
    lines = []
    for location in entry["context"]["locations"]:
        place = location["position"]
        name = f" '{plain(location['item_name'])}'" if location["item_name"] else ""
        lines.append(f"In {location['item_type']}{name}: ({plain(place['name'])}:{place['line']}:{place['column']})")
    snippet = [plain(line) for line in entry["context"]["snippet"].rstrip("\n").split("\n")]
    return [*lines, "------", *snippet, "------", f"{entry['code']} ({entry['codedesc']}): {plain(entry['message'])}"]
