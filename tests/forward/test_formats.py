"""What single formats do that a form alone does not tell."""

from __future__ import annotations

import base64
import hmac
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from falcokit.event.audit import audit_events
from falcokit.forward.enrich import enriched, identity, labels_of
from falcokit.forward.integration import Integration
from falcokit.forward.render import framed, headers_of, render, signed, together
from falcokit.forward.target import address_of, shown, url_of

sys.path.insert(0, str(Path(__file__).parent))
from made import event, integration
from parsers import cef, leef, octet_counted, rfc3164, rfc5424

ALERT: dict[str, Any] = {
    "hostname": "node-1", "priority": "Warning", "rule": "Own rule", "source": "syscall", "time": "2026-02-03T04:05:06.123456789Z", "output": "Own sample",
    "output_fields": {"container.id": "0123456789ab", "container.name": "app", "container.image.repository": "example/own", "container.image.tag": "1", "k8s.ns.name": "prod", "proc.name": "bash", "proc.pname": "init", "k8s.pod.label[app]": "shop"},
}  # fmt: skip


def params(message: bytes) -> dict[str, str]:
    return dict(rfc5424(message).data["event@32473"])


def test_severities_of_every_priority() -> None:
    words = ["Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"]
    found = []
    for word in words:
        alert = event({**ALERT, "priority": word})
        record = json.loads(render(integration("otlp"), alert))
        assert record["severityText"] == word
        found.append(
            (
                rfc5424(render(integration("syslog"), alert)).severity,
                int(cef(render(integration("file", {"message": "cef"}), alert).decode())[0][5]),
                int(leef(render(integration("file", {"message": "leef"}), alert).decode())[1]["sev"]),
                record["severityNumber"],
                enriched(alert, integration("webhook"))["severity"],
            )
        )
    assert [row[0] for row in found] == [row[4] for row in found] == list(range(8))
    assert [row[1] for row in found] == [row[2] for row in found] == [10, 9, 8, 7, 6, 4, 2, 1]
    assert [row[3] for row in found] == [21, 19, 18, 17, 13, 10, 9, 5]
    # One that tells none is a notice for syslog and has no severity elsewhere.
    none = event({**ALERT, "priority": ""})
    assert rfc5424(render(integration("syslog"), none)).severity == 5
    assert "severityNumber" not in json.loads(render(integration("otlp"), none))


def test_heads_of_syslog() -> None:
    one = integration("syslog", {"facility": "local7", "app_name": "fal-co", "hostname": "gw.example.com"})
    silent = event({key: value for key, value in ALERT.items() if key not in ("hostname", "time")})
    read = rfc5424(render(one, silent))
    assert (read.facility, read.hostname, read.app_name, read.timestamp) == (23, "gw.example.com", "fal-co", "-")
    assert rfc5424(render(one, silent, 1770091506123456789)).timestamp == "2026-02-03T04:05:06.123456Z"
    assert (rfc5424(render(one, event(ALERT))).hostname, read.msgid) == ("node-1", "Own_rule")
    old = rfc3164(render(one.replaced(options={"protocol": "rfc3164", "app_name": "fal-co"}), event(ALERT)))
    assert (old.timestamp, old.hostname, old.tag) == ("Feb  3 04:05:06", "node-1", "falco")
    # Names of hosts that are none.
    assert rfc5424(render(one, event({**ALERT, "hostname": "bad host\n<13>ü"}))).hostname == "bad_host__13__"
    assert params(
        render(integration("syslog", {"sd_id": "own@1234"}), event(ALERT)).replace(b"own@1234", b"event@32473")
    )
    assert rfc5424(render(integration("syslog", {"sd_id": ""}), event(ALERT))).data == {}


def test_structured_data_is_escaped_and_names_are_short() -> None:
    labels = {"agent.tag.odd": 'a"b]c\\d', "container.label.io.kubernetes.container.name": "app"}
    message = render(integration("syslog", labels=labels), event(ALERT))
    assert b'agent.tag.odd="a\\"b\\]c\\\\d"' in message
    found = params(message)
    assert found["agent.tag.odd"] == 'a"b]c\\d'
    assert found["~abel.io.kubernetes.container.name"[:1] + "container.label.io.kubernetes.container.name"[-31:]] == "app"  # fmt: skip


