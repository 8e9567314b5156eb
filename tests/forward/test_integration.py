"""Integrations as they are written: read, refused with what to write, and the same as the schema says."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from falcokit.forward.integration import read_integration, to_data
from falcokit.forward.options import OPTIONS, SECRETS, options_of, secrets_of

sys.path.insert(0, str(Path(__file__).parent))
from made import TARGETS

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "integrations.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)
SPLUNK = {"name": "a", "kind": "splunk", "target": "https://h:8088", "secrets": {"token": "env:HEC"}}
SYSLOG = {"name": "a", "kind": "syslog", "target": "h"}


@pytest.mark.parametrize(
    ("data", "mistake"),
    [
        ([], 'an integration is an object with "name", "kind" and "target"'),
        ({**SYSLOG, "kind": "sylog"}, "`kind` must be one of syslog, splunk, elastic, webhook, file, otlp; did you mean `syslog`?"),
        ({**SYSLOG, "name": "a/b"}, "`name` must be a text of up to 64 letters, digits, blanks, `.`, `-` and `_`; it begins with a letter or digit"),
        ({**SYSLOG, "target": "tcp://h"}, "`target` must be an address: `host`, `host:port` or `[ipv6]:port`"),
        ({**SYSLOG, "target": "h:70000"}, "`target` must have a port from 1 to 65535"),
        ({**SYSLOG, "filtr": ""}, "`filtr` is not known: did you mean `filter`?"),
        ({**SYSLOG, "options": {"transprt": "tcp"}}, "`options.transprt` is not known: did you mean `transport`?"),
        ({**SYSLOG, "options": {"index": "x"}}, "`options.index` is no option of syslog: leave it out"),
        ({**SYSLOG, "options": {"max_size": 479}}, "`options.max_size` must be 0, or at least 480"),
        ({**SYSLOG, "options": {"batch": 1.5}}, "`options.batch` must be a whole number from 1 to 10000"),
        ({**SYSLOG, "options": {"framing": "lf"}}, "`options.framing` `lf` goes with `transport` `tcp` only"),
        ({**SYSLOG, "options": {"burst": 3}}, "`options.burst` goes with `dedup`, which says for how many seconds"),
        ({**SYSLOG, "filter": "proc.name = x and rule startswith T"}, "`filter` is about fields of events: events of some rules or priorities are chosen with `options.rules` and `options.priority`"),
        ({**SYSLOG, "options": {"ca": "ca.pem"}}, "`options.ca` must be an absolute path"),
        ({**SYSLOG, "options": {"sd_id": "event"}}, "`options.sd_id` must be a name, `@` and a private enterprise number, such as `event@32473`, or empty"),
        ({**SYSLOG, "secrets": {"token": "env:X"}}, "`secrets.token` is no secret of syslog: it has none"),
        ({**SYSLOG, "rate": -1}, "`rate` must be a number from 0 (no limit) to 1e+06"),
        ({**SYSLOG, "labels": {"a": "b\nc"}}, "`labels.a` must be a text of 1 to 1000 printable characters"),
        ({**SYSLOG, "event_labels": {"include": "x"}}, "`event_labels.include` must be an array of up to 200 names of labels, such as `container.label.team` or `agent.tag.*`"),
        ({**SYSLOG, "filter": "proc.nme = x"}, "`filter` is no condition: there is no field `proc.nme`"),
        ({**SYSLOG, "filter": "my_macro"}, "`filter` uses the macro `my_macro`, which there is none of here: write its condition"),
        ({**SPLUNK, "secrets": {}}, "`secrets.token` is missing: say where it is with `env:NAME` or `file:/path`"),
        ({**SPLUNK, "secrets": {"token": "0000-secret"}}, "`secrets.token` must say where the secret is, not what it is: `env:NAME` or `file:/path`"),
        ({**SPLUNK, "target": "https://me:secret@h"}, "`target` must have no user and no password in it: say where the secret is with `secrets`"),
        ({**SPLUNK, "target": "https://h/?token=secret"}, "`target` must have no `?` in it: `https://host:port`"),
        ({**SPLUNK, "target": "h:8088"}, "`target` must be a URL: `https://host:port`"),
        ({"name": "a", "kind": "file", "target": "x.json"}, "`target` must be the absolute path of a file, or `-` for standard output"),
        ({"name": "a", "kind": "elastic", "target": "https://h", "options": {"user": "me"}}, "`secrets.password` and `options.user` go together"),
    ],
)  # fmt: skip
def test_mistakes_say_what_to_write(data: Any, mistake: str) -> None:
    read, mistakes = read_integration(data)
    assert (read, mistakes) == (None, (mistake,))
    assert "secret@" not in mistake
    assert "0000-secret" not in mistake


def test_all_mistakes_are_told_at_once() -> None:
    _, mistakes = read_integration({"kind": "syslog", "target": 5, "rate": "x", "options": {"facility": "x", "bom": 1}})
    assert [mistake.split("`")[1] for mistake in mistakes] == [
        "name",
        "target",
        "options.facility",
        "options.bom",
        "rate",
    ]


def test_a_filter_may_be_for_any_source() -> None:
    for text in (
        "proc.name = bash and k8s.ns.name in (a, b)",
        'proc.cmdline contains "a rule = x"',
        "proc.args icontains 'priority in x'",
        "ka.verb = get",
        "json.value[/x] = 1",
    ):
        read, mistakes = read_integration({**SYSLOG, "filter": text})
        assert read is not None, mistakes


OPTION_VALUES = st.none() | st.booleans() | st.integers(-1, 1 << 25) | st.floats(allow_nan=False, allow_infinity=False).filter(lambda one: not one.is_integer()) | st.sampled_from(
    ["", "tcp", "udp", "lf", "rfc3164", "local0", "cef", "single", "day", "x", "/x", "event@1", "a b", "ü", "Ü" * 300, "env:X", "file:/x", "file:x"]
)  # fmt: skip


@st.composite
def written(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from([*TARGETS]))
    names = st.sampled_from([*OPTIONS, "x"]) if draw(st.integers(0, 4)) == 0 else st.sampled_from([*options_of(kind)])
    secrets = {name: "env:A" for name, secret in secrets_of(kind).items() if kind in secret.required}
    data = {"name": "a", "kind": kind, "target": TARGETS[kind], "options": draw(st.dictionaries(names, OPTION_VALUES, max_size=3))}  # fmt: skip
    data["secrets"] = secrets | draw(st.dictionaries(st.sampled_from([*SECRETS]), OPTION_VALUES, max_size=1))
    return data


@given(written())
@settings(max_examples=800, deadline=None)
def test_the_schema_and_the_reader_agree(data: dict[str, Any]) -> None:
    read, mistakes = read_integration(data)
    valid = VALIDATOR.is_valid({"version": 1, "integrations": [data]})
    # What the schema does not say: options that go together.
    together = (
        "`options.framing` `lf` goes",
        "`options.client_key` goes with",
        "`options.burst` goes with",
        *[f"`options.{name}` goes with" for name in ("ca", "client_cert", "server_name", "verify")],
        "`secrets.password` and `options.user`",
    )
    rest = [mistake for mistake in mistakes if not mistake.startswith(together)]
    assert valid is (not rest), mistakes
    if read is not None:
        assert VALIDATOR.is_valid({"version": 1, "integrations": [to_data(read)]})
        again, _ = read_integration(json.loads(json.dumps(to_data(read))))
        assert again is not None
        assert to_data(again) == to_data(read)


def test_the_schema_has_every_option_with_its_default() -> None:
    for kind in TARGETS:
        properties = SCHEMA["$defs"][kind]["properties"]
        assert {name: (one["default"], one["description"]) for name, one in properties.items()} == {name: (option.default, option.what) for name, option in options_of(kind).items()}  # fmt: skip


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "kind", "target", "options", "secrets", "labels", "event_labels", "include", "filter", "x"]), inner, max_size=5)))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_anything_is_told_and_nothing_raises(data: Any) -> None:
    read, mistakes = read_integration(data)
    assert (read is None) is bool(mistakes)
