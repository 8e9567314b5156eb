"""Time how fast rules are evaluated, over a made-up stream of system calls.

Usage: python benchmarks/evaluate.py FILE... [--events N] [--runs N] [--lines N]

FILE... are rules files in load order, such as the published stable, incubating and sandbox rules (93 rules of system
calls, all taken as enabled).  The stream is made of a fixed seed: of a hundred events 40 are of types that no rule asks
for (read, write, close, futex, mmap, lseek), 38 open files, 9 connect, send or accept, 6 execute programs, the others
make links and directories, change modes and owners, or remove files; half happen in containers; one in a thousand
fires a rule.  An event has 18 fields.  The walker is timed over fewer events of the same stream.

Figures are CPU time of this process on one core; the ratio to the walker holds when the machine's speed drifts.
With --lines the memory of ``falcokit match`` is measured as well, over a tenth of so many lines and over all.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson

import falcokit
from falcokit.evaluate import Matcher

MIX = {
    "read": 14, "write": 10, "close": 8, "futex": 4, "mmap": 2, "lseek": 2, "openat": 32, "open": 6, "connect": 5,
    "sendto": 3, "accept4": 1, "execve": 6, "rename": 1, "unlinkat": 2, "mkdirat": 1, "symlinkat": 1, "fchmodat": 1, "setuid": 1,
}  # fmt: skip
PROGRAMS = ["nginx", "postgres", "java", "node", "python3", "dockerd", "kubelet", "redis-server", "cron", "sshd"]
PATHS = [
    "/var/log/app/{}.log",
    "/usr/lib/x86_64-linux-gnu/lib{}.so",
    "/proc/{}/stat",
    "/data/base/{}",
    "/tmp/file{}",
    "/home/app/{}.txt",
]


def stream(count: int) -> list[dict[str, Any]]:
    """*count* events."""
    pick = random.Random(4)
    types = pick.choices(list(MIX), weights=list(MIX.values()), k=count)
    return [event(pick, name, fires=pick.random() < 0.001) for name in types]


def event(pick: random.Random, name: str, *, fires: bool) -> dict[str, Any]:
    """One event of the type *name*, or one that *fires* a rule."""
    program, number, inside = pick.choice(PROGRAMS), pick.randrange(10000), pick.random() < 0.5
    path = pick.choice(PATHS).format(number)
    found = {
        "evt.type": name, "evt.num": number + 1, "proc.name": program, "proc.pname": "systemd", "proc.pid": number,
        "proc.cmdline": f"{program} --worker {number}", "proc.exepath": f"/usr/bin/{program}", "proc.tty": 0, "user.name": "app", "user.uid": 1000,
        "container.id": "4f2e1d9a0b1c" if inside else "host", "container.name": f"app-{number % 50}" if inside else "host",
        "container.image.repository": f"registry.example.com/team/app{number % 20}" if inside else None, "proc.vpid": number, "user.loginuid": -1,
        "fd.name": path, "fd.directory": path.rpartition("/")[0], "evt.res": "SUCCESS",
    }  # fmt: skip
    if name in ("open", "openat"):
        found |= {"evt.is_open_read": True, "evt.is_open_write": number % 4 == 0, "fd.typechar": "f", "fd.num": 5}
    if name == "setuid":
        found |= {"user.name": "root", "user.uid": 0}
    if name in ("connect", "sendto", "accept4"):
        found |= {
            "fd.name": f"10.0.0.1:{number + 1}->10.0.0.2:5432",
            "fd.sip": "10.0.0.2",
            "fd.sport": 5432,
            "fd.type": "ipv4",
            "fd.typechar": "4",
        }
    if fires:
        found |= {
            "evt.type": "openat",
            "proc.name": "cat",
            "fd.name": "/etc/shadow",
            "fd.directory": "/etc",
            "evt.is_open_read": True,
        }
        found |= {"fd.typechar": "f", "fd.num": 5, "evt.is_open_write": False}
    return found


def seconds(work: Callable[[], Any]) -> float:
    """The CPU time of *work*."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--lines", type=int, default=0)
    args = parser.parse_args()
    validation = falcokit.validate([(path.name, path.read_bytes()) for path in args.files])
    catalogue = falcokit.Catalogue.bundled()
    matcher = Matcher(validation.loaded.compilation.rules.values(), catalogue, runs=lambda rule: True)
    rules = [rule for rule in matcher.rules if rule.definition.source == "syscall"]
    events = stream(args.events)
    asked = {name for name in MIX if any(catalogue.events.names((name,)) & rule.codes for rule in rules)}
    share = sum(event["evt.type"] in asked for event in events) / len(events)
    fired = sum(bool(matcher.fired(event)) for event in events)
    print(
        f"{len(rules)} rules, {len(events)} events, {share:.0%} of types with rules, {fired / len(events):.2%} fire one"
    )

    def evaluate(some: Iterable[dict[str, Any]]) -> None:
        fire = matcher.fired
        for one in some:
            fire(one)

    def walk(some: Iterable[dict[str, Any]]) -> None:
        for one in some:
            for rule in rules:
                if catalogue.events.names((one["evt.type"],)) & rule.codes:
                    matcher.walked(rule, one)

    few = events[:2000]
    walk(few)
    per_dict = [seconds(lambda: evaluate(events)) for _ in range(args.runs)]
    walked = [seconds(lambda: walk(few)) / len(few) * len(events) for _ in range(3)]
    show("dict events", len(events), per_dict)
    show("the walker", len(events), walked)
    print(
        f"generated code is {statistics.median(walked) / statistics.median(per_dict):.0f} times as fast as the walker"
    )
    lines(matcher, events, args.runs)
    if args.lines:
        memory(args.files, events, args.lines)


def lines(matcher: Matcher, events: list[dict[str, Any]], runs: int) -> None:
    """The same from lines of JSON, as they are read from a file."""
    from falcokit.event import Event, read_events

    content = b"".join([orjson.dumps(event) + b"\n" for event in events])
    chunks = [content[start : start + (1 << 16)] for start in range(0, len(content), 1 << 16)]

    def read() -> None:
        fire = matcher.fired
        for one in read_events(chunks):
            if one.__class__ is Event:
                fire(one.fields)

    print(f"JSON lines of {len(content) / len(events):.0f} bytes")
    show("events of JSON lines", len(events), [seconds(read) for _ in range(runs)])


def memory(files: list[Path], events: list[dict[str, Any]], count: int) -> None:
    """The peak memory of ``falcokit match`` over a tenth of *count* lines, and over all."""
    block = b"".join([orjson.dumps(event) + b"\n" for event in events[:10_000]])
    code = "import resource, subprocess, sys; done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL); "
    code += "print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)"
    command = [
        sys.executable,
        "-c",
        code,
        sys.executable,
        "-m",
        "falcokit",
        "match",
        "--no-settings",
        "--disabled",
        "--no-defaults",
    ]
    command += [word for path in files for word in ("--rules", str(path))]
    for number in (count // 10, count):
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for _ in range(number // 10_000):
                process.stdin.write(block)
            process.stdin.close()
            returncode, megabytes = process.stdout.read().split()
        assert returncode == b"0"
        print(f"falcokit match over {number:,} lines: {int(megabytes)} MB", flush=True)


def show(name: str, count: int, times: list[float]) -> None:
    print(f"{name:24} {count / statistics.median(times):12,.0f} events/s", flush=True)


if __name__ == "__main__":
    main()
