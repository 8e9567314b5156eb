"""Events of other people: what each of them says, read by eye."""

from __future__ import annotations

from pathlib import Path

import pytest

from falcokit.event import Event, read_events

EVENTS = Path(__file__).parents[3] / "shared" / "events"

pytestmark = pytest.mark.skipif(not EVENTS.exists(), reason="needs the events in ../shared")

K8S_APP = "k8s_wordpress_wordpress-66cd544579-cv29k_red-ns_84a78bd4-d090-4e67-b011-8a77e478eb75_0"
SSH = "k8s_ssssssh_ssssssh-6948f886dc-b9p44_default_397f6b51-5cb1-47c5-870d-d3f60576e960_0"
VOTER = "k8s_voter_voter-77d98548bc-hmkpc_example-voting-app_d27f532a-41f5-49f3-a140-99afccbac5e4_63603"
WORDPRESS = "k8s_wordpress_wordpress-7984c4d898-rfrwl_wp-demo_35b5c3ff-3d9e-11e8-9249-42010a9c0071_0"
METRICS = "Falco internal: metrics snapshot"

# file: rule, priority, time, container id, container name, repository, tag, digest
EXPECTED = {
    "falco-01-test-rule": ("Test Rule", "Error", 1739793600000000000, "", "", "", "", ""),
    "falco-06-fake-rule": ("Fake rule", "Error", 1618347480746609046, "", "", "", "", ""),
    "falco-07-k8s-serviceaccount-created": ("K8s Serviceaccount Created", "Informational", 1683727757699479000, "", "", "", "", ""),
    "falco-08-contact-k8s-api-server-from-container": ("Contact K8S API Server From Container", "Notice", 1618082841038853452, "12fc4de5ccc3", "", "devopps/falco-pod-delete", "latest", ""),
    "falco-09-falco-internal-metrics-snapshot": (METRICS, "Informational", 1748559579193502203, "", "", "", "", ""),
    "falco-10-falco-internal-metrics-snapshot": (METRICS, "Informational", 1726243288443730726, "", "", "", "", ""),
    "falco-11-falco-internal-metrics-snapshot": (METRICS, "Informational", 1748558754466702647, "", "", "", "", ""),
    "falco-12-falco-internal-metrics-snapshot": (METRICS, "Informational", 1748557398341035770, "", "", "", "", ""),
    "falco-14-terminal-shell-in-container": ("Terminal shell in container", "Critical", 1685022245478445995, "ee97d9c4186f", "", "docker.io/library/alpine", "", ""),
    "falco-15-falco-internal-metrics-snapshot": (METRICS, "", None, "", "", "", "", ""),
    "falco-16-write-below-binary-dir": ("Write below binary dir", "Error", 1558107116746609046, "", "", "", "", ""),
    "falco-19-falco-internal-syscall-event-drop": ("Falco internal: syscall event drop", "Debug", 1677812583000000003, "", "", "", "", ""),
    "falco-2018-event-falco-k8s": ("Non sudo setuid", "Notice", 1527157335576767292, "1c76f49f40b4", "", "", "", ""),
    "falco-2018-event-falco": ("Terminal shell in container", "Notice", 1526547969874686373, "32c415f00958", "unruffled_hamilton", "", "", ""),
    "falco-2020-image-by-digest": ("Terminal shell in container", "", None, "", "", "", "", "[DIGEST]"),
    "falco-2020-k8saudit-hostnetwork": ("Create HostNetwork Pod", "Warning", 1588834985063269120, "", "", "", "", ""),
    "falco-2021-package-mgmt-k8s": ("Launch Package Management Process in Container", "Error", 1631643503256697539, "854d2f6f3c68", K8S_APP, "paulborielabs/wordpress", "gare", ""),
    "falco-2024-insmod-na-user": ("Linux Kernel Module Injection Detected", "Warning", 1722547431352662834, "db0e1dd76a0d", "", "docker.io/diegoall1990/ubuntu-lab", "1.0.0", ""),
    "falco-2026-cryptominer-container-plugin": ("Possible Cryptominer Activity", "Critical", 1782685797384129972, "a3fb2a6c2e8d", "lab9-target", "alpine", "3.20", ""),
    "falco-22-test-rule": ("Test rule", "Debug", 978311400000000000, "", "", "", "", ""),
    "falco-23-read-sensitive-file-untrusted": ("Read sensitive file untrusted", "Warning", 1746622234502309868, "host", "host", "", "", ""),
    "falco-27-gcp-waf-rule-modified-or-deleted": ("GCP WAF rule modified or deleted", "Notice", 1688683434476694000, "", "", "", "", ""),
    "falco-28-open_from_cat": ("open_from_cat", "Warning", 1470327477882054739, "", "", "", "", ""),
    "falco-29-create-files-below-container-any-dir": ("Create files below container any dir", "Error", 1664121054719348051, "027dae4c3693", SSH, "ehoney/ssh", "", ""),
    "falco-30-terminal-shell-in-container": ("Terminal shell in container", "Notice", 1524157060936641184, "7f25ca3dfdd1", "", "", "", ""),
    "falco-kre-add_message_to_slack": ("Non sudo setuid", "Notice", 1527157335576767292, "1c76f49f40b4", "", "", "", ""),
    "falco-kre-create_incident_in_demisto": ("Non sudo setuid", "Notice", 1527157335576767292, "1c76f49f40b4", "", "", "", ""),
    "sysdig-docs-enriched-splunk": ("Launch Root User Container", "Warning", 1668293930605536300, "d9f5e4a9aedd", VOTER, "sysdiglabs/example-voting-app-voter", "0.1", "<sha-256>"),
    "sysdig-docs-legacy-policy-event": ("Write below etc", "Emergency", 1606322948648718268, "host", "host", "", "", ""),
    "sysdig-docs-runtime-policy-event": ("Write below etc", "Emergency", 1606322948648718268, "host", "host", "", "", ""),
    "sysdig-legacy-event-host": ("Write below binary dir", "Error", 1524580559176584000, "", "", "", "", ""),
    "sysdig-legacy-event-webhook": ("Terminal shell in container", "Notice", 1524066096644551000, "60a3478041e2", WORDPRESS, "", "", ""),
    "sysdig-legacy-event": ("Write below root", "Warning", 1568647020401652000, "c8c4d64fe7a5", "", "nginx", "", ""),
}  # fmt: skip


