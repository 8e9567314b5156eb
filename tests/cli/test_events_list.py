"""`falcokit events list`, `show`, `browse` and `grouping` as a user runs them."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from falcokit.event import Event, read_events
from falcokit.history.paging import newest_first
from falcokit.history.query import Filter
from falcokit.history.store import History, in_memory, open_to_write
from falcokit.overview.bursts import bursts, singly
from falcokit.report.text import plain
from falcokit.validation import holds_for

ROOT = Path(__file__).parents[2]
SHAPES = sorted(((Path(__file__).parents[2].parent / "shared") / "events").glob("*.json"))
Run = Callable[..., tuple[int, str, str]]


def alert(minute: int, rule: str = "Shell", **changes: object) -> str:
    fields = {"container.id": "0123456789ab", "container.name": "web", "container.image.repository": "shop/web", "proc.name": "sh"}  # fmt: skip
    document = {"hostname": "node-1", "output": "A shell", "priority": "Warning", "rule": rule, "source": "syscall", "time": f"2026-01-02T03:{minute:02}:00.5Z"}  # fmt: skip
    fields |= {name: value for name, value in changes.items() if "." in name}  # type: ignore[misc]
    document |= {name: value for name, value in changes.items() if "." not in name}  # type: ignore[misc]
    return json.dumps({**document, "output_fields": fields})


ALERTS = (
    alert(1), alert(2, "Shell", **{"container.name": "db", "proc.name": "bash"}), alert(3, "Write", priority="Error"),
    alert(4, "Write", hostname="node-2", **{"k8s.ns.name": "shop", "agent.tag.team": "red"}), alert(5, "Old", priority="Debug"),
)  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "alerts.json").write_text("\n".join(ALERTS) + "\n", encoding="utf-8")

    def run(*arguments: str, given: str | None = None, **environment: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "falcokit", "events", *arguments], cwd=tmp_path, input=given, capture_output=True, text=True,
            check=False, encoding="utf-8",
            env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "XDG_DATA_HOME": str(tmp_path / "data"),
                 "XDG_CONFIG_HOME": str(tmp_path / "config"), **environment},
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout, done.stderr

    return run


def listed(out: str) -> list[dict[str, Any]]:
    found = json.loads(out)["events"]
    assert isinstance(found, list)
    return found


def rules(out: str) -> list[str]:
    return [one["rule"] for one in listed(out)]


def test_newest_first_with_the_way_to_the_next_page(run: Run) -> None:
    code, out, err = run("list", "alerts.json", "--limit", "2")
    assert code == 0
    keys = [one["id"][:8] for one in listed(run("list", "alerts.json", "--limit", "2", "--format", "json")[1])]
    assert out.splitlines() == [
        f"{keys[0]}  2026-01-02T03:05:00Z  ● Debug    Fa  Old    node-1 > web",
        f"{keys[1]}  2026-01-02T03:04:00Z  ● Warning  Fa  Write  node-2 > web",
    ]
    assert err == "falcokit: events 1 to 2 of 5; the next ones: --page 2\n"
    code, out, err = run("list", "alerts.json", "--limit", "2", "--page", "2")
    assert (code, len(out.splitlines()), err) == (0, 2, "falcokit: events 3 to 5 of 5 on 2 lines\n")
    assert run("list", "alerts.json", "--page", "9") == (0, "", "falcokit: there is no event on page 9\n")


def test_a_burst_is_one_line_and_the_export_has_each_event(run: Run) -> None:
    lines = [alert(1, time=f"2026-01-02T03:01:{n:02}.5Z", **{"container.name": f"c{n % 3}"}) for n in range(7)]  # fmt: skip
    code, out, err = run("list", "-", given="\n".join([*lines, alert(9, "Other")]))
    assert (code, err) == (0, "falcokit: events 1 to 8 of 8 on 2 lines\n")
    assert [line[34:] for line in out.splitlines()] == [
        "● Warning  Fa  Other      node-1 > web"[2:],
        "● Warning  Fa  Shell (7)  node-1 > 3 entities"[2:],
    ]
    assert len(run("list", "-", "--no-bursts", given="\n".join(lines))[1].splitlines()) == 7
    assert len(listed(run("list", "-", "--format", "json", given="\n".join(lines))[1])) == 7
    (line,) = listed(run("list", "-", "--format", "json", "--bursts", given="\n".join(lines))[1])
    assert (line["count"], line["entities"], line["oldest"]) == (7, 3, "2026-01-02T03:01:00.500000000Z")


def test_filters_say_which_events(run: Run) -> None:
    def found(*arguments: str) -> list[str]:
        code, out, _ = run("list", "alerts.json", "--format", "json", *arguments)
        assert code == 0
        return [f"{one['rule']} {one['time'][14:16]}" for one in listed(out)]

    assert found("--priority", "error") == ["Write 03"]
    assert found("--rule", "Wr*") == ["Write 04", "Write 03"]
    assert found("--namespace", "shop") == ["Write 04"]
    assert found("--search", "DB") == ["Shell 02"]
    assert found("--since", "2026-01-02T03:04", "--until", "2026-01-02T03:05") == ["Write 04"]
    assert found("--last", "90s") == ["Old 05", "Write 04"]
    assert found("--where", "proc.name in (bash, zsh) and not container.name = web") == ["Shell 02"]
    assert found("--where", "proc.name startswith b or evt.hostname = node-2") == ["Shell 02"]
    assert found("--where", "proc.name exists", "--rule", "Old") == ["Old 05"]
    # What an alert does not tell decides nothing.
    assert found("--where", "user.name = root or not user.name = root") == found("--where", "proc.name = none")


def test_paging_with_a_condition_goes_on_where_it_was(run: Run) -> None:
    seen = []
    for page in ("1", "2"):
        code, out, err = run("list", "alerts.json", "--where", "proc.name = sh", "--limit", "3", "--page", page, "--format", "json")  # fmt: skip
        assert code == 0
        seen += rules(out)
    assert seen == ["Old", "Write", "Write", "Shell"]
    assert err == "falcokit: events 4 to 4 of 4\n"


def test_csv_and_markdown_say_what_json_says(run: Run) -> None:
    lines = "\n".join([*ALERTS, alert(6, "=1+1|\"x\",\ny", output="two\nlines, \"quoted\"")])  # fmt: skip
    told = listed(run("list", "-", "--format", "json", given=lines)[1])
    records = list(csv.DictReader(io.StringIO(run("list", "-", "--format", "csv", given=lines)[1])))
    assert len(records) == len(told) == 6
    for record, one in zip(records, told, strict=True):
        assert list(record) == list(one)
        for name, value in one.items():
            if name == "entity":
                value = " > ".join(value.values())
            elif name == "actions":
                value = ", ".join(value)
            elif name == "rule" and value.startswith("="):
                value = f"'{value}"
            assert record[name] == ("" if value is None else str(value))
    code, out, _ = run("list", "-", "--format", "markdown", given=lines)
    assert code == 0
    assert len(out.splitlines()) == 7  # Two of them fall together.
    assert r"=1+1\|" in out


def test_whose_it_is_follows_the_grouping(run: Run) -> None:
    labels = "kubernetes.namespace.name,agent.tag.team,priority"
    told = listed(run("list", "alerts.json", "--group-by", labels, "--format", "json")[1])
    assert told[1]["entity"] == {
        "kubernetes.namespace.name": "shop",
        "agent.tag.team": "red",
        "priority": "Warning",
    }
    assert told[0]["entity"] == {"kubernetes.namespace.name": None, "agent.tag.team": None, "priority": "Debug"}
    assert "shop > red > Warning" in run("list", "alerts.json", "--group-by", labels)[1]


@pytest.mark.skipif(not SHAPES, reason="the samples of events are not here")
@pytest.mark.parametrize("group_by", ["", "kubernetes.namespace.name,container.label.x,agent.tag.role"])
def test_every_shape_of_event_is_listed_and_shown(run: Run, group_by: str) -> None:
    paths = [str(path) for path in SHAPES]
    more = ["--group-by", group_by] if group_by else []
    code, out, err = run("list", *paths, "--format", "json", *more)
    assert code == 0
    told = listed(out)
    assert len(told) >= 25
    assert len({one["id"] for one in told}) == len(told)
    assert run("list", *paths, *more)[0] == 0
    for number, one in enumerate(told[:: 1 if not group_by else 9]):
        code, out, err = run("show", one["id"][:12], *paths, *more)
        assert (code, err) == (0, "")
        assert plain((one["rule"] or "")[:40]) in out
        assert f"  id         {one['id']}\n" in out
        assert "\ngo on with\n" in out
        if number % 5 == 0:
            code, raw, _ = run("show", one["id"], *paths, "--raw")
            (event,) = read_events([raw.encode()])
            assert isinstance(event, Event)
            assert event.rule == (one["rule"] or "")


def test_show_and_what_it_names_to_go_on_with(run: Run, tmp_path: Path) -> None:
    newest = listed(run("list", "alerts.json", "--rule", "Write", "--format", "json")[1])[0]
    code, out, _ = run("show", newest["id"][:8].upper(), "alerts.json")
    assert code == 0
    assert "  kubernetes shop\n" in out
    assert "  falcokit whitelist --event alerts.json --line 4\n" in out
    # The commands are as they can be typed.
    for line in out.splitlines():
        if line.startswith("  falcokit events list "):
            arguments = shlex.split(line)[2:]
            code, found, _ = run(*arguments, "--format", "json", "--no-bursts")
            assert (code, newest["id"] in [one["id"] for one in listed(found)]) == (0, True)
    code, out, _ = run("show", newest["id"], "alerts.json", "--format", "json")
    document = json.loads(out)
    assert json.loads(document["raw"]) == json.loads(ALERTS[3])
    assert document["entity"] == {"host.hostName": "node-2", "container.name": "web"}
    assert document["next"][0]["command"] == "falcokit whitelist --event alerts.json --line 4"


def test_a_raw_event_goes_into_a_whitelist(run: Run, tmp_path: Path) -> None:
    event = alert(1, "Terminal shell in container", **{"container.image.repository": "shop/admin"})
    (tmp_path / "one.json").write_text(event, encoding="utf-8")
    (one,) = listed(run("list", "one.json", "--format", "json")[1])
    code, raw, err = run("show", one["id"], "one.json", "--raw")
    assert (code, err, json.loads(raw)) == (0, "", json.loads(event))
    done = subprocess.run(
        [sys.executable, "-m", "falcokit", "whitelist", "--event", "-"], input=raw, capture_output=True, text=True, check=False,
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0
    assert "shop/admin" in done.stdout


def test_an_identifier_that_is_none_or_several(run: Run) -> None:
    assert run("show", "zz", "alerts.json")[::2] == (2, "falcokit: there is no event 'zz': falcokit events list tells what stands in front of each\n")  # fmt: skip
    assert run("show", "", "alerts.json")[0] == 2
    keys = [one["id"] for one in listed(run("list", "-", "--format", "json", given=many(40))[1])]
    first = Counter(key[0] for key in keys).most_common(1)[0][0]
    code, out, err = run("show", first, "-", given=many(40))
    assert (code, out) == (2, "")
    assert err.startswith(f"falcokit: several events begin with {first}: ")


def many(count: int) -> str:
    return "\n".join([alert(n % 60, output=f"{n}") for n in range(count)])


def test_the_tree_follows_filters_and_has_what_is_not_told(run: Run) -> None:
    code, out, _ = run("browse", "alerts.json")
    assert code == 0
    assert out.splitlines() == [
        "    5  host.hostName > container.name", "    4    node-1", "    3      web", "    1      db", "    1    node-2", "    1      web",
    ]  # fmt: skip
    assert run("browse", "alerts.json", "--depth", "1", "--search", "write")[1].splitlines() == [
        "    2  host.hostName", "    1    node-1", "    1    node-2",
    ]  # fmt: skip
    assert run("browse", "alerts.json", "--where", "proc.name = bash", "--group-by", "proc.name")[1].splitlines() == [
        "    1  proc.name", "    1    bash",
    ]  # fmt: skip
    code, out, _ = run(
        "browse", "alerts.json", "--group-by", "agent.tag.team,priority", "--format", "json", "--limit", "1"
    )
    tree = json.loads(out)
    assert (tree["labels"], tree["count"]) == (["agent.tag.team", "priority"], 5)
    assert tree["nodes"][0]["value"] is None
    assert tree["nodes"][0]["nodes"][0] == {
        "value": "Warning",
        "count": 2,
        "nodes": [],
        "more": {"values": 0, "count": 0},
    }
    assert tree["nodes"][0]["more"] == {"values": 2, "count": 2}
    assert tree["more"] == {"values": 1, "count": 1}


def test_what_a_condition_does_not_know_is_said(run: Run) -> None:
    code, out, said = run("list", "alerts.json", "--where", "proc.name in (shell_binaries)", "--format", "json")
    assert (code, listed(out)) == (0, [])
    assert said.splitlines()[0] == "falcokit: note: `shell_binaries` in --where is taken for a value: lists of rules are not known here"  # fmt: skip
    for text in ('rule = "Shell 02"', "priority=Notice", "proc.name = sh and rule contains Shell"):
        code, out, said = run("summary", "alerts.json", "--where", text)
        assert (code, out) == (2, "")
        assert said == "falcokit: --where is about fields of events: choose rules with --rule, priorities with --priority\n"  # fmt: skip


@pytest.mark.parametrize("option", ["--search", "--rule", "--image", "--namespace"])
def test_bytes_that_are_no_text_are_refused(run: Run, option: str) -> None:
    assert run("list", "alerts.json", option, "a\udcff") == (2, "", f"falcokit: {option} is no UTF-8\n")


def test_a_label_that_no_event_tells_is_said(run: Run) -> None:
    code, out, said = run("browse", "alerts.json", "--group-by", "host.hostName,contaner.name", "--limit", "1")
    assert code == 0
    assert "(none)" in out
    assert said == "falcokit: none of these events tells contaner.name: did you mean container.name?\n"
    assert run("browse", "alerts.json", "--group-by", "proc.cmdlin")[2].endswith(": did you mean proc.cmdline?\n")
    assert run("browse", "alerts.json", "--group-by", "container.name")[2] == ""
    assert run("browse", "alerts.json", "--group-by", "zzz", "--search", "not there")[2] == ""


def test_groupings_are_made_renamed_copied_and_deleted(run: Run, tmp_path: Path) -> None:
    assert run("grouping", "add", "teams", "agent.tag.team, priority")[::2] == (0, "falcokit: made: teams (agent.tag.team, priority)\n")  # fmt: skip
    assert (
        run("browse", "alerts.json", "--grouping", "teams", "--depth", "1")[1].splitlines()[0]
        == "    5  agent.tag.team"
    )
    assert run("grouping", "rename", "teams", "squads")[0] == 0
    assert run("grouping", "duplicate", "squads", "more")[0] == 0
    assert run("grouping", "duplicate", "ecs", "my-ecs")[0] == 0
    found = json.loads(run("grouping", "list", "alerts.json", "--format", "json")[1])["groupings"]
    assert [(one["name"], one["suggested"]) for one in found][:4] == [("squads", False), ("more", False), ("my-ecs", False), ("hosts-and-containers", True)]  # fmt: skip
    assert found[0]["labels"] == [{"label": "agent.tag.team", "present": True}, {"label": "priority", "present": True}]
    assert [label["present"] for label in found[2]["labels"]] == [False] * 3
    text = run("grouping", "list", "alerts.json")[1]
    assert "  mesos.task.name  no event has it\n" in text
    assert "  host.hostName\n" in text
    code, _, err = run("grouping", "delete", "more")
    assert (code, err) == (2, "falcokit: more is not deleted: there is nobody to ask; say --yes\n")
    assert run("grouping", "delete", "more", "--yes")[0] == 0
    code, _, err = run("list", "alerts.json", "--grouping", "squad")
    assert (code, err) == (2, "falcokit: there is no grouping squad: did you mean squads?\n")
    file = tmp_path / "config/falcokit/groupings.json"
    assert list(json.loads(file.read_text(encoding="utf-8"))["groupings"]) == ["squads", "my-ecs"]
    assert [path.name for path in file.parent.iterdir()] == ["groupings.json"]


def test_groupings_that_are_refused(run: Run) -> None:
    assert run("grouping", "add", "one", "a")[0] == 0
    for arguments in (
        ("add", "one", "b"), ("add", "ecs", "b"), ("add", "", "b"), ("add", "two", "a,,b"), ("add", "two", "a,a"),
        ("add", "x\x1b", "a"), ("rename", "ecs", "mine"), ("rename", "one", "ecs"), ("rename", "none", "two"), ("delete", "ecs", "--yes"),
        ("delete", "none", "--yes"), ("duplicate", "none", "two"), ("duplicate", "ecs", "one"),
    ):  # fmt: skip
        code, out, err = run("grouping", *arguments)
        assert (code, out, err.count("\n"), err.startswith("falcokit: ")) == (2, "", 1, True)
        assert "\x1b" not in err
    found = json.loads(run("grouping", "list", "--format", "json")[1])["groupings"]
    assert [one["name"] for one in found][:2] == ["one", "hosts-and-containers"]
    assert found[0]["labels"] == [{"label": "a", "present": None}]


@pytest.mark.parametrize(
    "damaged",
    [
        "", "{", "[]", '{"version": 2, "groupings": {}}', '{"version": 1, "groupings": {"a": "b"}}', '{"version": 1, "groupings": {"a": []}}',
        '{"version": 1, "groupings": {"": ["b"]}}', '{"version": 1, "groupings": {"\\u001b[31m": ["b"]}}', "[" * 100_000, "\x00", "\udcff",
    ],
)  # fmt: skip
def test_a_damaged_file_is_told_and_kept(run: Run, tmp_path: Path, damaged: str) -> None:
    file = tmp_path / "config/falcokit/groupings.json"
    file.parent.mkdir(parents=True)
    content = damaged.encode("utf-8", "surrogateescape")
    file.write_bytes(content)
    for arguments in (
        ("grouping", "list"),
        ("grouping", "add", "x", "y"),
        ("browse", "alerts.json", "--grouping", "x"),
    ):
        code, out, err = run(*arguments)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert "is damaged" in err
        assert "delete it to begin anew" in err
    assert file.read_bytes() == content
    # What everyone has needs no file.
    assert run("list", "alerts.json")[0] == 0


def test_what_is_wrong_is_said_in_one_line(run: Run) -> None:
    for arguments in (
        ("list",), ("show", "ab"), ("browse",), ("list", "missing.json"), ("list", "."), ("list", "alerts.json", "--store", "x"),
        ("list", "--store", "alerts.json"), ("list", "alerts.json", "--group-by", "a,,b"), ("list", "alerts.json", "--grouping", "x"),
        ("list", "alerts.json", "--group-by", "a", "--grouping", "ecs"), ("list", "alerts.json", "--where", "proc.name ="),
        ("list", "alerts.json", "--where", "proc.nmae = x"), ("list", "alerts.json", "--priority", "loud"),
        ("list", "alerts.json", "--last", "soon"), ("list", "alerts.json", "--since", "x"),
    ):  # fmt: skip
        code, out, err = run(*arguments)
        assert (code, out, err.count("\n"), err.startswith("falcokit: ")) == (2, "", 1, True), arguments
    for arguments in (
        ("list", "alerts.json", "--page", "0"), ("list", "alerts.json", "--limit", "0"), ("browse", "alerts.json", "--depth", "0"),
        ("list", "alerts.json", "--format", "xml"), ("show",),
    ):  # fmt: skip
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert "Error: " in err
    code, out, err = run("list", "alerts.json", "--rule", "Nothing")
    assert (code, out, err) == (0, "", "falcokit: no events of that kind, of 5 in all\n")


def test_labels_with_any_letters_are_asked_for_as_they_are(run: Run) -> None:
    odd = 'a"b\\c[0].*$'
    lines = "\n".join([alert(1, **{odd: "yes"}), "10:20:30.123456789: Warning a text alert (user=root)"])
    assert run("browse", "-", "--group-by", odd, given=lines)[1].splitlines()[1:] == ["    1    yes", "    1    (none)"]


def test_nothing_a_terminal_would_obey(run: Run) -> None:
    evil = alert(1, "r\x1b[2J\x9b31m", hostname="h\u202eo", output="o\x1b]0;x\x07", **{"container.name": "c\x1b", "container.id": "i\x9b", "a\x1bb": "v\x1b\x7f\x9b"})  # fmt: skip
    (one,) = listed(run("list", "-", "--format", "json", given=evil)[1])
    for arguments in (
        ("list", "-"), ("list", "-", "--format", "csv"), ("list", "-", "--format", "markdown"), ("list", "-", "--format", "json"),
        ("show", one["id"], "-"), ("show", one["id"], "-", "--raw"), ("show", one["id"], "-", "--format", "json"),
        ("browse", "-"), ("browse", "-", "--format", "json"), ("list", "-", "--group-by", "a\x1bb"),
    ):  # fmt: skip
        _, out, err = run(*arguments, given=evil)
        assert not [letter for letter in out + err if letter in "\x1b\x07\x7f\x9b\u202e"], arguments
    assert json.loads(run("show", one["id"], "-", "--raw", given=evil)[1]) == json.loads(evil)


def test_a_history_is_listed_without_files(run: Run, tmp_path: Path) -> None:
    store = tmp_path / "own.duckdb"
    fill(store, ALERTS)
    assert rules(run("list", "--store", "own.duckdb", "--format", "json")[1]) == [
        "Old",
        "Write",
        "Write",
        "Shell",
        "Shell",
    ]
    first = listed(run("list", "--store", "own.duckdb", "--format", "json")[1])[0]
    code, out, _ = run("show", first["id"][:10], "--store", "own.duckdb")
    assert code == 0
    assert f"falcokit events show {first['id']} --store own.duckdb --raw | falcokit whitelist --event -" in out


def fill(path: Path, lines: Sequence[str]) -> None:
    with open_to_write(str(path)) as history:
        history.add([one for one in read_events([line.encode() + b"\n" for line in lines]) if isinstance(one, Event)])


times = st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["a", "b"]), st.sampled_from(["w", "x"])), max_size=400)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(times, st.integers(1, 60), st.booleans(), st.booleans())
def test_pages_have_every_event_once(steps: list[tuple[int, str, str]], limit: int, folded: bool, asked: bool) -> None:
    second, lines = 0, []
    for number, (step, rule, name) in enumerate(steps):
        second += step * 20
        lines.append(alert(0, rule, output=f"{number}", time=f"2026-01-02T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.5Z", **{"container.name": name}))  # fmt: skip
    events = [one for one in read_events([line.encode() + b"\n" for line in lines]) if isinstance(one, Event)]
    with in_memory([events]) as history:
        expected = sorted(
            [
                (time, key)
                for time, key, name in history.all("SELECT time, id, container FROM events")
                if name == "w" or not asked
            ],
            key=lambda pair: (-pair[0], pair[1]),
        )
        picked = Filter(where=holds_for("container.name=w") if asked else None)
        seen = [(one.time, one.id) for one, _ in newest_first(history, picked)]
        assert seen == expected
        assert pages(history, picked, limit, folded) == len(expected)


def pages(history: History, picked: Filter, limit: int, folded: bool) -> int:
    """How many events all pages have, as the list makes them."""
    from itertools import islice

    seen, page = 0, 0
    while True:
        if folded:
            lines = islice(bursts(newest_first(history, picked, ("container.name",))), page * limit, (page + 1) * limit)
        else:
            lines = islice(singly(newest_first(history, picked, ("container.name",), page * limit)), limit)
        found = sum(line.count for line in lines)
        seen, page = seen + found, page + 1
        if not found:
            return seen


def test_pages_of_the_command_have_every_event_once(run: Run, tmp_path: Path) -> None:
    lines = [alert(n // 7, output=f"{n}", rule=f"r{n // 5 % 2}") for n in range(150)]
    fill(tmp_path / "own.duckdb", lines)
    whole = [
        one["id"] for one in listed(run("list", "--store", "own.duckdb", "--format", "json", "--limit", "1000")[1])
    ]
    assert len(set(whole)) == len(whole) == 150
    seen = []
    for page in range(1, 5):
        seen += [one["id"] for one in listed(run("list", "--store", "own.duckdb", "--format", "json", "--limit", "40", "--page", str(page))[1])]  # fmt: skip
    assert seen == whole
    counted = 0
    for page in range(1, 8):
        lines = listed(run("list", "--store", "own.duckdb", "--format", "json", "--bursts", "--limit", "25", "--page", str(page))[1])  # fmt: skip
        assert page < 7 or not lines
        counted += sum(one["count"] for one in lines)
    assert counted == 150


def test_a_history_in_the_place_of_events_is_told(run: Run) -> None:
    assert run("import", "alerts.json", "--store", "history.db")[0] == 0
    assert run("list", "history.db") == (2, "", "falcokit: history.db is a history: name it with --store\n")
