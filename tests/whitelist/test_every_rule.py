"""For every rule and every way to name a container: a whitelist that is proven, or why there can be none."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from falcokit.catalogue import Catalogue
from falcokit.event.identity import Container, Image
from falcokit.source import Origin, SourceFile
from falcokit.whitelist import Proof, Refused, changes, identities, prove
from falcokit.whitelist.proof import Rules

ROOT = Path(__file__).parents[2]
UPSTREAM = ROOT.parent / "shared" / "corpus" / "upstream"
NEWEST = [
    "falco-rules/5.1.0/falco_rules.yaml", "falco-incubating-rules/6.0.1/falco-incubating_rules.yaml",
    "falco-sandbox-rules/6.1.0/falco-sandbox_rules.yaml", "plugins/k8saudit/k8s_audit_rules.yaml",
]  # fmt: skip
CONTAINER = Container(
    "4f2e1d9a0b1c", "web", Image("registry.example.com/team/web", "", "sha256:" + "ab" * 32, "fields"), False
)


def table(paths: list[Path]) -> tuple[dict[tuple[str, str], Proof], dict[tuple[str, str], str]]:
    """The proofs and the reasons why not, by rule and kind of identity."""
    files = [SourceFile(path.name, path.read_text(encoding="utf-8"), Origin.DEFAULT) for path in paths]
    rules = Rules(files, Catalogue.bundled())
    assert rules.errors == ()
    proven: dict[tuple[str, str], Proof] = {}
    cannot: dict[tuple[str, str], str] = {}
    kinds = identities(CONTAINER)
    assert [identity.kind for identity in kinds] == ["digest", "image", "name"]
    for rule in rules.matcher.rules:
        for identity in kinds:
            key = (rule.name, identity.kind)
            ways = changes(rules.ruleset, rule, identity)
            if isinstance(ways, Refused):
                cannot[key] = ways.reason
                continue
            outcomes = []
            for change in ways:
                outcome = prove(rules, change)
                if isinstance(outcome, Proof):
                    proven[key] = outcome
                    # What else changes is what the item is known to reach, and nothing more.
                    assert set(outcome.others) <= set(change.reaches)
                    assert outcome.before != outcome.after
                    assert rules.matcher.walked(rule, outcome.silenced)
                    break
                outcomes.append(outcome)
            else:
                cannot[key] = outcomes[-1]
    return proven, cannot


def test_every_bundled_rule_can_be_whitelisted_by_each_identity() -> None:
    proven, cannot = table([ROOT / "default_rules" / "falco_rules.yaml"])
    assert {rule: reason.partition("` ")[2] for (rule, _), reason in cannot.items()} == {
        "User mgmt binaries": "never fires for it: it is about hosts",
        "Launch Suspicious Network Tool on Host": "never fires for it: it is about hosts",
        # Fires only once namespaces are named in a list of it.
        "Network Connection outside Local Subnet": "never fires, as far as falcokit can tell: there is nothing to silence",
    }
    assert (len(proven), len(cannot)) == (57 * 3, 3 * 3)
    assert all(proof.others == () for proof in proven.values())


@pytest.mark.skipif(not UPSTREAM.exists(), reason="needs the public rules in ../shared")
def test_every_public_rule_has_a_proof_or_a_reason() -> None:
    proven, cannot = table([UPSTREAM / path for path in NEWEST])
    audit = {rule for (rule, _), reason in cannot.items() if "events of source k8s_audit have no field" in reason}
    reasons = {rule: reason.partition("` ")[2] for (rule, _), reason in cannot.items() if rule not in audit}
    assert reasons == {
        "User mgmt binaries": "never fires for it: it is about hosts",
        "Launch Suspicious Network Tool on Host": "never fires for it: it is about hosts",
        "Netcat/Socat Remote Code Execution on Host": "never fires for it: it is about hosts",
        "Launch Disallowed Container": "never fires, as far as falcokit can tell: there is nothing to silence",
        "Network Connection outside Local Subnet": "never fires, as far as falcokit can tell: there is nothing to silence",
    }
    assert len(proven) + len(cannot) == 3 * (93 + len(audit))
    assert len(proven) == 264
    shared = Counter(bool(proof.others) for proof in proven.values())
    assert shared[True] == 0
