"""Time the forwarding of events to syslog over TCP: made-up alerts of a fixed seed, one core for the sender, another for a receiver.

Usage: python benchmarks/forward.py [--events N] [--runs N]

The receiver takes bytes and counts messages (their lengths in front, RFC 6587); the sender is ``falcokit forward run FILE --once`` as a
whole process.  Printed are events a second of wall time and of processor time, start included, medians, and the sender's memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from events import alerts

ROOT = Path(__file__).parents[1]


class Receiver(threading.Thread):
    """Counts the messages of one connection after the other."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.count = self.bytes = 0
        self.start()

    def run(self) -> None:
        while True:
            connection, _ = self.listening.accept()
            rest = b""
            while piece := connection.recv(1 << 20):
                self.bytes += len(piece)
                data, at = rest + piece, 0
                while (blank := data.find(b" ", at, at + 8)) > 0:
                    end = blank + 1 + int(data[at:blank])
                    if end > len(data):
                        break
                    self.count, at = self.count + 1, end
                rest = data[at:]
            connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[-1]})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with open(folder / "e.json", "w", encoding="utf-8") as file:
            file.writelines(alerts(options.events))
        receiver = Receiver()
        port = receiver.listening.getsockname()[1]
        target = {"name": "syslog", "kind": "syslog", "target": f"127.0.0.1:{port}", "options": {"transport": "tcp"}}
        config = folder / "integrations.json"
        config.write_text(json.dumps({"version": 1, "integrations": [target]}), encoding="utf-8")
        config.chmod(0o600)
        walls, used = [], []
        for number in range(options.runs):
            receiver.count = receiver.bytes = 0
            before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "falcokit", "forward", "run", "e.json", "--once", "--config", str(config), "--state", f"state{number}"],
                cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
                preexec_fn=lambda: os.sched_setaffinity(0, {cores[0]}),
            )  # fmt: skip
            walls.append(time.perf_counter() - start)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
            if done.returncode or receiver.count != options.events:
                sys.exit(f"{receiver.count} of {options.events} arrived\n{done.stderr}")
        wall, core = statistics.median(walls), statistics.median(used)
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        print(f"{options.events} events, {receiver.bytes // options.events} bytes each on the wire, {memory} MB")
        print(f"wall time       {wall:6.2f} s  {options.events / wall:9,.0f} events/s")
        print(f"processor time  {core:6.2f} s  {options.events / core:9,.0f} events/s on one core")


if __name__ == "__main__":
    main()
