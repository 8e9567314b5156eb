"""``falcokit events import``, ``receive`` and ``prune``: events into the history and out of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Final, Optional

import typer

from falcokit.cli.below import or_fail
from falcokit.cli.events_common import Store, teller
from falcokit.cli.options import fail, say, write

if TYPE_CHECKING:
    from falcokit.event import Damaged, Event
    from falcokit.history.importing import Imported

__all__ = ["address_of", "import_", "prune", "receive", "token_of"]

_TOKEN_VARIABLE: Final = "FALCOKIT_TOKEN"
_SHORTEST_TOKEN: Final = 16
_LONGEST_TOKEN: Final = 4096
_MEBIBYTE: Final = 1 << 20


def import_(
    files: Annotated[list[str], typer.Argument(metavar="FILES...", help="Files of events; - is standard input.")],
    store: Store = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on with what is written to the files, until interrupted.")
    ] = False,
) -> None:
    """Put events into the history, each once.

    Every form that `falcokit match` reads is read, gzip too.  What is in the history already is left out, so that files can be
    imported again, in parts, and after a run that was killed.  Others can read the history meanwhile.

    With --follow the files are logs, one event a line: what is in them, then what is written to them, at most a second later.  The
    next run goes on where this one stopped.  Rotation is noticed, by renaming and by truncating: the rest of the old file is read
    first.  Ctrl-C or SIGTERM ends it.

    Exit codes: 0 all events are in the history, 1 in some places there was none, 2 wrong usage or an unreadable file.

    Example: falcokit events import /var/log/falco/events.json --follow
    """
    from falcokit.history.store import default_path
    from falcokit.workspace.event_files import unreadable

    if files.count("-") > 1:
        fail("standard input can be read once: give - once")
    for path in files:
        if (trouble := unreadable(path)) is not None:
            fail(f"cannot read {path}: {trouble.reason}")
        if follow and not os.path.isfile(path):
            fail(f"cannot follow {path}: --follow is for plain files")
    if "-" in files and sys.stdin is not None and sys.stdin.isatty():
        fail("no events: name a file, or hand them over on standard input")
    home = store or or_fail(default_path)
    tell, damaged = teller(), 0

    def note(place: Damaged) -> None:
        nonlocal damaged
        damaged += not place.note
        tell(place)

    names = list(dict.fromkeys(files))
    try:
        done = _followed(home, names, note) if follow else _imported(home, names, note)
    except KeyboardInterrupt:
        say("interrupted: what was put in is in the history; the same command goes on")
        raise typer.Exit(130) from None
    write(f"{_events(done.read)} read, {done.new} new" + (f"; {damaged} skipped" if damaged else "") + "\n")
    if done.interrupted:
        say("interrupted: what was put in is in the history; the same command goes on")
        raise typer.Exit(130)
    raise typer.Exit(1 if damaged else 0)


def _imported(store: str, paths: list[str], damaged: Callable[[Damaged], object]) -> Imported:
    from falcokit.history.beside import is_worth_it
    from falcokit.history.importing import HOLD, import_into
    from falcokit.workspace.event_files import events_in, size_of

    total = sum(map(size_of, paths))
    shown: Callable[[int], object] = lambda count: None  # noqa: E731  # a bar, where there is one

    def advance(count: int) -> None:
        shown(count)

    def events() -> Iterator[Event | Damaged]:
        for path in paths:
            yield from events_in(path, advance)

    # Nobody knows how long the next event of a pipe takes.
    hold = HOLD if all(map(os.path.isfile, paths)) else 0.0

    def run() -> Imported:
        return or_fail(lambda: import_into(store, events(), damaged, hold=hold, beside=is_worth_it(paths)))

    if total < 1 << 22 or not sys.stderr.isatty():
        return run()
    with typer.progressbar(length=total, label="events", file=sys.stderr) as bar:
        shown = bar.update
        return run()


def _followed(store: str, paths: list[str], damaged: Callable[[Damaged], object]) -> Imported:
    import gc
    import signal
    from threading import Event as Signal

    from falcokit.history.following import follow

    gc.enable()  # This run has no end.
    stop = Signal()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    say(f"following {', '.join(paths)} into {store}; Ctrl-C ends it")
    return or_fail(lambda: follow(store, paths, stop, damaged))


def receive(
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where to listen.")] = "127.0.0.1:2802",
    store: Store = None,
    token_file: Annotated[
        Optional[str],
        typer.Option(metavar="FILE", help=f"The token that senders have to give; or in {_TOKEN_VARIABLE}."),
    ] = None,
    no_token: Annotated[
        bool, typer.Option("--no-token", help="Let every machine send that can reach the address.")
    ] = False,
    spool: Annotated[
        Optional[str], typer.Option(metavar="FOLDER", help="Where events wait; by default beside the history.")
    ] = None,
    spool_limit: Annotated[
        int,
        typer.Option(metavar="MIB", min=16, max=1 << 20, help="How much may wait there before senders are put off."),
    ] = 1024,
) -> None:
    """Receive events over HTTP into the history: from Falco's http_output, from falcosidekick's webhook, from anything that posts.

    POST to any path takes one event, an array, or one event a line; gzip too.  The answer is 200 once all events are safe on
    disk; they are in the history a second or two later, also after a kill.  503 says to send again later, 400 that there is
    no event.  GET /healthz answers 200 while there is room.

    With a token senders give `Authorization: Bearer TOKEN`, or `?token=TOKEN` where they cannot set headers, as Falco.
    Nothing is encrypted: over a network put it behind a proxy that speaks TLS.

    Exit codes: 0 ended by Ctrl-C or SIGTERM, 2 wrong usage, or an address or a file that cannot be used.

    Example: falcokit events receive --listen 127.0.0.1:2802
    """
    import gc

    from falcokit.history.store import default_path
    from falcokit.receive.fold import make_sure
    from falcokit.receive.server import is_loopback
    from falcokit.receive.server import receive as serve
    from falcokit.receive.spool import Spool

    address = address_of(listen)
    token = token_of(token_file)
    if token and no_token:
        fail("give either a token or --no-token")
    if not token and not no_token and not or_fail(lambda: is_loopback(address[0])):
        fail(f"others can reach {address[0]}: give a token with --token-file or {_TOKEN_VARIABLE}, or --no-token")
    home = store or or_fail(default_path)
    or_fail(lambda: make_sure(home))
    folder = or_fail(lambda: Spool(spool or f"{home}.spool"))
    gc.enable()  # This run has no end.

    def ready(host: str, port: int) -> None:
        shown = f"[{host}]" if ":" in host else host
        say(f"listening on http://{shown}:{port}, events go to {home}; Ctrl-C ends it")

    done = or_fail(lambda: serve(address, folder, home, token, spool_limit * _MEBIBYTE, say, ready))
    write(
        f"{_events(done.kept)} received, {done.new} new" + ("; the rest waits in the spool" if done.left else "") + "\n"
    )


def address_of(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not colon or not host or not (port.isdecimal() and port.isascii() and len(port) < 6 and int(port) < 65_536):
        fail(f"--listen takes HOST:PORT such as 127.0.0.1:2802 or [::1]:2802, not '{text}'")
    return host, int(port)


def token_of(path: str | None) -> str:
    """The token of the file at *path*, else of the environment; empty where there is none."""
    token = os.environ.get(_TOKEN_VARIABLE, "")
    if path is not None:
        try:
            with open(path, "rb") as stream:
                token = stream.read(_LONGEST_TOKEN + 2).decode("utf-8", "replace")
        except (OSError, ValueError) as error:
            fail(f"cannot read {path}: {(getattr(error, 'strerror', None) or str(error)).lower()}")
    token = token.strip()
    if path is None and not token:
        return ""
    where = path or _TOKEN_VARIABLE
    if not _SHORTEST_TOKEN <= len(token) <= _LONGEST_TOKEN:
        fail(f"the token in {where} needs {_SHORTEST_TOKEN} to {_LONGEST_TOKEN} characters")
    if not token.isascii() or not token.isprintable() or " " in token:
        fail(f"the token in {where} has characters other than printable ASCII")
    return token


def prune(
    store: Store = None,
    keep: Annotated[str, typer.Option(metavar="SPAN", help="Keep the last 30d, 2w or 12h.")] = "",
    before: Annotated[str, typer.Option(metavar="TIME", help="Delete what was before then: 2026-11-27.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete old events from the history.

    How many go is told first.  Room in the file is used again; the file itself does not shrink.

    Exit codes: 0 deleted, or there was nothing to delete, 1 not confirmed, 2 wrong usage or no history.

    Example: falcokit events prune --keep 30d
    """
    from falcokit.history.query import Filter, total
    from falcokit.history.store import default_path, open_to_read, open_to_write

    moment = _oldest_kept(keep, before)
    home = store or or_fail(default_path)

    def count() -> tuple[int, int]:
        with open_to_read(home) as history:
            return total(history, Filter(until=moment)), total(history)

    def delete() -> int:
        with open_to_write(home) as history:
            return history.drop_before(moment)

    old, all_ = or_fail(count)
    if not old:
        write(f"nothing to delete: none of {_events(all_)} is from before {_written(moment)}\n")
        return
    told = f"{old} of {_events(all_)}, all from before {_written(moment)}"
    if not yes:
        if sys.stdin is None or not sys.stdin.isatty():
            fail(f"{told}, would go: confirm with --yes")
        if not typer.confirm(f"Delete {told}?", err=True):
            raise typer.Exit(1)
    # Whoever was asked may have taken long: nobody was kept out meanwhile.
    write(f"{_events(or_fail(delete))} deleted\n")


def _oldest_kept(keep: str, before: str) -> int:
    """The moment from which on events are kept, in nanoseconds since 1970."""
    import time

    from falcokit.cli.events_common import _moment, _span

    if bool(keep) == bool(before):
        fail("say what goes: --keep 30d, or --before 2026-11-27")
    if before:
        moment = _moment("before", before)
        assert moment is not None
        return moment
    span = _span(keep)
    if span is None:
        fail(f"--keep takes a span such as 12h, 30d or 2w, not '{keep}'")
    return time.time_ns() - span


def _written(moment: int) -> str:
    from datetime import UTC, datetime

    try:
        return datetime.fromtimestamp(moment // 10**9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, OSError, ValueError):
        return "that time"


def _events(count: int) -> str:
    return f"{count} event" + "s" * (count != 1)
