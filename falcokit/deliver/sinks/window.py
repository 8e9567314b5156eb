"""What went over a connection on which nobody acknowledges: kept for as long as the receiver may never have read it.

That the other machine's system has bytes does not mean that the receiver has read them: one that hangs leaves them there, and they are
gone with it.  So everything is kept for an hour, as far as there is room; what was sent again for some seconds only, so that a connection
that breaks again and again does not carry the same for ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

__all__ = ["ROOM", "YOUNG", "Piece", "Window"]

ROOM: Final = 1 << 23
"""Bytes that are kept to be sent again at most: more than what a system keeps for a program that does not read."""
YOUNG: Final = 5.0
"""Seconds in which a receiver that has read something may not have made it safe."""
_HORIZON: Final = 3600.0
"""Seconds after which something is not sent again."""
_HELD: Final = 1 << 25
"""Bytes that a system may keep for a program at the very most."""
_FRAME: Final = 8
"""Bytes around a message, about."""


class Piece:
    """Messages that are written at once: how many bytes they are (``size``), whether a batch ends with them (``last``), the byte of
    the connection behind them (``end``), when they were written (``moment``; 0 for never), and ``until`` when they are kept."""

    __slots__ = ("end", "last", "messages", "moment", "size", "until")

    def __init__(self, messages: Sequence[bytes], last: bool, moment: float = 0.0) -> None:
        self.messages: Final = messages
        self.last: Final = last
        self.size: Final = sum(map(len, messages)) + _FRAME * len(messages)
        self.end = 0
        self.moment = moment
        self.until = 0.0

    def cut(self, size: int) -> tuple[Piece, Piece] | None:
        """At most *size* bytes of it, one message at least, and the rest; None where there is no rest."""
        count = taken = 0
        for message in self.messages:
            taken += len(message) + _FRAME
            if taken > size and count:
                break
            count += 1
        if count == len(self.messages):
            return None
        return (
            Piece(self.messages[:count], False, self.moment),
            Piece(self.messages[count:], self.last, self.moment),
        )


class Window:
    """The pieces that are to be written (again), and those that were written on the present connection; ``bytes`` are of both."""

    def __init__(self) -> None:
        self._pending: Final[deque[Piece]] = deque()
        self._written: Final[deque[Piece]] = deque()
        self._gone: Final[deque[tuple[int, int]]] = deque()
        """Where pieces ended that were let go, and how many messages they had."""
        self.bytes = 0
        self.batches = 0
        """How many batches are not let go."""

    @property
    def pending(self) -> bool:
        """Whether something is to be written."""
        return bool(self._pending)

    @property
    def written(self) -> int:
        """How many messages were written on the present connection, and are not let go."""
        return sum(len(piece.messages) for piece in self._written)

    @property
    def again(self) -> int:
        """How many messages that were written are to be written again."""
        return sum(len(piece.messages) for piece in self._pending if piece.moment)

    def put(self, messages: Sequence[bytes]) -> None:
        """Another batch, to be written."""
        piece = Piece(messages, True)
        self._pending.append(piece)
        self.bytes += piece.size
        self.batches += 1

    def next(self, size: int) -> Piece | None:
        """The piece to be written now; not more than *size* bytes where that is not 0, but one message at least."""
        if self._pending and size and (parts := self._pending[0].cut(size)) is not None:
            self._pending[0] = parts[1]
            self._pending.appendleft(parts[0])
        return self._pending[0] if self._pending else None

    def wrote(self, end: int, now: float) -> None:
        """That piece is written, up to the byte *end* of the connection."""
        piece = self._pending.popleft()
        piece.until = now + (YOUNG if piece.moment else _HORIZON)
        piece.end, piece.moment = end, now
        self._written.append(piece)

    def forget(self, taken: int, now: float) -> None:
        """Let pieces go that are old, or for which there is no room, of the *taken* bytes that the other system has."""
        while self._written and (oldest := self._written[0]).end <= taken:
            if now <= oldest.until and self.bytes <= ROOM:
                break
            self._gone.append((oldest.end, len(oldest.messages)))
            self._let_go(self._written.popleft())
        while self._gone and self._gone[0][0] < taken - _HELD:
            self._gone.popleft()

    @property
    def is_full(self) -> bool:
        """Whether more is kept than there is room for."""
        return self.bytes > ROOM and len(self._written) > 1

    def ended(self, read: int | None, now: float, young: float = YOUNG) -> int:
        """The connection has ended, and the receiver has *read* so many bytes of it (None where nobody knows).

        What it has not read, or not longer than *young* seconds, is to be written again.  How many messages before may be lost.
        """
        lost = sum(count for _, count in self._gone) if read is None else 0
        self._gone.clear()
        while self._written:
            piece = self._written.pop()
            if read is not None and piece.end <= read and now - piece.moment > young:
                self._let_go(piece)
            else:
                self._pending.appendleft(piece)
        return lost

    def swap(self) -> bool:
        """Put the first message behind the second; whether there is a second."""
        first = self.next(1)
        if first is None or len(self._pending) < 2:
            return False
        self._pending.popleft()
        self.next(1)
        self._pending.insert(1, first)
        return True

    def give_up(self) -> Sequence[bytes]:
        """Let the piece go that is the next to be written: its messages."""
        piece = self._pending.popleft()
        self._let_go(piece)
        return piece.messages

    def _let_go(self, piece: Piece) -> None:
        self.bytes -= piece.size
        self.batches -= piece.last
