"""The table of ATT&CK's ids: made from a bundle, and what the packaged one has."""

from __future__ import annotations

import json
import re
from pathlib import Path

from falcokit.maintain.attack import build, main

ROOT = Path(__file__).parents[2]


def thing(kind: str, name: str, **rest: object) -> dict[str, object]:
    return {
        "type": kind,
        "id": name,
        "external_references": [{"source_name": "mitre-attack", "external_id": name}],
        **rest,
    }


def technique(name: str, *tactics: str, **rest: object) -> dict[str, object]:
    return thing("attack-pattern", name, kill_chain_phases=[{"phase_name": tactic} for tactic in tactics], **rest)


def revoked(old: str, new: str) -> dict[str, object]:
    return {"type": "relationship", "relationship_type": "revoked-by", "source_ref": old, "target_ref": new}


BUNDLE = {
    "objects": [
        {"type": "x-mitre-collection", "id": "c", "x_mitre_version": "99.0"},
        thing("x-mitre-tactic", "TA0001", x_mitre_shortname="initial-access"),
        thing("x-mitre-tactic", "TA0002", x_mitre_shortname="execution"),
        technique("T1001", "initial-access", "execution"),
        technique("T1001.001", "defense-evasion"),
        technique("T1002", "execution", revoked=True),
        technique("T1003", "execution", revoked=True),
        technique("T1004", "execution", x_mitre_deprecated=True),
        revoked("T1003", "T1002"),
        revoked("T1002", "T1001.001"),
        revoked("malware", "other"),
    ]
}


def test_what_is_gone_leads_to_what_stands_for_it_now() -> None:
    table = build(BUNDLE)
    assert table["techniques"] == {"T1001": "TA0001 TA0002", "T1001.001": "TA0005"}
    assert table["gone"] == {"T1002": "T1001.001", "T1003": "T1001.001", "T1004": ""}
    assert "99.0" in table["source"]


def test_both_names_of_a_tactic_that_was_split_are_known() -> None:
    tactics = build(BUNDLE)["tactics"]
    assert tactics["initial_access"] == "TA0001"
    assert tactics["defense_evasion"] == tactics["stealth"] == "TA0005"


def test_the_packaged_table_has_ids_and_names_of_tactics_only() -> None:
    table = json.loads((ROOT / "schemas" / "attack.json").read_text("utf-8"))
    one = r"T\d{4}(\.\d{3})?"
    assert all(re.fullmatch(r"[a-z_]+", name) and re.fullmatch(r"TA\d{4}", i) for name, i in table["tactics"].items())
    assert all(re.fullmatch(one, i) for i in table["techniques"])
    assert all(i in table["tactics"].values() for ids in table["techniques"].values() for i in ids.split())
    assert all(re.fullmatch(one, old) and (new in table["techniques"] or not new) for old, new in table["gone"].items())


def test_a_file_that_is_no_bundle_changes_nothing(tmp_path: Path) -> None:
    before = (ROOT / "schemas" / "attack.json").read_bytes()
    path = tmp_path / "bundle.json"
    path.write_text('{"objects": []}')
    assert main([str(path)]) == 2
    assert main([str(tmp_path / "none.json")]) == 2
    assert main([]) == 2
    assert (ROOT / "schemas" / "attack.json").read_bytes() == before
