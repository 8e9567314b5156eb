"""The database: one file, one writer at a time, any number of readers that wait for it."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from falcokit.errors import ConfigError
from falcokit.folders import user_folder
from falcokit.history.gathering import BATCH, gather
from falcokit.history.letters import NONE, SEARCHED, both, letters_of
from falcokit.history.rows import Columns, Packed, joined
from falcokit.history.table import MOMENT, STORED, insert_batch, make_batch
from falcokit.log.mark import Mark
from falcokit.overview.template import MOST_FORMS, Templates
from falcokit.record import Record

if TYPE_CHECKING:
    from tempfile import TemporaryDirectory

    import duckdb
    import numpy

    from falcokit.event import Event

__all__ = [
    "Held",
    "History",
    "Progress",
    "default_path",
    "in_memory",
    "open_to_read",
    "open_to_write",
    "temporary",
    "trouble_told",
]

_VERSION: Final = "5"
_PATIENCE: Final = 15.0
"""Seconds that a reader or writer waits for a writer."""
_DAMAGED: Final = (
    "not a valid DuckDB",
    "Serialization Error",
    "version number",
    "Corrupt",
    "Could not read enough bytes",
)
"""What the database says of files that it cannot read."""
_FILES: Final = "path VARCHAR, inode UBIGINT, bytes UBIGINT, head VARCHAR, tail VARCHAR, time UBIGINT"
_LONG: Final = ("output", "labels", "raw")


class Held(ConfigError):
    """Another process writes to the database, or reads it: later it may be free."""


class Progress(Record):
    """How far the log at ``path`` was read."""

    __slots__ = ("mark", "path")

    def __init__(self, path: str, mark: Mark) -> None:
        self.path: Final = path
        self.mark: Final = mark


class History:
    """An open database; a context manager that closes it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: str) -> None:
        self.connection: Final = connection
        self.path: Final = path
        self.searched: object = None
        """What was last looked for, whose events the table ``searched`` has."""
        self.kept: object = None
        """What had a condition that was last asked, whose events the table ``kept`` has."""
        self.folder: TemporaryDirectory[str] | None = None
        """What goes with it when it is closed."""
        self._templates: Final = Templates(most=MOST_FORMS)
        self._forms: dict[tuple[str, str], int] | None = None
        self._part: tuple[int, int, bytes] | None = None

    def __enter__(self) -> History:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others have the file."""
        self.connection.close()
        if self.folder is not None:
            self.folder.cleanup()

    def all(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows that *query* gives.  Raises `ConfigError` where the file is damaged."""
        with trouble_told(self.path):
            return self.connection.execute(query, list(values)).fetchall()

    def numbers(self, query: str, values: Sequence[object] = ()) -> numpy.ndarray[Any, numpy.dtype[numpy.int64]]:
        """The whole numbers that *query* gives, one in each row.  Raises `ConfigError` where the file is damaged."""
        with trouble_told(self.path):
            (found,) = self.connection.execute(query, list(values)).fetchnumpy().values()
        return found

    def ask_at_full(self) -> None:
        """Nothing more is put in: questions may take all processors."""
        self.connection.execute("RESET threads")

    def add(self, events: Iterable[Event], progress: Progress | None = None) -> int:
        """Put *events* in, as `put` does."""
        return self.put([one for one in gather(events, self._templates) if isinstance(one, Columns)], progress)

    def put(self, batch: Sequence[Columns | Packed], progress: Progress | None = None) -> int:
        """Put the events of *batch* in, each that is not there yet; how many these were.  All of them or, when interrupted, none.

        *progress* is how far a file was read with them.  Raises `ConfigError` where the disk does not take them, or the file is damaged.
        """
        connection = self.connection
        self.searched = self.kept = None
        with trouble_told(self.path):
            forms = self._number_forms()
            before = len(forms)
            try:
                added = 0
                if batch:
                    gathered = joined(batch)
                    make_batch(connection, gathered, forms)
                    connection.execute("BEGIN")
                    added = self._insert(gathered)
                else:
                    connection.execute("BEGIN")
                if new := [(number, *form) for form, number in islice(forms.items(), before, None)]:
                    columns = [[*column] for column in zip(*new, strict=True)]
                    connection.execute("INSERT INTO templates SELECT unnest(?), unnest(?), unnest(?)", columns)
                if progress is not None:
                    connection.execute("DELETE FROM files WHERE path = ?", [progress.path])
                    mark = progress.mark
                    connection.execute(
                        "INSERT INTO files VALUES (?, ?, ?, ?, ?, ?)",
                        [progress.path, mark.inode, mark.bytes, mark.head, mark.tail, mark.time],
                    )
                connection.execute("COMMIT")
            except BaseException:
                self._forms = self._part = None
                with suppress(Exception):
                    connection.execute("ROLLBACK")
                raise
            finally:
                with suppress(Exception):
                    connection.execute("DROP TABLE IF EXISTS batch")
        return added

    def _number_forms(self) -> dict[tuple[str, str], int]:
        """The numbers of the forms of outputs that are in the database."""
        if self._forms is None:
            found = self.all("SELECT rule, text, number FROM templates ORDER BY number")
            self._forms = {(rule, text): number for rule, text, number in found}
        return self._forms

    def _begun(self) -> tuple[int, int, bytes]:
        """The part of the history that is being filled, with how many events it has and their `letters_of`."""
        if self._part is None:
            self._part = next(iter(self.all("SELECT part, count, letters FROM begun")), (0, 0, NONE))
        return self._part

    def _insert(self, columns: Columns) -> int:
        """Put in what is in the table ``batch``, which *columns* became, and what texts it has, to be searched."""
        part, count, before = self._begun()
        if full := count > 0 and count + columns.count > BATCH:
            part, count, before = part + 1, 0, NONE
        if not (added := insert_batch(self.connection, part)):
            return 0
        (headed,) = self.connection.execute("SELECT headed FROM batch").fetchnumpy().values()
        outputs = zip(columns.columns["output"], headed.tolist(), strict=True)
        # What stands in nearly all events is looked at once; moments would have all figures there are.
        texts = [
            [text[len(MOMENT) :] if cut else text for text, cut in outputs],
            *[{*columns.columns.get(name, ())} for name in SEARCHED if name != "output"],
        ]
        letters = both(before, letters_of(text for some in texts for text in some if text))
        self._part = (part, count + columns.count, letters)
        if full:
            self.connection.execute("INSERT INTO parts SELECT * FROM begun")
        self.connection.execute("DELETE FROM begun")
        self.connection.execute("INSERT INTO begun VALUES (?, ?, ?)", [*self._part])
        return added

    def marks(self) -> dict[str, Mark]:
        """How far logs were read, by their paths."""
        return {path: Mark(*mark) for path, *mark in self.all("SELECT path, inode, bytes, head, tail, time FROM files")}

    def drop_before(self, moment: int) -> int:
        """Delete the events before *moment* (nanoseconds since 1970); how many these were.  Raises `ConfigError`."""
        self.searched = self.kept = None
        with trouble_told(self.path):
            done = self.connection.execute("DELETE FROM events WHERE time < ?", [moment]).fetchone()
            self.connection.execute("DELETE FROM parts WHERE part NOT IN (SELECT DISTINCT part FROM events)")
            self.connection.execute("CHECKPOINT")
        return int(done[0]) if done else 0