def test_a_byte_order_mark_is_for_text_that_is_not_ascii() -> None:
    odd, plain = event({**ALERT, "output": "naïve 日本"}), event(ALERT)
    text = integration("syslog", {"message": "output"})
    assert rfc5424(render(text, odd)).message == b"\xef\xbb\xbf" + "naïve 日本".encode()
    assert rfc5424(render(text, plain)).message == b"Own sample"
    assert (
        rfc5424(render(text.replaced(options={"message": "output", "bom": False}), odd)).message
        == "naïve 日本".encode()
    )
    assert json.loads(rfc5424(render(integration("syslog"), odd)).message)["output"] == "naïve 日本"


def test_what_is_too_long_is_cut_and_marked() -> None:
    long = event({**ALERT, "output": "x" * 50_000})
    small = integration("syslog", {"max_size": 1024})
    assert len(render(small, long)) <= 1024
    found = json.loads(rfc5424(render(small, long)).message)
    assert found["truncated"] is True
    assert found["name"] == "Own rule"
    assert rfc5424(render(integration("syslog", {"message": "output"}), long)).message.endswith(b"x...[cut]")
    many = event({**ALERT, "output_fields": {f"own.field{n}": "y" * 100 for n in range(1000)}})
    message = render(integration("syslog", event_labels={"include": ["own.*"]}), many)
    assert len(message) <= 8192
    assert params(message)["truncated"] == "true"
    record = json.loads(render(integration("otlp", {"max_size": 4096}), many))
    assert record["droppedAttributesCount"] > 900
    assert "falco.rule" in [one["key"] for one in record["attributes"]]


def test_labels_are_included_excluded_and_never_read_out_of_text() -> None:
    usual = labels_of(event(ALERT), integration("webhook"))
    assert usual == {
        "kubernetes.namespace.name": "prod", "container.name": "app", "process.name": "bash", "container.image.repo": "example/own", "container.image.tag": "1", "host.hostName": "node-1",
    }  # fmt: skip
    chosen = integration("webhook", event_labels={"include": ["proc.pname", "k8s.pod.label.*"], "exclude": ["container.image.*", "process.name"]}, labels={"agent.tag.team": "red", "host.hostName": "mine"})  # fmt: skip
    assert labels_of(event(ALERT), chosen) == {
        "kubernetes.namespace.name": "prod", "container.name": "app", "host.hostName": "mine", "proc.pname": "init", "k8s.pod.label.app": "shop", "agent.tag.team": "red",
    }  # fmt: skip
    forged = event({**ALERT, "output": "container_image_repository=evil/image container_name=evil", "output_fields": {"proc.name": "x"}})  # fmt: skip
    assert "evil" not in str(labels_of(forged, integration("webhook")))


