"""The history holds every event once, whoever imports it, however often, and whoever looks on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
from real import ROOT, line, lines, numbers, run

from falcokit.errors import ConfigError
from falcokit.event import Event, read_events
from falcokit.forward.enrich import enriched
from falcokit.forward.integration import Integration
from falcokit.history.gathering import BATCH
from falcokit.history.importing import import_events, import_into
from falcokit.history.store import History, in_memory, open_to_read, open_to_write

SHARED = Path(__file__).parents[3] / "shared" / "events"


def read(data: bytes) -> list[Event]:
    return [event for event in read_events((data,)) if isinstance(event, Event)]


def texts(history: History) -> Counter[tuple[int, str]]:
    return Counter(history.all("SELECT id, raw FROM events"))  # type: ignore[arg-type]  # pairs


word = st.sampled_from(["a", "b", "<NA>", "", "\udfff", "\0", "%", "é"])
text = st.lists(word, max_size=3).map("".join)
time = st.sampled_from([
    "2026-11-27T10:00:00.000000001Z", "2026-11-27T10:00:00.000000002Z", "2026-11-27T10:00:00Z",
    "2300-01-01T00:00:00.000000001Z", "10:00", 2**64 - 1, 1732702000.5, None,
])  # fmt: skip
field = st.sampled_from(["proc.name", "container.id", "container.image.repository", "fd.sport", "k8s.ns.name"])
value = st.one_of(text, st.integers(-(2**70), 2**70), st.booleans(), st.none(), st.lists(text, max_size=2), st.just({}))
fields = st.dictionaries(field, value, max_size=3)
alert = st.fixed_dictionaries(
    {"output": text | st.just([]), "output_fields": fields, "rule": text | st.integers()},
    optional={"time": time, "priority": st.sampled_from(["Notice", "warn", {}, 3]), "hostname": text, "source": text},
)
legacy = st.fixed_dictionaries(
    {"id": text, "fields": fields.map(lambda found: [{"key": key, "value": found[key]} for key in found])},
    optional={"timestamp": st.integers(0, 2**64), "policyId": st.integers(0, 9), "ruleType": st.just("PROCESS")},
)
audit = st.fixed_dictionaries({
    "kind": st.just("Event"), "apiVersion": st.just("audit.k8s.io/v1"), "auditID": text, "verb": text,
    "stageTimestamp": st.just("2026-11-27T10:00:00.5Z"),
})  # fmt: skip
plain = fields.map(lambda found: {"evt.type": "execve", **found})
written = st.one_of(alert, legacy, audit, plain).map(json.dumps) | st.sampled_from([
    "10:00:00.000000001: Notice a shell", "2026-11-27 10:00:00.1: Error a file", "10:00:00.000000001: Notice a pipe",
])  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(st.lists(written, min_size=1, max_size=12), st.data())
def test_any_events_in_any_parts_any_number_of_times_are_one_set(found: list[str], data: st.DataObject) -> None:
    events = read("".join(one + "\n" for one in found).encode())
    with in_memory() as once:
        added = import_events(once, events)[1]
        expected = {key for key, _ in texts(once)}
        assert len(expected) == added == len(texts(once))
    with in_memory() as again:
        order = data.draw(st.permutations([*events, *events]))
        new = 0
        while order:
            part = data.draw(st.integers(1, len(order)))
            new += import_events(again, order[:part])[1]
            order = order[part:]
        assert new == added
        assert {key for key, _ in texts(again)} == expected
        # What is kept is what can be imported again, and it is the same then.
        assert import_events(again, read("\n".join(raw for _, raw in texts(again)).encode()))[1] == 0


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 30), max_size=60), st.integers(1, 20))
def test_as_many_are_there_as_different_ones_were_given(given_: list[int], size: int) -> None:
    with in_memory() as history:
        for start in range(0, len(given_), size):
            history.add(read(b"".join(map(line, given_[start : start + size]))))
        assert len(texts(history)) == len(set(given_))


def test_an_alert_that_falcosidekick_handed_on_is_the_same() -> None:
    direct = json.loads(line(1))
    through = {
        **direct,
        "uuid": "8b7f",
        "tags": ["shell"],
        "output_fields": {**direct["output_fields"], "cluster": "x"},
    }
    with in_memory() as history:
        assert history.add(read(line(1))) == 1
        assert history.add(read(json.dumps(through).encode())) == 0


@pytest.mark.skipif(not SHARED.exists(), reason="needs the events in ../shared")
def test_every_shape_of_other_people_imports_once(tmp_path: Path) -> None:
    files = sorted(SHARED.glob("*.json"))
    store = str(tmp_path / "history")
    every: set[str] = set()
    for path in files:
        events = read(path.read_bytes())
        assert events, path.name
        first = import_into(store, events)
        assert (first.read, import_into(store, events).new) == (len(events), 0)
        # As the spool keeps them, and as `show` reads them.
        assert import_into(store, read("\n".join(event.written for event in events).encode())).new == 0
        every |= {event.written for event in events}
    with open_to_read(store) as history:
        assert {raw for _, raw in texts(history)} <= every
        assert len(texts(history)) > len(files) // 2


@pytest.mark.parametrize("content", [b"", b"no database", b"\0" * 20_000, b"SQLite format 3\0" + b"x" * 4096])
def test_a_file_that_is_no_history_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.duckdb"
    path.write_bytes(content)
    for open_it in (open_to_read, open_to_write):
        if open_it is open_to_write and not content:
            continue  # An empty file becomes one.
        with pytest.raises(ConfigError) as raised:
            open_it(str(path))
        assert "\n" not in str(raised.value)
        assert path.read_bytes() == content


def test_a_database_of_others_is_left_as_it_is(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as other:
        other.execute("CREATE TABLE events (mine INTEGER)")
    for open_it in (open_to_read, open_to_write):
        with pytest.raises(ConfigError, match="is no history of this falcokit"):
            open_it(str(path))
    with duckdb.connect(str(path)) as other:
        assert other.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("events",)]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "history"
    import_into(str(path), read(lines(0, 500)))
    return path


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_damaged_history_is_one_line_or_still_of_use(sound: Path, data: st.DataObject) -> None:
    whole = sound.read_bytes()
    start = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(start + 1, min(len(whole), start + 70_000)))
    cut = data.draw(st.booleans())
    path = sound.with_name("damaged")
    path.write_bytes(whole[:start] if cut else whole[:start] + os.urandom(end - start) + whole[end:])
    # In processes of their own: what happens to them must not happen to the tests.
    for arguments in (("prune", "--before", "2026-11-02", "--yes"), ("import", "-")):
        code, out, wrong = run(sound.parent, *arguments, "--store", path, input=lines(400, 600))
        if code == 0:
            assert (out.count("\n"), wrong) == (1, "")
        else:
            assert (code, out, wrong.count("\n")) == (2, "", 1)
            assert wrong.startswith("falcokit: ")


WRITER = """
import sys
from falcokit.event import read_events
from falcokit.forward.enrich import enriched
from falcokit.forward.integration import Integration
from falcokit.history.importing import import_into
with open(sys.argv[2], "rb") as stream:
    print(import_into(sys.argv[1], read_events(iter(lambda: stream.read(1 << 20), b"")), hold=0.0).new)
