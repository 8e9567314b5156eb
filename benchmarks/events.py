"""Time the history of events: import, summary, list, search, over made-up alerts of a fixed seed.

Usage: python benchmarks/events.py [--events N] [--lists N]

Alerts have about 500 bytes, of one rule, 300 containers, 5 images and 8 hosts, a millisecond apart.  Everything is timed as
whole processes; ``--lists`` imports so many more and times list and search on them.  The plain pipeline counts rules with
``jq -r .rule FILE | sort | uniq -c`` (with grep where there is no jq), over the same file in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

IMAGES = [
    "docker.io/library/nginx",
    "quay.io/x/redis",
    "ghcr.io/a/b",
    "docker.io/library/mysql",
    "registry.example/app",
]
START = 1_790_000_000


def alerts(count: int) -> Iterator[str]:
    """*count* alerts, a line each."""
    pick = random.Random(2)
    boxes = [(f"{pick.getrandbits(48):012x}", pick.choice(IMAGES), f"web-{number}") for number in range(300)]
    for number in range(count):
        box, image, name = pick.choice(boxes)
        user, process, parent = pick.choice(["root", "app"]), pick.choice(["sh", "bash", "ls"]), pick.choice(["runc", "mysqld", "cron"])  # fmt: skip
        terminal, second, rest = (
            34816 + pick.randrange(20),
            START + number // 1000,
            number % 1000 * 10**6 + pick.randrange(1, 1000),
        )
        moment = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        output = f"{moment[11:]}.{rest:09d}: Notice A shell was spawned (user={user} process={process} parent={parent} terminal={terminal} container={box} image={image})"
        fields = {"container.id": box, "container.image.repository": image, "container.name": name, "proc.name": process, "proc.pname": parent, "proc.tty": terminal, "user.name": user}  # fmt: skip
        yield json.dumps({"hostname": f"node-{pick.randrange(8)}", "output": output, "output_fields": fields, "priority": "Notice", "rule": "Terminal shell in container", "source": "syscall", "time": f"{moment}.{rest:09d}Z"}, separators=(",", ":")) + "\n"  # fmt: skip


def timed(command: list[str] | str, folder: Path) -> tuple[float, int]:
    """Seconds that *command* takes, and the memory of the largest process there was so far in MB."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, shell=isinstance(command, str), capture_output=True, text=True, check=False, env={**os.environ, "XDG_DATA_HOME": str(folder)})  # fmt: skip
    seconds = time.perf_counter() - start
    if done.returncode > 1:
        sys.exit(done.stderr)
    return seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--lists", type=int, default=0)
    options = parser.parse_args()
    falcokit = [sys.executable, "-m", "falcokit", "events"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count = max(options.events, options.lists)
        with open(folder / "all.json", "w", encoding="utf-8") as file:
            file.writelines(alerts(count))
        with (
            open(folder / "all.json", encoding="utf-8") as source,
            open(folder / "e.json", "w", encoding="utf-8") as file,
        ):
            for _, line in zip(range(options.events), source, strict=False):
                file.write(line)
        os.sync()  # What is written to the disk meanwhile is not what is timed.
        rules = "jq -r .rule" if shutil.which("jq") else 'grep -o \'"rule":"[^"]*"\''
        plain, _ = timed(f"{rules} e.json | sort | uniq -c", folder)
        print(f"{options.events} alerts, {os.path.getsize(folder / 'e.json') // options.events} bytes each")
        print(f"{rules.split()[0]} | sort | uniq -c   {plain:8.2f} s")
        seconds, memory = timed([*falcokit, "import", "e.json"], folder)
        print(f"import                   {seconds:8.2f} s  {options.events / seconds:9.0f} events/s  {seconds / plain:5.2f} x  {memory} MB")  # fmt: skip
        size = os.path.getsize(folder / "falcokit/events.duckdb")
        print(f"history                  {size / options.events:8.0f} bytes an event")
        for what in (
            ["summary"],
            ["noise"],
            ["list"],
            ["list", "--search", "mysqld"],
            ["list", "--search", "not there"],
            ["browse"],
        ):
            seconds, _ = timed([*falcokit, *what], folder)
            print(f"{' '.join(what):24} {seconds:8.2f} s  {seconds / plain:28.3f} x")
        if options.lists > options.events:
            seconds, memory = timed([*falcokit, "import", "all.json"], folder)
            print(f"\n{options.lists} alerts: import {options.lists / seconds:.0f} events/s, {memory} MB")
            for what in (
                ["list"],
                ["list", "--search", "mysqld"],
                ["list", "--search", "not there"],
                ["list", "--search", "zq"],
                ["list", "--search", "34999"],
                ["list", "--where", "proc.name=none"],
                ["list", "--where", "proc.cmdline contains none"],
                ["summary"],
            ):
                seconds, memory = timed([*falcokit, *what], folder)
                print(f"{' '.join(what):40} {seconds:8.2f} s  {memory} MB")


if __name__ == "__main__":
    main()
