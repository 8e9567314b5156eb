"""Senders and receivers that are killed at random moments: where receivers acknowledge nothing is lost."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from threading import Event as Signal

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from kit import ROOT, configured, forward, free_port, integration, line, lines, running, until
from stand_in import KEY, TOKEN

SECRETS = {"TOKEN": TOKEN, "KEY": KEY.decode()}
KINDS = {"hec": "splunk", "ack": "splunk", "bulk": "elastic", "webhook": "webhook", "otlp": "otlp"}
EVENTS = int(os.environ.get("FALCOKIT_CRASH_EVENTS", "4000"))
KILLS = int(os.environ.get("FALCOKIT_CRASH_KILLS", "3"))


class Killed:
    """A receiver as a process of its own, killed and started anew now and then."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.port = free_port()
        self.journal = folder / "journal"
        self._command = [
            sys.executable,
            str(Path(__file__).parent / "stand_in.py"),
            kind,
            str(self.port),
            str(self.journal),
        ]
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            self._command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def count(self) -> int:
        return self.journal.read_bytes().count(b"\n") if self.journal.exists() else 0


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_lost_where_it_is_acknowledged(tmp_path: Path, kind: str) -> None:
    pick = random.Random(kind)
    (tmp_path / "events.json").write_bytes(lines(0, EVENTS))
    receiver = Killed(kind, tmp_path)
    target = f"http://127.0.0.1:{receiver.port}" + "/hook" * (kind == "webhook")
    secrets = {"signing_key": "env:KEY"} if kind == "webhook" else {"token": "env:TOKEN"}
    options = {"ack": True} if kind == "ack" else {}
    config = configured(tmp_path, integration("it", KINDS[kind], target, secrets, batch=50, timeout=5.0, **options))
    arguments = ("run", "events.json", "--config", config)
    try:
        for _ in range(KILLS):
            with running(tmp_path, *arguments, **SECRETS) as run:
                start = receiver.count()
                some = min(start + pick.randrange(EVENTS // (3 * KILLS)), EVENTS - 1)
                until(lambda: receiver.count() > some)  # noqa: B023  # used up here
                receiver.kill()
                receiver.start()
                more = min(receiver.count() + pick.randrange(EVENTS // (3 * KILLS)), EVENTS - 1)
                until(lambda: receiver.count() > more, 120)  # noqa: B023  # used up here
                Signal().wait(pick.random() / 50)
                run.kill()
        code, _, err = forward(tmp_path, *arguments, "--once", **SECRETS)
        assert code == 0, err
    finally:
        receiver.kill()
    text = receiver.journal.read_text(encoding="utf-8")
    found = Counter(
        int(one.partition("(number=")[2].partition(")")[0]) for one in text.splitlines() if one.endswith("}")
    )
    assert sorted(found) == list(range(EVENTS))
    again = sum(found.values()) - EVENTS
    sys.stdout.write(f"{kind}: {again} of {EVENTS} events arrived more than once\n")
    if kind == "bulk":
        assert again == 0  # A document is made once, whatever is sent again.


def test_standard_input_is_safe_once_it_is_read(tmp_path: Path) -> None:
    port = free_port()
    config = configured(
        tmp_path, integration("it", "webhook", f"http://127.0.0.1:{port}/hook", {"signing_key": "env:KEY"})
    )
    with running(tmp_path, "run", "-", "--config", config, stdin=subprocess.PIPE, **SECRETS) as run:
        assert run.process.stdin is not None
        run.process.stdin.write(lines(0, 500))
        run.process.stdin.flush()
        spool = tmp_path / "XDG_STATE_HOME/falcokit/forward/it/spool"
        until(lambda: sum(one.read_bytes().count(b"\n") for one in spool.iterdir()) == 500)
        run.kill()
    receiver = Killed("webhook", tmp_path)
    try:
        until(lambda: b":%04X " % receiver.port in Path("/proc/net/tcp").read_bytes())
        config = configured(tmp_path, integration("it", "webhook", f"http://127.0.0.1:{receiver.port}/hook", {"signing_key": "env:KEY"}))  # fmt: skip
        code, out, err = forward(tmp_path, "run", "-", "--once", "--config", config, input=line(500), **SECRETS)
        assert (code, out) == (0, "it: 501 read, 501 sent\n"), err
    finally:
        receiver.kill()
    assert receiver.count() == 501
    assert list(spool.iterdir()) == []
