"""Lists of events and single ones as text, CSV and Markdown."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from falcokit.event import Event
from falcokit.history.paging import newest_first
from falcokit.history.query import Entry, Filter, find
from falcokit.history.store import History, in_memory
from falcokit.overview.bursts import bursts, singly
from falcokit.report.event_details import details, next_steps, raw_json, to_text
from falcokit.report.events import columns_of, fitted, row, to_csv, to_json, to_markdown, to_table
from falcokit.report.text import plain

LABELS = ("host.hostName", "container.name")


def alert(second: int, rule: str = "Terminal shell in container", **changes: object) -> bytes:
    fields = {
        "container.id": "0123456789ab", "container.name": "web", "container.image.repository": "shop/web",
        "container.image.tag": "1.2", "proc.name": "sh", "proc.pname": "runc", "user.name": "root",
    }  # fmt: skip
    document = {
        "hostname": "node-1", "output": "A shell", "priority": "Warning", "rule": rule, "source": "syscall",
        "time": f"2026-01-02T03:04:{second:02}.000000001Z",
    }  # fmt: skip
    fields |= {name: value for name, value in changes.items() if "." in name}  # type: ignore[misc]
    document |= {name: value for name, value in changes.items() if "." not in name}  # type: ignore[misc]
    return json.dumps({**document, "output_fields": fields}).encode()


POLICY = json.dumps(
    {
        "id": "1", "type": "policy", "timestamp": 1767323040000000001, "name": "Notable Changes", "severity": 3,
        "containerId": "", "machineId": "08:00:27:54:f3:9d", "agentId": 7, "description": "what changed",
        "actions": [
            {"type": "POLICY_ACTION_CAPTURE", "successful": True, "token": "abc", "beforeEventNs": 5000000000},
            {"type": "POLICY_ACTION_STOP", "successful": True},
        ],
        "content": {"policyId": 544, "ruleName": "Write below etc", "ruleType": "RULE_TYPE_FILESYSTEM", "ruleTags": ["PCI"],
                    "output": "File below /etc", "fields": {"proc.name": "touch", "proc.cmdline": "touch /etc/x", "fd.name": "/etc/x"}},
        "labels": {"host.hostName": "node-2", "agent.tag.team": "red"},
    }
).encode()  # fmt: skip


def history(*lines: bytes) -> History:
    from falcokit.event import read_events

    events = [one for one in read_events([line + b"\n" for line in lines]) if isinstance(one, Event)]
    return in_memory([events])


def table(history: History, width: int = 80, colour: bool = False, labels: tuple[str, ...] = LABELS) -> str:
    lines = bursts(newest_first(history, Filter(), labels))
    return "".join(to_table((row(line, labels) for line in lines), colour=colour, width=width))


EVENTS = (
    alert(10), alert(20, **{"container.name": "db"}), alert(30),
    alert(50, "A rule with a name that no line of eighty columns has room for by any means", priority="Debug"),
    POLICY,
)  # fmt: skip


def test_a_table_of_eighty_columns() -> None:
    assert table(history(*EVENTS)) == (
        "2026-01-02T03:04:50Z  ● Debug    Fa  A rule with a name that no line of eighty …\n"
        f"{key(EVENTS[3])}              node-1 > web\n"
        "2026-01-02T03:04:30Z  ● Warning  Fa  Terminal shell in container (3)\n"
        f"{key(EVENTS[2])}              node-1 > 2 entities\n"
        "2026-01-02T03:04:00Z  ● Error    Fi  Write below etc\n"
        f"{key(POLICY)}              node-2 > host · capture, stop · policy Notable Changes\n"
    )


def test_a_table_with_room_has_one_line_each() -> None:
    assert table(history(*EVENTS[:3], POLICY), width=140) == (
        f"{key(EVENTS[2])}  2026-01-02T03:04:30Z  ● Warning  Fa  Terminal shell in container (3)  node-1 > 2 entities\n"
        f"{key(POLICY)}  2026-01-02T03:04:00Z  ● Error    Fi  Write below etc                  "
        "node-2 > host · capture, stop · policy Notable Changes\n"
    )


def test_colours_say_how_urgent_it_is() -> None:
    found = table(
        history(alert(4, "D", priority="Debug"), alert(3, "C", priority="Informational"), alert(2, "B"), alert(1, "A", priority="Error")),
        colour=True,
    )  # fmt: skip
    painted = re.findall(r"\x1b\[([0-9;]*)m● (\w+) *\x1b\[0m  Fa  \x1b\[1m(\w)\x1b\[0m", found)
    assert painted == [
        ("36", "Debug", "D"), ("33", "Info", "C"), ("38;5;208", "Warning", "B"), ("31", "Error", "A"),
    ]  # fmt: skip


def key(line: bytes) -> str:
    return entry_of(line).key[:8]


def entry_of(line: bytes) -> Entry:
    return next(newest_first(history(line), Filter()))[0]


def test_the_keys_of_a_line() -> None:
    store = history(POLICY)
    (line,) = singly(newest_first(store, Filter(), LABELS))
    told = row(line, LABELS)
    assert {name: value for name, value in told.items() if value not in (None, [])} == {
        "id": line.newest.key, "time": "2026-01-02T03:04:00.000000001Z", "oldest": "2026-01-02T03:04:00.000000001Z", "count": 1,
        "priority": "Error", "severity": 3, "level": "high", "old_severity": 3, "type": "Fi", "rule": "Write below etc",
        "policy": "Notable Changes", "entity": {"host.hostName": "node-2", "container.name": "host"}, "entities": 1,
        "actions": ["capture", "stop"], "host": "node-2", "container": "host", "container_id": "host", "process": "touch",
        "file": "/etc/x", "output": "File below /etc",
    }  # fmt: skip
    assert json.loads("".join(to_json([told, told], {"total": 2}))) == {"version": 1, "total": 2, "events": [told] * 2}
    assert json.loads("".join(to_json([], {"total": 0}))) == {"version": 1, "total": 0, "events": []}


def test_details_have_every_field() -> None:
    store = history(POLICY)
    (line,) = singly(newest_first(store, Filter(), LABELS))
    ((entry, raw),) = find(store, line.newest.key)
    from falcokit.history.query import event_of

    told = row(line, LABELS)
    text = to_text(told, details(told, event_of(raw)), raw, next_steps(entry, [], ""), colour=False)
    head, _, rest = text.partition("\nas it was written\n")
    assert head == (
        "Write below etc\n"
        "\n"
        f"  id         {entry.key}\n"
        "  when       2026-01-02T03:04:00.000000001Z\n"
        "  severity   ● Error (3 from 0 to 7, high, 3 on the old scale)\n"
        "  rule       Write below etc\n"
        "  policy     Notable Changes (id 544)\n"
        "  type       Fi file system\n"
        "  about      what changed\n"
        "  scope      host.hostName: node-2\n"
        "             container.name: host\n"
        "  host       node-2 (MAC 08:00:27:54:f3:9d) (agent 7)\n"
        "  container  host (id host)\n"
        "  process    touch\n"
        "  commands   proc.cmdline: touch /etc/x\n"
        "  file       /etc/x\n"
        "  actions    capture, stop\n"
        "  captures   abc, 5 s before\n"
        "  tags       PCI\n"
        "  labels     agent.tag.team: red\n"
        "             host.hostName: node-2\n"
        "  output     File below /etc\n"
    )
    written, _, steps = rest.partition("\ngo on with\n")
    assert json.loads(written) == json.loads(POLICY)
    assert steps == (
        "  # whitelist it: the smallest change, proven\n"
        f"  falcokit events show {entry.key} --raw | falcokit whitelist --event -\n"
        "  # whitelist its process for this rule\n"
        "  falcokit whitelist --rule 'Write below etc' --process touch\n"
        "  # why a rule fires on it\n"
        f"  falcokit events show {entry.key} --raw | falcokit match --explain -\n"
        "  # only what is of the same rule or policy\n"
        "  falcokit events list --rule 'Write below etc'\n"
        "  # what else there was, five minutes before and after\n"
        "  falcokit events list --since 2026-01-02T02:59:00.000000001Z --until 2026-01-02T03:09:00.000000001Z --search node-2\n"
    )


def test_commands_are_quoted_and_left_out_where_that_does_not_help() -> None:
    rule = "a 'b' $(c) [x]*; `d`"
    steps = next_steps(entry_of(alert(1, rule)), ["-my file.json"], "", ("-my file.json", 3))
    commands = [shlex.split(command, comments=False) for _, command in steps]
    assert commands[0] == ["falcokit", "whitelist", "--event", "./-my file.json", "--line", "3"]
    assert commands[1] == ["falcokit", "whitelist", "--rule", rule, "--image", "shop/web:1.2"]
    assert commands[3] == ["falcokit", "events", "list", "./-my file.json", "--rule", "a 'b' $(c) [[]x][*]; `d`"]
    hidden = entry_of(alert(1, "a\x1b[31m", **{"container.image.repository": "x y"}))
    shown = [command for _, command in next_steps(hidden, [], "")]
    assert shown
    assert not any("--rule" in command or ("whitelist" in command and "x y" in command) for command in shown)
    # What was read from a pipe is gone.
    assert [what for what, _ in next_steps(entry_of(alert(1)), ["-"], "")] == ["whitelist its image for this rule"]
    assert "--store 'a b'" in next_steps(entry_of(alert(1)), [], "a b")[0][1]


texts = st.text(st.sampled_from("a=+-@|\\`*_[]<>&\"',;\n\r\t\x1b\x9b\x00\u202e\u2028界é") | st.characters(exclude_categories=["Cs"]), max_size=30)  # fmt: skip


@cache
def harmless() -> dict[str, object]:
    (line,) = singly(newest_first(history(alert(1)), Filter(), LABELS))
    return row(line, LABELS)


def hostile(words: list[str]) -> dict[str, object]:
    rule, host, container, output, action = words
    return harmless() | {"rule": rule, "policy": action, "host": host, "entity": {"h": host, "c": container}, "output": output, "actions": [action] if action else []}  # fmt: skip


@settings(max_examples=60)
@given(st.lists(texts, min_size=5, max_size=5), st.integers(60, 200))
def test_hostile_values_stay_on_their_line_and_hide_nothing(words: list[str], width: int) -> None:
    told = hostile(words)
    shown = "".join(to_table([told, told], colour=False, width=width)).split("\n")
    assert len(shown) in (3, 5)
    assert all(plain(line) == line and columns_of(line) <= width for line in shown)
    marked = "".join(to_markdown([told])).split("\n")
    assert len(marked) == 4
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", marked[2])) == 9
    assert not re.search(r"(?<!\\)(?:\\\\)*[<`\[*_]", marked[2])
    assert plain(marked[2]) == marked[2]


@settings(max_examples=60)
@given(st.lists(texts, min_size=5, max_size=5))
def test_csv_reads_back_and_no_cell_is_a_formula(words: list[str]) -> None:
    told = hostile(words)
    text = "".join(to_csv([told, told]))
    header, *records = csv.reader(io.StringIO(text, newline=""))
    assert header == list(told)
    assert len(records) == 2
    for name, cell in zip(header, records[0], strict=True):
        assert cell[:1] not in tuple("=+-@\t\r＝＋－＠") or isinstance(told[name], int)
        if name in ("rule", "policy", "host", "output"):
            said = "\n".join([plain(line) for line in str(told[name]).split("\n")])
            assert cell.removeprefix("'") == said.removeprefix("'")
        if isinstance(told[name], int):
            assert int(cell) == told[name]
    assert text.endswith("\r\n")


@given(texts, st.integers(1, 40))
def test_what_is_cut_fits_and_says_that_it_is(text: str, width: int) -> None:
    found = fitted(text, width)
    assert columns_of(found) <= width
    assert found == plain(text) or found.endswith("…")


@given(texts)
def test_the_event_as_it_was_written_stays_json_and_shows_nothing_raw(text: str) -> None:
    document = {"rule": text, "output_fields": {text: text}}
    for raw in (json.dumps(document, ensure_ascii=False), json.dumps(document)):
        assert json.loads(raw_json(raw)) == document
        indented = raw_json(raw, indent=True)
        assert json.loads(indented) == document
        assert all(plain(line) == line for line in indented.split("\n"))
    assert plain(raw_json("10:20: \x1b[31m")) == raw_json("10:20: \x1b[31m")