def test_an_identity_is_kept_and_differs() -> None:
    assert identity(event(ALERT)) == identity(event({**ALERT, "uuid": "another way", "tags": ["x"]}))
    assert identity(event(ALERT)) != identity(event({**ALERT, "output": "another"}))
    stages = [
        json.dumps({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a", "stage": stage, "stageTimestamp": "2026-02-03T04:05:06.5Z"})
        for stage in ("RequestReceived", "ResponseComplete")
    ]  # fmt: skip
    assert audit_events(stages[0])
    assert identity(event(stages[0])) != identity(event(stages[1]))
    fields = {"evt.type": "execve", "evt.rawtime": 1770091506000000007}
    assert identity(event(fields)) != identity(event({**fields, "proc.name": "sh"}))


def test_values_that_no_json_has_are_made_some() -> None:
    """Halves of surrogate pairs, numbers of more than 64 bits, NaN: receivers would refuse the whole request."""
    odd = event(
        '{"rule": "r", "output": "o\\ud800", "output_fields": {"a.huge": 1180591620717411303424, "a.nan": NaN, "a.\\ud800": ["\\udfff"]}}'
    )
    for kind in ("splunk", "webhook", "otlp", "elastic", "file", "syslog"):
        said = render(integration(kind), odd).decode().split("] ")[-1]
        for line in said.split("\n"):
            json.loads(line, parse_constant=pytest.fail)
        assert "NaN" not in said
        assert "1180591620717411303424" in said


def test_framings() -> None:
    messages = [b"one", b"two \xc3\xa4"]
    tls = integration("syslog", {"transport": "tls"})
    assert framed(tls, messages) == b"3 one6 two \xc3\xa4"
    assert octet_counted(framed(tls, messages)) == messages
    assert framed(integration("syslog", {"transport": "tcp", "framing": "lf"}), messages) == b"one\ntwo \xc3\xa4\n"
    assert framed(integration("syslog"), [b"one"]) == b"one"
    assert framed(integration("webhook"), [b"{}", b"{}"]) == b"[{},{}]"
    assert framed(integration("webhook", {"body": "lines"}), [b"{}", b"{}"]) == b"{}\n{}\n"
    assert framed(integration("webhook", {"body": "single"}), [b"{}"]) == b"{}"
    assert [together(one) for one in (integration("syslog"), integration("webhook", {"body": "single"}), tls)] == [1, 1, 500]  # fmt: skip


def test_webhooks_are_signed_as_the_specification_says() -> None:
    body, key = b'{"a":1}', b"0123456789abcdef"
    for secret in ("whsec_" + base64.b64encode(key).decode(), key):
        headers = signed(body, secret, 1770091506.9)
        assert headers["webhook-timestamp"] == "1770091506"
        content = f"{headers['webhook-id']}.1770091506.".encode() + body
        expected = base64.b64encode(hmac.new(key, content, "sha256").digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
    assert signed(body, key, 5)["webhook-id"] == headers["webhook-id"]
    assert signed(b"other", key, 5)["webhook-id"] != headers["webhook-id"]


def test_requests_say_who_sends_them_and_where_to() -> None:
    assert headers_of(integration("splunk"), {"token": "t"})["Authorization"] == "Splunk t"
    assert headers_of(integration("elastic"), {"token": "t"}) == {"Content-Type": "application/x-ndjson", "Authorization": "ApiKey t"}  # fmt: skip
    with_user = integration("elastic", {"user": "me"}, secrets={"password": "env:P"})
    assert headers_of(with_user, {"password": "p"})["Authorization"] == "Basic bWU6cA=="
    assert headers_of(integration("otlp"), {"token": "t"})["Authorization"] == "Bearer t"
    assert "Authorization" not in headers_of(integration("webhook"), {})
    assert url_of(integration("splunk")) == "https://splunk.example.com:8088/services/collector/event"
    assert url_of(integration("elastic")) == "https://elastic.example.com:9200/_bulk"
    assert url_of(integration("otlp")) == "https://otel.example.com:4318/v1/logs"
    assert url_of(integration("otlp").replaced(target="https://o/v1/logs")) == "https://o/v1/logs"
    assert url_of(integration("webhook")) == "https://hooks.example.com/falco"
    assert shown(Integration("x", "webhook", "https://h/x?token=abc")) == "https://h/..."


@pytest.mark.parametrize(
    ("target", "transport", "expected"),
    [("h", "udp", ("h", 514)), ("h", "tls", ("h", 6514)), ("h:99", "tls", ("h", 99)), ("[::1]", "tcp", ("::1", 514)), ("[::1]:5", "tcp", ("::1", 5)), ("10.0.0.1:6000", "udp", ("10.0.0.1", 6000))],
)  # fmt: skip
def test_addresses(target: str, transport: str, expected: tuple[str, int]) -> None:
    assert address_of(Integration("x", "syslog", target, options={"transport": transport})) == expected


def test_records_are_those_of_the_protocol() -> None:
    service = pytest.importorskip("opentelemetry.proto.collector.logs.v1.logs_service_pb2", reason="needs opentelemetry-proto")  # fmt: skip
    from google.protobuf.json_format import Parse

    one = integration("otlp", labels={"team": "red"})
    odd = event({**ALERT, "output_fields": {"a.int": 5, "a.float": 0.5, "a.list": ["x", 1], "a.flag": True, "a.none": None}})  # fmt: skip
    request = Parse(framed(one, [render(one, event(ALERT)), render(one, odd)]), service.ExportLogsServiceRequest())
    (resource,) = request.resource_logs
    assert {pair.key: pair.value.string_value for pair in resource.resource.attributes} == {"team": "red", "service.name": "falco"}  # fmt: skip
    first, second = resource.scope_logs[0].log_records
    assert (first.time_unix_nano, first.severity_number, first.body.string_value) == (
        1770091506123456789,
        13,
        "Own sample",
    )
    values = {pair.key: pair.value for pair in second.attributes}
    assert (values["a.int"].int_value, values["a.float"].double_value, values["a.flag"].bool_value) == (5, 0.5, True)
    assert [one.string_value or one.int_value for one in values["a.list"].array_value.values] == ["x", 1]
    assert "a.none" not in values
