"""Which kinds of events there are, and which whitelists would remove most of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from falcokit.event import Event, read_events
from falcokit.history.overall import overall
from falcokit.history.query import Filter
from falcokit.history.store import in_memory
from falcokit.history.summary import cells, spreads, summary
from falcokit.overview.kinds import BUCKETS
from falcokit.overview.noise import proposals
from falcokit.overview.template import Templates

ROOT = Path(__file__).parents[2]
START = 1_790_000_000_000_000_000


def events(documents: list[dict[str, Any]]) -> list[Event]:
    lines = "".join(json.dumps(document) + "\n" for document in documents).encode()
    return [one for one in read_events(iter([lines])) if isinstance(one, Event)]


def alert(
    number: int, rule: str, output: str, fields: dict[str, Any] | None = None, priority: str = "Warning"
) -> dict[str, Any]:
    time = START + number * 1_000_003 + 1
    return {"rule": rule, "priority": priority, "output": output, "hostname": "node", "source": "syscall",
            "time": f"2026-09-21T14:13:20.{number:09d}Z" if number else "2026-09-21T14:13:20.000000001Z", "output_fields": {"evt.time": time, **(fields or {})}}  # fmt: skip


def sample() -> list[dict[str, Any]]:
    """Events with outputs as the source document has them, each in a container of its own."""
    rows = [
        (56, "DB program spawned process", "Database-related program spawned process other than itself (user=root program=sh -c ls > /dev/null parent=mysqld {})"),
        (24, "Read sensitive file untrusted", "Sensitive file opened for reading by non-trusted program (user=root name=ftest command=ftest -i 25200 -a exfiltration file=/etc/shadow parent=docker-containe gparent=docker-containe gpparent=dockerd ggpparent=systemd {})"),
        (14, "Write below rpm database", "Rpm database opened for writing by a non-rpm program (command=ftest -i 43200 -a write_rpm_database file=/var/lib/rpm/created-by-event-generator-sh {})"),
    ]  # fmt: skip
    rows += [
        (1, "Terminal shell in container", f"A shell was spawned in a container with an attached terminal (user=root {{}} shell={shell} parent=exe cmdline={shell} terminal={terminal})")
        for shell, terminal in [("sh", 34870), ("sh", 34871), ("sh", 34872), ("sh", 34869), ("bash", 34816), ("sh", 34867), ("sh", 34868), ("sh", 34866)]
    ]  # fmt: skip
    found = []
    for count, rule, output in rows:
        for _ in range(count):
            number = len(found) + 1
            box = (
                f"k8s_x_y-{number:04d} (id={number:012x})"
                if number % 2
                else f"container=k8s_a_{number} image=repo/{number}"
            )
            text = output.format(box)
            found.append(alert(number, rule, text))
    return found


def test_the_counts_of_the_source_document() -> None:
    with in_memory([events(sample())]) as history:
        boxed = summary(history, Filter(), "container", 100)
        assert [group.count for group in boxed.groups] == [56, 24, 14, *[1] * 8]
        assert "id=" not in "".join(group.text for group in boxed.groups)
        alike = summary(history, Filter(), "similar", 100)
        assert [group.count for group in alike.groups] == [56, 24, 14, 8]
        assert alike.groups[3].text == "A shell was spawned in a container with an attached terminal (user=root shell=<shell> parent=exe cmdline=<cmdline> terminal=<terminal>)"  # fmt: skip
        assert [group.count for group in summary(history, Filter(), "fields", 100).groups] == [56, 24, 14, 7, 1]
        assert summary(history, Filter(), "none", 1000).kinds == 102
        assert (alike.events, alike.kinds, sum(alike.groups[0].trend), len(alike.groups[0].trend)) == (
            102,
            4,
            56,
            BUCKETS,
        )


WORD = st.sampled_from(["nginx", "redis", "cron", "sshd"])
IDS = st.integers(0, 2**48 - 1).map(lambda number: f"{number | 1 << 44:012x}")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["A", "B"]), WORD, WORD, IDS, st.integers(10_000, 99_999), st.integers(1, 9)),
        min_size=1,
        max_size=60,
    )
)
def test_kinds_are_counted_as_they_were_made(made: list[tuple[str, str, str, str, int, int]]) -> None:
    documents = []
    for number, (rule, process, parent, container, pid, day) in enumerate(made, 1):
        output = f"14:13:20.{number:09d}: Warning Something (process={process} parent={parent} pid={pid} container_id={container} file=/proc/{pid}/x day=2026-01-0{day}T10:00:00Z)"  # fmt: skip
        fields = {
            "proc.name": process,
            "proc.pname": parent,
            "proc.pid": pid,
            "container.id": container,
            "fd.name": f"/proc/{pid}/x",
        }
        documents.append(alert(number, rule, output, fields))
    expected = Counter((rule, process, parent) for rule, process, parent, *_ in made)
    with in_memory([events(documents)]) as history:
        found = summary(history, Filter(), "fields", 1000)
    assert sorted(group.count for group in found.groups) == sorted(expected.values())
    assert found.events == len(made)
    assert {group.process for group in found.groups} == {process for _, process, _ in expected}
    for group in found.groups:
        assert not any(container in group.text or str(pid) in group.text for _, _, _, container, pid, _ in made)
        told = {
            container
            for rule, process, parent, container, _, _ in made
            if rule == group.rule and f"process={process} parent={parent} " in group.text
        }
        assert group.containers == len(told)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["A", "B"]), st.sampled_from(["i1", "i2", None]), WORD), min_size=1, max_size=60
    ),
    st.integers(1, 8),
)
def test_proposals_never_remove_an_event_twice(made: list[tuple[str, str | None, str]], limit: int) -> None:
    documents = []
    for number, (rule, image, process) in enumerate(made, 1):
        box = (
            {"container.id": "host"}
            if image is None
            else {"container.id": f"{number:012x}", "container.name": "c", "container.image.repository": image}
        )
        documents.append(alert(number, rule, f"x {number}", {"proc.name": process, "proc.pname": "p", **box}))
    with in_memory([events(documents)]) as history:
        found = proposals(cells(history, Filter()), limit)
    assert len(found) <= limit
    covered: set[int] = set()
    for one in found:
        mine = {
            number
            for number, (rule, image, process) in enumerate(made)
            if (rule, image or "") == (one.rule, one.image) and one.process in ("", process)
        }
        assert len(mine) == one.removes
        assert not mine & covered
        covered |= mine
    assert [one.removes for one in found] == sorted([one.removes for one in found], reverse=True)


def test_what_a_person_would_keep_apart_stays_apart() -> None:
    """Names that are parts of others, ports of servers, uids, and containers called like their process."""
    rows = [("Warning F (file=/srv/api-data/x)", "api"), ("Warning F (file=/srv/web-data/x)", "web"), ("Warning F (connection=10.0.0.1:40000->10.0.0.5:27017)", "a"),
            ("Warning F (connection=10.0.0.1:40001->10.0.0.5:31337)", "a"), ("Warning F (uid=10000)", "a"), ("Warning F (uid=65534)", "a"), ("Warning F (command=redis -x)", "redis"), ("Warning F (command=nginx -x)", "nginx")]  # fmt: skip
    documents = [
        alert(
            number, "R", f"14:13:20.{number:09d}: {output}", {"container.id": f"{number:012x}", "container.name": name}
        )
        for number, (output, name) in enumerate(rows, 1)
    ]
    with in_memory([events(documents)]) as history:
        found = summary(history, Filter(), "fields", 100)
    assert found.kinds == len(rows)
    assert {group.text for group in found.groups} == {
        output.removeprefix("Warning ").replace("10.0.0.1:40000->", "<client>->").replace("10.0.0.1:40001->", "<client>->") for output, _ in rows
    }  # fmt: skip


def test_clients_and_numbers_of_processes_are_taken_out() -> None:
    rows = ["F (connection=fd00::1:{0}->fd00::2:443)", "F (pid={0} ppid={0} proc_vpid={0})", "F (file=/proc/{0}/maps)"]
    documents = [alert(number, f"R{number % 3}", rows[number % 3].format(20_000 + number)) for number in range(1, 31)]
    with in_memory([events(documents)]) as history:
        assert [group.count for group in summary(history, Filter(), "fields", 100).groups] == [10, 10, 10]


def test_what_stands_for_a_row_is_of_what_is_commonest_in_it() -> None:
    box = {"container.id": "0" * 12, "container.name": "c", "proc.name": "sh"}
    documents = [alert(number, "R", "F", {**box, "container.image.repository": "shop/web" if number < 10 else "shop/pay"}) for number in range(1, 11)]  # fmt: skip
    with in_memory([events(documents)]) as history:
        (group,) = summary(history, Filter(), "similar", 10).groups
    assert (group.count, group.image, group.likest, group.images) == (10, "shop/web", 9, 2)


def test_a_proposal_for_a_host_tells_what_goes_with_it_in_containers() -> None:
    host = {"container.id": "host", "proc.name": "sh", "proc.pname": "cron"}
    box = {
        "container.id": "0" * 12,
        "container.name": "c",
        "container.image.repository": "i",
        "proc.name": "sh",
        "proc.pname": "cron",
    }
    documents = [alert(number, "R", "F", host) for number in range(1, 6)] + [
        alert(number, "R", "F", box, "Critical") for number in range(6, 9)
    ]
    with in_memory([events(documents)]) as history:
        first, second = proposals(cells(history, Filter()), 5)
    assert (first.image, first.process, first.removes, first.events, first.urgent) == ("", "sh", 5, 8, 3)
    assert (second.image, second.removes, second.urgent) == ("i", 3, 3)


def test_containers_are_counted_once_and_the_host_is_none() -> None:
    boxes = [{"container.id": f"{number:012x}", "container.name": "c", "container.image.repository": "i", "proc.pname": "p"} for number in range(3)]  # fmt: skip
    documents = [
        alert(number + 1, "R", f"F (process={name})", {**boxes[number % 3], "proc.name": name})
        for number, name in enumerate(["sh", "cat"] * 30)
    ]
    documents += [alert(100, "H", "x", {"container.id": "host", "container.name": "host", "proc.name": "container:0123456789ab", "proc.pname": "p"})]  # fmt: skip
    with in_memory([events(documents)]) as history:
        found = proposals(cells(history, Filter()), 5)
        assert [(one.image, one.process, one.removes) for one in found] == [("i", "", 60)]
        assert spreads(history, Filter(), found) == [(2, 3, 1)]
        groups = {(group.rule, group.text): group.containers for group in summary(history, Filter(), "none").groups}
        assert groups["H", "x"] == 0
        assert groups["R", "F (process=sh)"] == 3
        assert overall(history, Filter()).containers == 3


def test_what_nearly_all_have_in_common_stays() -> None:
    documents = [alert(n, "R", f"Opened (file=/etc/shadow process={'cat' if n in (7, 8) else 'sh'} user=root)") for n in range(1, 301)]  # fmt: skip
    documents[6]["output"] = "Opened (file=/etc/shadow process=cp user=root)"
    with in_memory([events(documents)]) as history:
        (group,) = summary(history, Filter()).groups
    assert (group.count, group.text) == (300, "Opened (file=/etc/shadow process=sh|... user=root)")


def test_forms_without_end_are_put_together() -> None:
    templates = Templates(most=3)
    numbers = [templates.number("R", f"Ran (user=root command=sh -c job{letter} parent=x)", {}) for letter in "abcdefg"]
    assert numbers == [0, 1, 2, 3, 3, 3, 3]
    assert templates.found[3] == ("R", "Ran (user=<user> command=<command> parent=<parent>) ...")
    assert [templates.number("S", f"word{letter}", {}) for letter in "abcdefghij"] == [4, 5, 6, 7, 8, 9, 10, 10, 10, 10]
    assert templates.found[10] == ("S", "<*> ...")


def run(folder: Path, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "falcokit", "events", *arguments], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "XDG_DATA_HOME": str(folder)},
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def test_as_a_user_runs_it(tmp_path: Path) -> None:
    lines = [json.dumps(document) for document in sample()]
    (tmp_path / "e.json").write_text("\n".join(lines) + "\nnot an event\n", encoding="utf-8")
    code, out, err = run(tmp_path, "summary", "e.json", "--limit", "1")
    assert code == 0
    assert err.startswith("falcokit: e.json:103: ")
    assert out.splitlines()[0] == "102 events of 4 kinds"
    assert out.splitlines()[2].startswith("      56  54.9%  DB program spawned process")
    assert out.splitlines()[-1] == "46 events of 3 kinds more: --limit shows more"
    assert max(len(line) for line in out.splitlines() if "$" not in line) <= 80
    code, out, _ = run(tmp_path, "summary", "e.json", "--format", "json")
    rows = json.loads(out)["groups"]
    assert [row["count"] for row in rows] == [56, 24, 14, 8]
    assert rows[0]["level"] == "medium"
    for shape in ("csv", "markdown"):
        assert run(tmp_path, "summary", "e.json", "--format", shape)[0] == 0
    code, out, _ = run(
        tmp_path, "summary", "e.json", "--rule", "Terminal*", "--where", "evt.time exists", "--format", "json"
    )
    assert code == 0
    code, out, _ = run(tmp_path, "summary", "e.json", "--priority", "error")
    assert (code, out) == (1, "0 events of 0 kinds\n")
    assert run(tmp_path, "summary", "e.json", "--where", "evt.time exists", "--search", "SHELL")[0] == 0
    assert run(tmp_path, "summary", "e.json", "--since", "2026-03-01T00:00Z", "--until", "2026-02-01")[0] == 2
    assert run(tmp_path, "summary", "e.json", "--priority", "loud")[0] == 2
    assert run(tmp_path, "summary", "e.json", "--last", "soon")[0] == 2
    assert run(tmp_path, "summary", "e.json", "--where", "proc.nme = x")[0] == 2
    assert run(tmp_path, "summary", "gone.json")[0] == 2
    code, _, err = run(tmp_path, "summary")
    assert (code, "falcokit events import" in err) == (2, True)


def test_no_whitelist_is_offered_for_what_falco_tells_of_itself(tmp_path: Path) -> None:
    document = alert(1, "Falco internal: metrics snapshot", "x", {"proc.name": "falco", "container.id": "host"})
    (tmp_path / "e.json").write_text(json.dumps(document) + "\n", encoding="utf-8")
    _, out, _ = run(tmp_path, "summary", "e.json")
    assert "metrics snapshot" in out
    assert "$" not in out
    key = json.loads(run(tmp_path, "list", "e.json", "--format", "json")[1])["events"][0]["id"]
    assert "whitelist" not in run(tmp_path, "show", key, "e.json")[1]


def test_noise_as_a_user_runs_it(tmp_path: Path) -> None:
    documents = [
        alert(number, "Write below etc", f"x {number}", {"proc.name": "sh" if number % 10 else "odd", "container.id": "0" * 12, "container.name": "c", "container.image.repository": "a b/$x"}, "Error")
        for number in range(1, 21)
    ]  # fmt: skip
    (tmp_path / "e.json").write_text("".join(json.dumps(document) + "\n" for document in documents), encoding="utf-8")
    code, out, _ = run(tmp_path, "noise", "e.json", "--limit", "1")
    assert code == 0
    assert out.splitlines()[0] == "1 whitelist would remove 18 of 20 events (90%)"
    assert "$ falcokit whitelist --rule 'Write below etc' --image 'a b/$x' --process sh" in out
    assert "18 events of priority Error or above" in " ".join(out.split())
    data = json.loads(run(tmp_path, "noise", "e.json", "--format", "json")[1])
    assert [(one["process"], one["removes"]) for one in data["proposals"]] == [("sh", 18), ("odd", 2)]