def default_path() -> str:
    """The user's own history, in the data folder (``XDG_DATA_HOME``).  Raises `ConfigError`."""
    return os.path.join(user_folder("data", "events", ", or give --store"), "events.duckdb")


def in_memory(events: Iterable[Sequence[Event]] = ()) -> History:
    """A history of these batches of events, gone with the process."""
    history = History(_connect("", False), "")
    _create(history)
    for batch in events:
        history.add(batch)
    return history


def temporary() -> History:
    """A history in a folder of its own, which only the user can read, and which is gone when the history is closed.

    Memory does not grow with it, as it does `in_memory`.  Raises `ConfigError`.
    """
    from tempfile import TemporaryDirectory

    try:
        folder = TemporaryDirectory(prefix="falcokit-", ignore_cleanup_errors=True)
    except OSError as error:
        raise ConfigError(f"there is no folder for a while: {(error.strerror or 'it failed').lower()}") from None
    history = open_to_write(os.path.join(folder.name, "events.duckdb"))
    history.folder = folder
    return history


def open_to_write(path: str, patience: float = _PATIENCE) -> History:
    """The history at *path*, made where there is none; waits for whoever has it.  Raises `ConfigError`, `Held` where that takes too long."""
    os.umask(os.umask(0o077) | 0o077)  # For what the database puts beside it for a while, too.
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), mode=0o700, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {(error.strerror or 'it failed').lower()}") from None
    fresh = not os.path.exists(path)
    if not fresh and os.path.isfile(path) and os.path.getsize(path) == 0:
        os.unlink(path)  # Begun on a disk that was full.
        fresh = True
    history = History(_wait(path, False, patience), path)
    history.connection.execute("SET threads = 1")  # Batches are too small to be shared out.
    if fresh:
        with suppress(OSError):
            os.chmod(path, 0o600)  # What was seen on a machine is nobody else's business.
    try:
        with trouble_told(path):
            if not history.all("SELECT 1 FROM duckdb_tables() WHERE database_name = 'history' LIMIT 1"):
                _create(history)
    except BaseException:
        history.connection.close()
        raise
    _check(history)
    return history