def only_event(stem: str) -> Event:
    (found,) = read_events([(EVENTS / f"{stem}.json").read_bytes()], stem)
    assert isinstance(found, Event), found
    return found


def test_every_file_is_in_the_table() -> None:
    assert {path.stem for path in EVENTS.glob("*.json")} == set(EXPECTED)


@pytest.mark.parametrize("stem", EXPECTED)
def test_what_an_event_says(stem: str) -> None:
    event = only_event(stem)
    container = event.container
    image = container.image
    found = (event.rule, event.priority, event.time, container.id, container.name, image.repository, image.tag, image.digest)  # fmt: skip
    assert found == EXPECTED[stem]
    assert event.internal == event.rule.startswith("Falco internal")
    assert not event.form.complete


def test_what_is_no_value() -> None:
    assert only_event("falco-2024-insmod-na-user").fields["user.name"] is None
    assert only_event("sysdig-docs-legacy-policy-event").fields["container.image.repository"] is None
    assert only_event("falco-2026-cryptominer-container-plugin").fields["fd.name"] is None
    assert "fd.name" not in only_event("falco-01-test-rule").fields


def test_values_stay_as_they_are_written() -> None:
    assert only_event("sysdig-docs-enriched-splunk").fields["proc.pid"] == "-1"
    assert only_event("falco-30-terminal-shell-in-container").fields["proc.tty"] == 34816


def test_a_policy_is_no_rule() -> None:
    event = only_event("sysdig-legacy-event-host")
    assert (event.rule, event.header.policy) == ("Write below binary dir", "Write below root")


@pytest.mark.parametrize(
    ("stem", "source"),
    [
        ("falco-07-k8s-serviceaccount-created", "k8s_audit"),
        ("falco-2020-k8saudit-hostnetwork", "k8s_audit"),
        ("falco-27-gcp-waf-rule-modified-or-deleted", "gcp_auditlog"),
        ("falco-09-falco-internal-metrics-snapshot", "internal"),
        ("sysdig-docs-runtime-policy-event", "syscall"),
        ("sysdig-legacy-event-webhook", ""),
    ],
)
def test_sources(stem: str, source: str) -> None:
    assert only_event(stem).source == source
