"""``falcokit forward run``, ``status`` and ``test``: events on their way to other tools."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Optional

import typer

from falcokit.cli.below import or_fail
from falcokit.cli.options import Format, fail, say, write

if TYPE_CHECKING:
    from falcokit.forward.integration import Integration

__all__ = ["run", "status", "test"]

Config = Annotated[
    Optional[str], typer.Option("--config", metavar="FILE", help="The integrations; by default the user's own.")
]
State = Annotated[
    Optional[str],
    typer.Option("--state", metavar="FOLDER", help="Where positions and spools are; by default the user's own."),
]
_OLD: Final = 30.0
"""Seconds in which a run has written what it has done."""
_BEST_EFFORT: Final = "{}: UDP is best effort: nobody learns what gets lost on the way"


def run(
    files: Annotated[
        Optional[list[str]], typer.Argument(metavar="[FILES]...", help="Logs, one event a line; - is standard input.")
    ] = None,
    store: Annotated[
        Optional[str], typer.Option("--store", metavar="FILE", help="Forward what is put into this history.")
    ] = None,
    config: Config = None,
    only: Annotated[
        Optional[list[str]], typer.Option("--only", metavar="NAME", help="Only this integration; repeatable.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be sent, and send and remember nothing.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="End when all that is there now is delivered.")] = False,
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Hold standard input up while a spool is full, instead of dropping and counting."),
    ] = False,
    from_end: Annotated[
        bool, typer.Option("--from-end", help="Of logs that were never read, send only what is written from now on.")
    ] = False,
    metrics: Annotated[
        Optional[str],
        typer.Option(metavar="HOST:PORT", help="Serve numbers for Prometheus there, on this machine only."),
    ] = None,
    state: State = None,
) -> None:
    """Forward events to every integration that is enabled: from logs, standard input, or the history.

    Each integration has a position of its own, so that one whose receiver is down holds up no other: what it has not got stays in the
    log, across rotations, and the next run goes on there.  From standard input events go through a spool on disk, one for each
    integration, with a limit; what has no room is dropped, told and counted, unless --wait is given.  `events receive` puts events
    into the history: forward these with --store.

    Where receivers acknowledge (Splunk, Elasticsearch, webhooks, OTLP, files) each event arrives at least once.  Syslog has no
    acknowledgement: over TCP and TLS what was sent last is sent again after a connection broke, and what may be lost is told.
    Ctrl-C or SIGTERM ends a run in order, as does the end of standard input, where that is all there is to read.

    Exit codes: 0 ended in order, 1 some events were refused, dropped, unreadable or not delivered, or an integration could not go on,
    2 wrong usage, an unreadable file, or no integration can begin.

    Example: falcokit forward run /var/log/falco/events.json --metrics 127.0.0.1:9464
    """
    from falcokit.workspace.event_files import unreadable

    names = list(dict.fromkeys(files or ()))
    if bool(names) == bool(store):
        fail("say what to forward: files of events, - for standard input, or --store for a history")
    if from_end and (store or "-" in names or dry_run):
        fail("--from-end is for logs that are followed")
    for path in names:
        if (trouble := unreadable(path)) is not None:
            fail(f"cannot read {path}: {trouble.reason}")
    if "-" in names and sys.stdin is not None and sys.stdin.isatty():
        fail("no events: name a file, or hand them over on standard input")
    address = _address(metrics) if metrics is not None else None
    chosen = _chosen(config, only)
    if dry_run:
        _print_all(chosen, names, store)
        return
    import gc

    from falcokit.deliver.engine import Sources, forward
    from falcokit.deliver.state import default_state

    gc.enable()  # This run has no end.
    gc.set_threshold(50_000, 20, 100)
    for one in chosen:
        if one.kind == "syslog" and one.option("transport") == "udp":
            say(_BEST_EFFORT.format(one.name))

    def ready() -> None:
        served = f", numbers are at http://{metrics}/metrics" if metrics else ""
        ending = "" if once else "; Ctrl-C ends it"
        say(f"forwarding {store or ', '.join(names)} to {', '.join(one.name for one in chosen)}{served}{ending}")

    sources = Sources(
        tuple([path for path in names if path != "-"]),
        sys.stdin.fileno() if "-" in names and sys.stdin is not None else -1,
        store or "",
        once,
        wait,
        from_end,
    )
    home = state or or_fail(default_state)
    done = or_fail(lambda: forward(chosen, sources, home, say, address, ready))
    lines = []
    bad = False
    for total in done:
        counts = total.counts
        parts = [f"{counts['read']} read", f"{counts['sent']} sent"]
        parts += [f"{counts[key]} {word}" for key, word in _WORDS.items() if counts[key]]
        if total.left:
            parts.append(f"{total.left} not delivered, to be sent again")
        bad = bad or total.failed or bool(total.left or any(counts[key] for key in _WRONG))
        lines.append(f"{total.name}: {', '.join(parts)}\n")
        if _is_none_meant(counts):
            say(f"{total.name}: {_NONE_MEANT}")
    # What integrations write to standard output stands alone.
    said: Callable[[str], object] = write if all(one.target != "-" for one in chosen) else _aside
    for line in lines:
        said(_plain(line.rstrip("\n")) + "\n")
    raise typer.Exit(1 if bad else 0)


_MANY: Final = 20
_NONE_MEANT: Final = "not one event was let through by --filter, --rules and --priority: are they as they are meant?"


def _is_none_meant(counts: Mapping[str, Any]) -> bool:
    return bool(counts.get("read", 0) >= _MANY and counts["read"] == counts.get("filtered"))


_WRONG: Final = ("refused", "dropped", "unreadable", "gaps")
"""What should be 0."""
_WORDS: Final = {
    "unreadable": "unreadable",
    "gaps": "gaps in logs",
    "filtered": "filtered",
    "repeated": "repeated",
    "retried": "retried",
    "replayed": "sent again",
    "refused": "refused",
    "dropped": "dropped",
    "maybe_lost": "perhaps lost",
}
"""What is told of a run only where there was some."""


def status(
    config: Config = None,
    state: State = None,
    format: Annotated[Format, typer.Option(help="A list, or JSON.")] = Format.text,
) -> None:
    """Say how far each integration has come: what runs, what was sent, what waits, and what is wrong.

    Exit codes: 0 nothing is wrong, 1 a receiver does not take events, or some were dropped, refused, unreadable or missing, 2 wrong
    usage.

    Example: falcokit forward status
    """
    import json
    import time

    from falcokit.deliver.state import default_state, folder_of, read_status

    integrations = _there(config)
    home = state or or_fail(default_state)
    bad = False
    listed: list[dict[str, Any]] = []
    for one in integrations:
        found = read_status(folder_of(home, one.name))
        counts = found.counts if found is not None else {}
        if found is not None and found.running and (age := time.time() - found.moment) > _OLD:
            counts = counts | {
                "trouble": f"what it did was written {_span(age)} ago: does it hang, or is the disk full?"
            }
        bad = bad or any(counts.get(key) for key in ("trouble", *_WRONG))
        listed.append(
            {
                "name": one.name,
                "kind": one.kind,
                "enabled": one.enabled,
                "running": found is not None and found.running,
                "age_seconds": round(max(0.0, time.time() - found.moment), 1) if found is not None else None,
                "counts": counts,
            }
        )
    if format is Format.json:
        write(json.dumps({"integrations": listed}, indent=2) + "\n")
    elif not listed:
        write("there are no integrations: falcokit forward add\n")
    else:
        write("".join(_told(one) for one in listed))
    raise typer.Exit(1 if bad else 0)


def _told(one: dict[str, Any]) -> str:
    """One integration in two or three lines."""
    counts = one["counts"]
    head = "running" if one["running"] else "not running"
    if one["age_seconds"] is None:
        return f"{_plain(one['name'])} ({one['kind']}): {'has never run' if one['enabled'] else 'disabled'}\n"
    if not one["enabled"]:
        head += ", disabled"
    if not one["running"]:
        head += f", last seen {_span(one['age_seconds'])} ago"
    words = {"read": "read", "sent": "sent", "acknowledged": "acknowledged", **_WORDS}
    parts = [f"{counts.get(key)} {word}" for key, word in words.items() if counts.get(key) or key in ("read", "sent")]
    queue = counts.get("queue_bytes") or 0
    if queue:
        parts.append(f"{queue} bytes wait")
    if counts.get("lag_seconds"):
        parts.append(f"{_span(float(counts['lag_seconds']))} behind")
    lines = [f"{_plain(one['name'])} ({one['kind']}): {head}"]
    if "read" in counts:  # Not where it could not be written.
        lines.append(f"  {', '.join(parts)}")
    if _is_none_meant(counts):
        lines.append(f"  {_NONE_MEANT}")
    if counts.get("trouble"):
        lines.append(f"  trouble: {_plain(str(counts['trouble']))}")
    return "\n".join(lines) + "\n"


def test(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The integration.")],
    config: Config = None,  # noqa: PT028  # it is a command
) -> None:
    """Send one test event to an integration, enabled or not, and say what its receiver answers.

    Exit codes: 0 it was taken (or sent, where there is no answer), 1 it was not, 2 wrong usage.

    Example: falcokit forward test "Events to Splunk"
    """
    import time

    from falcokit.deliver.trial import sample, try_out
    from falcokit.forward.target import shown

    (integration,) = _chosen(config, [name], disabled=True)
    taken, said = or_fail(lambda: try_out(integration, sample(time.time_ns())))
    if not taken:
        say(f"{name}: {said}")
        raise typer.Exit(1)
    text = _plain(f"{name}: {shown(integration)}: {said}") + "\n"
    (_aside if integration.target == "-" else write)(text)


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"


def _aside(text: str) -> None:
    from falcokit.cli.options import aside

    aside(text)


def _plain(text: str) -> str:
    from falcokit.report.text import plain

    return plain(text)


def _chosen(config: str | None, only: list[str] | None, disabled: bool = False) -> list[Integration]:
    """The integrations that are enabled, or those called *only*; ends the run where there are none."""
    found = _there(config)
    if not only:
        enabled = [one for one in found if one.enabled]
        if not enabled:
            fail("no integration is enabled: falcokit forward enable NAME" if found else "there are no integrations: falcokit forward add")  # fmt: skip
        return enabled
    known = {one.name: one for one in found}
    for name in only:
        if name not in known:
            from falcokit.ruleset.suggest import nearest

            near = nearest(name, list(known))
            fail(f"there is no integration '{name}'" + (f": did you mean '{near[0]}'?" if near else ""))
        if not known[name].enabled and not disabled:
            fail(f"'{name}' is disabled: falcokit forward enable '{name}'")
    return [known[name] for name in dict.fromkeys(only)]


def _there(config: str | None) -> tuple[Integration, ...]:
    """The integrations that there are; ends the run where a file that was asked for is not there."""
    from falcokit.workspace.integrations import default_path, read_integrations

    if config is not None and not os.path.exists(config):
        fail(f"cannot read {config}: there is no such file")
    return or_fail(lambda: read_integrations(config or default_path()))


def _print_all(chosen: list[Integration], names: list[str], store: str | None) -> None:
    """What would be sent of all that is there, one message a line."""
    import time

    from falcokit.deliver.sieve import Sieve
    from falcokit.event import Event
    from falcokit.forward.render import render
    from falcokit.forward.target import shown

    sieves = [or_fail(lambda: Sieve(one)) for one in chosen]  # noqa: B023  # called at once
    sent = [0 for _ in chosen]
    for event in _events(names, store):
        if not isinstance(event, Event):
            continue
        now = time.time_ns()
        for number, (one, sieve) in enumerate(zip(chosen, sieves, strict=True)):
            if sieve.lets(event, now):
                sent[number] += 1
                head = f"{one.name}: " if len(chosen) > 1 else ""
                text = render(one, event, now).decode("utf-8", "replace").replace("\n", " ")
                if not write(_plain(head + text) + "\n"):
                    return  # Nobody reads on.
    for one, count in zip(chosen, sent, strict=True):
        say(f"{one.name}: {count} event{'s' * (count != 1)} would go to {shown(one)}; nothing was sent")


def _events(names: list[str], store: str | None) -> Any:
    from falcokit.cli.events_common import read, teller

    if store:
        from falcokit.history.query import Filter, events_of
        from falcokit.history.store import open_to_read

        history = or_fail(lambda: open_to_read(store))
        yield from events_of(history, Filter())
        return
    from falcokit.event import Damaged

    tell = teller()
    for path in names:
        for one in read(path):
            if isinstance(one, Damaged):
                tell(one)
            else:
                yield one


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not host or not (port.isdecimal() and port.isascii() and len(port) < 6 and int(port) < 65_536):
        fail(f"--metrics takes HOST:PORT such as 127.0.0.1:9464, not '{text}'")
    return host, int(port)
