"""FK552."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from falcokit.checks.check import Finding, check
from falcokit.checks.whitelists._images import IMAGE_FIELDS, flagged, is_narrowed
from falcokit.diagnostic import Severity
from falcokit.ruleset.ruleset import Ruleset
from falcokit.ruleset.uses import Use

__all__ = ["loose_image_match"]

_PUBLIC: Final = frozenset(
    ("docker.io", "index.docker.io", "quay.io", "ghcr.io", "gcr.io", "registry.gitlab.com", "public.ecr.aws")
)
"""Registries where anybody can have a name of their own."""


@check("FK552", Severity.WARNING)
def loose_image_match(ruleset: Ruleset) -> Iterator[Finding]:
    """A whitelist takes any image whose name has a piece in common.

    Anybody can push an image.  `endswith "sysdig/agent"` holds for `docker.io/evil-sysdig/agent`, `contains` and a
    `startswith` that stops in the middle of a name hold for even more: who names an image so is not seen any more.
    Compare the whole repository, or let the text begin or end at a `/`.

    ## Flagged

    ```yaml default.yaml
    - macro: user_known_shells
      condition: evt.num < 0
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh and not user_known_shells
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - macro: user_known_shells
      condition: >
        container.image.repository endswith «"tools/agent"»
        or container.image.repository contains «cron»
        or container.image.repository startswith «registry.example.com»
        or container.image.repository startswith «quay.io/tools»
    ```

    ## Accepted

    ```yaml default.yaml
    - macro: user_known_shells
      condition: evt.num < 0
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh and not user_known_shells
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - macro: our_accounts
      condition: (container.image.repository startswith 4711.registry or container.image.repository startswith 4712.registry)
    - macro: our_agents
      condition: our_accounts and container.image.repository endswith agent
    - macro: user_known_shells
      condition: our_agents
    ```

    Other ways to say it:

    ```yaml default.yaml
    - macro: user_known_shells
      condition: evt.num < 0
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh and not user_known_shells
      output: shell %proc.name
      priority: INFO
    ```

    ```yaml custom.yaml
    - macro: user_known_shells
      condition: >
        container.image.repository = registry.example.com/tools/agent
        or container.image.repository endswith "/tools/agent"
        or container.image.repository startswith registry.example.com/tools
        or container.image.repository startswith quay.io/tools/agent
        or (container.image.repository startswith 4711.registry and container.image.repository endswith agent)
    - rule: Miner
      desc: an image that is named as a miner
      condition: evt.type = execve and container.image.repository contains miner
      output: miner %container.image.repository
      priority: INFO
    ```

    ## See also

    `tag-in-repository`, `missing-registry`
    """
    for text, span, where in flagged(ruleset, IMAGE_FIELDS, lambda use, text: _where(ruleset, use, text)):
        message = f"any image with `{text}` {where} is let through"
        help_text = "compare the whole repository with `=` or `in`, or let the text begin or end at a `/`"
        yield Finding(span, message, help_text)


def _where(ruleset: Ruleset, use: Use, text: str) -> str | None:
    """Where in its name an image may have *text* to be let through, None where that cannot be chosen freely."""
    where = _loose(use.check.operator, text) if use.excludes else None
    return None if where is None or is_narrowed(ruleset, use, IMAGE_FIELDS) else where


def _loose(operator: str, text: str) -> str | None:
    if operator in ("contains", "icontains") and not (text.startswith("/") and text.endswith(("/", ":", "@"))):
        return "somewhere in its name"
    if operator == "endswith" and not text.startswith(("/", ".")):
        return "at the end of its name"
    if operator == "startswith" and not _names_owner(text):
        return "at the beginning of its name"
    if operator in ("glob", "iglob") and text.startswith("*") and not text.startswith(("*/", "**/")):
        return "somewhere in its name"
    return None


def _names_owner(text: str) -> bool:
    """Whether *text* goes on behind the `/` of whoever owns the repository: others cannot push there."""
    if text.endswith((":", "@")):
        return True
    first, *rest = text.split("/")
    return len(rest) >= (2 if first in _PUBLIC else 1)
