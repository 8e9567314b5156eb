"""``${NAME}`` in configuration files: replaced by the variable of that name, or by nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["MAX_LENGTH", "expanded"]

MAX_LENGTH: Final = 8 * 1024 * 1024
_MAX_NESTED: Final = 1_000


def expanded(text: str, environment: Mapping[str, str]) -> str | None:
    """*text* with its variables put in; None where that would never end, or grow beyond any use.

    As Falco does it: what is put in is looked through again; ``$${`` stands for ``${``; any other ``$`` ends the
    search, so nothing behind it is replaced.
    """
    if "$" not in text:
        return text
    done: list[str] = []
    length = nested = at = 0
    close = -1
    while (dollar := text.find("$", at)) >= 0:
        escaped = text.startswith("$${", dollar)
        if not escaped and not text.startswith("${", dollar):
            break
        if close < dollar:
            close = text.find("}", dollar)
            if close < 0:
                break
        done.append(text[at:dollar])
        length += dollar - at
        if escaped:
            done.append("$")
            length += 1
            at = dollar + 2
            continue
        value = environment.get(text[dollar + 2 : close], "")
        at = close + 1
        if "$" in value:
            nested += 1
            text, at, close = value + text[at:], 0, -1
        else:
            done.append(value)
            length += len(value)
        if nested > _MAX_NESTED or length + len(text) - at > MAX_LENGTH:
            return None
    done.append(text[at:])
    return "".join(done)