"""
READER = """
import sys
from falcokit.history.query import total
from falcokit.history.store import open_to_read
seen = 0
print("ready", flush=True)
sys.stdin.readline()
while seen < int(sys.argv[2]):
    with open_to_read(sys.argv[1], 300.0) as history:
        seen = total(history)
        rows, ids = history.all("SELECT count(*), count(DISTINCT id) FROM events")[0]
        assert seen == rows == ids
        print(seen, flush=True)
"""


def test_readers_see_whole_batches_and_do_not_fail_while_one_writes(tmp_path: Path) -> None:
    count = 5 * BATCH
    store, source = tmp_path / "history", tmp_path / "events.json"
    source.write_bytes(lines(0, count))
    open_to_write(str(store)).connection.close()

    def start(code: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", code, str(store), *arguments], env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    readers = [start(READER, str(count)) for _ in range(3)]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
    writer = start(WRITER, str(source))
    for reader in readers:
        assert reader.stdin is not None
        reader.stdin.write("\n")
        reader.stdin.flush()
    said, wrong = writer.communicate(timeout=300)
    assert (said, wrong) == (f"{count}\n", "")
    looks = 0
    for reader in readers:
        said, wrong = reader.communicate(timeout=300)
        assert (reader.returncode, wrong) == (0, "")
        seen = [int(one) for one in said.split()]
        assert [one for one in seen if one % BATCH] == []
        assert seen == sorted(seen)
        looks += sum(0 < one < count for one in seen)
    assert looks > 0  # They did look while it wrote.
    assert numbers(store) == list(range(count))


def test_what_was_forwarded_is_the_same_event() -> None:
    alerts = [
        json.dumps({"hostname": "n", "output": f"A {number}", "output_fields": {"proc.pid": number}, "priority": "Notice", "rule": "A", "time": f"2026-11-28T10:00:00.{number:09}Z"})
        for number in range(1, 50)
    ]  # fmt: skip
    events = read("\n".join(alerts).encode())
    sent = b"\n".join([orjson.dumps(enriched(one, Integration("x", "file", "/x"))) for one in events])
    with in_memory() as history:
        assert (history.add(events), history.add(read(sent))) == (len(events), 0)


@pytest.mark.parametrize("moment", ["2026-11-28T10:00:00.000000001Z", "2026-11-28T10:00:00Z"])
@pytest.mark.parametrize("fields", [{"proc.name": "x"}, {"container.id": "host", "container.name": "host"}])
def test_an_alert_has_no_identifier_of_its_own_on_one_way(moment: str, fields: dict[str, str]) -> None:
    alert = {"hostname": "n", "output": "A", "output_fields": fields, "priority": "Notice", "rule": "A", "source": "syscall", "time": moment}  # fmt: skip
    with in_memory() as history:
        found = [
            history.add(read(json.dumps(alert | more).encode())) for more in ({}, {"uuid": "a-1"}, {"uuid": "b-2"})
        ]
        assert found == [1, 0, 0]
