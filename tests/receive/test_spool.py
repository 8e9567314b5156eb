"""Lines that wait on the disk."""

from __future__ import annotations

from pathlib import Path
from threading import Thread

from falcokit.receive.spool import Spool, pieces_of


def test_its_size_is_that_of_its_files_however_they_come_and_go(tmp_path: Path) -> None:
    spool = Spool(str(tmp_path / "spool"), segment=200)
    lines = [b"%06d" % number for number in range(6_000)]
    taken: list[bytes] = []
    ended: list[bool] = []

    def put_in() -> None:
        for start in range(0, len(lines), 3):
            spool.append(lines[start : start + 3])
        ended.append(True)

    writer = Thread(target=put_in)
    writer.start()
    while not (ended and spool.empty):
        for path in spool.seal():
            taken += b"".join(pieces_of(path)).split()
            spool.remove(path)
    writer.join()
    assert taken == lines
    assert spool.size == 0
    spool.append([b"x" * 9])
    assert spool.size == 10
    spool.close()
