"""Values that stand where a list is put in, and are called as one."""

from __future__ import annotations

import re
from typing import Final

from falcokit.condition.ast import Check, ListValue
from falcokit.ruleset.default_index import homes
from falcokit.ruleset.ruleset import Ruleset

__all__ = ["missing_list"]

_LIKE_A_LIST: Final = re.compile(
    r"[a-z][a-z0-9_]*_(?:addresses|binaries|containers|destinations|directories|dirs|domains|executables|files|hosts|images|"
    r"ipaddrs|ips|lists?|namespaces|networks|paths|ports|processes|procs|programs|repositories|sockets|subnets|users)"
)


def missing_list(ruleset: Ruleset, check: Check) -> str:
    """The name that stands alone in the parentheses of *check* for a list that nobody defines, ``""`` where none does."""
    right = check.right
    if not isinstance(right, ListValue) or len(right.texts) != 1 or "_" not in (name := right.texts[0]):
        return ""
    if name in ruleset.definitions.lists or right.items[0].quoted:
        return ""
    if name.endswith("_users") and getattr(check.left, "name", "").startswith(("user.", "group.")):
        return ""  # Accounts and groups are called so.
    return name if _LIKE_A_LIST.fullmatch(name) or homes(("list", name)) else ""