def open_to_read(path: str, patience: float = _PATIENCE) -> History:
    """The history at *path*; waits for a writer.  Raises `ConfigError`, `Held` where that takes too long."""
    if not os.path.exists(path):
        raise ConfigError(f"there is no history at {path}: falcokit events import FILE..., or name files of events")
    history = History(_wait(path, True, patience), path)
    _check(history)
    return history


def _wait(path: str, read_only: bool, patience: float) -> duckdb.DuckDBPyConnection:
    import duckdb

    end = time.monotonic() + patience
    while True:
        try:
            return _connect(path, read_only)
        except duckdb.IOException as error:
            if not _is_held(str(error)):
                raise ConfigError(_told(path, str(error))) from None
            if time.monotonic() > end:
                raise Held(f"{path} is held by another falcokit that writes to it") from None
        except duckdb.Error as error:
            raise ConfigError(_told(path, str(error))) from None
        time.sleep(random.uniform(0.01, 0.1))  # Another process has it: there is nothing to wait on.


def _is_held(error: str) -> bool:
    return "lock on file" in error


def _told(path: str, error: str) -> str:
    if any(sign in error for sign in _DAMAGED):
        return f"{path} is no history of falcokit, or is damaged: name another file with --store"
    if "No space left on device" in error:
        return f"cannot write {path}: no space is left on the disk"
    return f"cannot use {path}: {error.splitlines()[0][:200]}"


@contextmanager
def trouble_told(path: str) -> Iterator[None]:
    """Raises `ConfigError` for what is wrong with the file or its disk, and not with what was asked."""
    import duckdb

    try:
        yield
    except (
        duckdb.IOException, duckdb.TransactionException, duckdb.OutOfMemoryException, duckdb.FatalException,
        duckdb.InternalException,
    ) as error:  # fmt: skip
        raise ConfigError(_told(path, str(error))) from None
    except duckdb.Error as error:
        if not any(sign in str(error) for sign in _DAMAGED):
            raise
        raise ConfigError(_told(path, str(error))) from None


def _connect(path: str, read_only: bool) -> duckdb.DuckDBPyConnection:
    import duckdb

    connection = duckdb.connect(
        ":memory:",
        config={"autoinstall_known_extensions": False, "autoload_known_extensions": False, "memory_limit": "2GB"},
    )
    try:
        quoted = path.replace("'", "''")
        if path:
            # Groups of rows as large as a batch are written once, in their place.
            # The type is given because a name such as events.json would be attached as what it holds.
            how = "TYPE duckdb, READ_ONLY" if read_only else f"TYPE duckdb, ROW_GROUP_SIZE {BATCH}"
            connection.execute(f"ATTACH '{quoted}' AS history ({how})")
            connection.execute("USE history")
        # What memory does not hold: beside the history, and never in the folder that one happens to be in.
        connection.execute(f"SET temp_directory = '{quoted}.tmp'" if path else "SET temp_directory = ''")
        # A file from elsewhere must not make us read other files.
        connection.execute("SET enable_external_access = false")
    except BaseException:
        connection.close()
        raise
    return connection


def _create(history: History) -> None:
    pressed = " USING COMPRESSION zstd" if history.path else ""
    columns = ", ".join(f'"{name}" {kind}{pressed if name in _LONG else ""}' for name, kind in STORED.items())
    for statement in (
        "BEGIN",
        f"CREATE TABLE IF NOT EXISTS events ({columns})",
        "CREATE TABLE IF NOT EXISTS templates (number UINTEGER, rule VARCHAR, text VARCHAR)",
        "CREATE TABLE IF NOT EXISTS parts (part UINTEGER, count UINTEGER, letters BLOB)",
        "CREATE TABLE IF NOT EXISTS begun (part UINTEGER, count UINTEGER, letters BLOB)",
        f"CREATE TABLE IF NOT EXISTS files ({_FILES})",
        "CREATE TABLE IF NOT EXISTS about (version VARCHAR)",
        f"INSERT INTO about SELECT '{_VERSION}' WHERE NOT EXISTS (SELECT * FROM about)",
        "COMMIT",
    ):
        history.connection.execute(statement)


def _check(history: History) -> None:
    import duckdb

    try:
        found = history.all("SELECT version FROM about")
        columns = [row[0] for row in history.all("SELECT column_name FROM (DESCRIBE events)")]
    except (duckdb.Error, ConfigError):
        found, columns = [], []
    if found != [(_VERSION,)] or columns != list(STORED):
        history.connection.close()
        raise ConfigError(
            f"{history.path} is no history of this falcokit: name another file with --store, and import anew"
        )
