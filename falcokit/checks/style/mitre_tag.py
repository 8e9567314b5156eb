"""FK953."""

from __future__ import annotations

from collections.abc import Iterator

from falcokit.checks.check import Finding, check
from falcokit.checks.style._attack import tactic_of, tactics_of_technique, wrong
from falcokit.diagnostic import Edit, Fix, Severity
from falcokit.ruleset.definitions import RuleDefinition
from falcokit.ruleset.items import Written
from falcokit.ruleset.ruleset import Ruleset
from falcokit.source import Span

__all__ = ["mitre_tag"]


@check("FK953", Severity.INFO, pedantic=True)
def mitre_tag(ruleset: Ruleset) -> Iterator[Finding]:
    """A tag of MITRE ATT&CK is not one, or does not fit the others.

    Who counts what is covered, or looks up what an alert is about, goes by these tags: `mitre_` and a tactic with underscores,
    ids of techniques such as `T1059` and `T1059.004`, ids of tactics such as `TA0011`.  Of a technique the rule names
    one of its tactics, if it names any.

    ## Flagged

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
      tags: [«mitre_privilage_escalation», «mitre-execution», «T1059.4», «t1611», «T1086», process]
    ```

    What is meant by an id that does not exist cannot be told.

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
      tags: [«TA0099», «T1562.005», «T1064»]
    - rule: Miner
      desc: a miner
      condition: evt.type = execve and proc.name = xmrig
      output: miner %proc.name
      priority: INFO
      tags: [mitre_execution, TA0003, «T1496»]
    ```

    ## Fixed

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
      tags: [mitre_privilege_escalation, mitre_execution, T1059.004, T1611, T1059.001, process]
    ```

    ## Accepted

    ```yaml custom.yaml
    - rule: Shell
      desc: a shell
      condition: evt.type = execve and proc.name = sh
      output: shell %proc.name
      priority: INFO
      tags: [process, mitre, mitre_execution, mitre_defense_evasion, T1059, T1059.004, TA0011, t3, T1562.001, T9001]
    - rule: Miner
      desc: a miner
      condition: evt.type = execve and proc.name = xmrig
      output: miner %proc.name
      priority: INFO
      tags: [T1496, TA0040]
    - rule: Log removed
      desc: in the words of another version of ATT&CK
      condition: evt.type = unlinkat and evt.arg.name startswith /var/log
      output: log removed %evt.arg.name
      priority: INFO
      tags: [mitre_defense_impairment, T1070]
    - rule: Files destroyed
      desc: the tactic may be meant by a tag of one's own
      condition: evt.type = execve and proc.name = shred
      output: files destroyed %proc.cmdline
      priority: INFO
      tags: [mitre_data_destruction, mitre_defense_evasion, T1485]
    ```

    ## See also

    `missing-tags`
    """
    seen: set[tuple[int, int]] = set()
    for definition in ruleset.rule_definitions:
        for tag in _tags(ruleset, definition) if definition.tags else ():
            finding = _finding(definition, tag)
            # An alias is written once for several rules.
            if finding is not None and (place := (id(tag.file), tag.node.start)) not in seen:
                seen.add(place)
                yield finding


def _finding(definition: RuleDefinition, tag: Written) -> Finding | None:
    found = wrong(tag.text)
    if found is None:
        tactics = tactics_of_technique(tag.text)
        if not tactics or not _names_others(definition, tactics):
            return None
        message = f"{tag.text} belongs to none of the tactics that this rule is tagged with"
        names = " or ".join(f"`{name}`" for name in tactics.values())
        return Finding(_span(tag), message, f"add {names}, or write the technique that is meant")
    if not found.instead:
        return Finding(_span(tag), found.message, "look it up at attack.mitre.org")
    edit = Edit(_span(tag), found.instead)
    fix = None if tag.node.style else Fix(f"write {found.instead}", (edit,), safe=False)
    return Finding(edit.span, found.message, f"write `{found.instead}`", (), fix)


def _span(tag: Written) -> Span:
    return Span(tag.file, tag.node.start, tag.node.end)


def _tags(ruleset: Ruleset, definition: RuleDefinition) -> Iterator[Written]:
    """The tags in files asked for that the rule has in the end and that may be of ATT&CK."""
    for item in definition.contributions:
        if item.file in ruleset.asked:
            for update in item.updates:
                for tag in update.tags or ():
                    if tag.text[:1] in "tTmM" and tag.text in definition.tags:
                        yield tag


def _names_others(definition: RuleDefinition, tactics: dict[str, str]) -> bool:
    """Whether the rule names tactics, and none of *tactics*; a tag that says something else of ATT&CK may mean one."""
    named = {tactic_of(tag) for tag in definition.tags if tag.startswith(("mitre_", "TA"))}
    return bool(named) and "" not in named and named.isdisjoint(tactics)
