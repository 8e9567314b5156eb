"""What can become of messages that were handed to a receiver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from falcokit.record import Record

__all__ = ["ALL", "Answer", "Refused", "Trouble"]


class Answer(Record):
    """All of a batch was taken but for the messages numbered in ``again``, to be sent again because of ``reason``, and those in
    ``refused``, which will never be, each with a reason.  ``said`` is what the receiver said, for people."""

    __slots__ = ("again", "reason", "refused", "said")

    def __init__(
        self, again: Sequence[int] = (), refused: Mapping[int, str] | None = None, reason: str = "", said: str = ""
    ) -> None:
        self.again: Final = again
        self.refused: Final = refused or {}
        self.reason: Final = reason
        self.said: Final = said


ALL: Final = Answer()


class Trouble(Exception):
    """Nothing is known to be taken: all is to be sent again, not before ``after`` seconds.

    With ``lasting`` waiting alone will not help: somebody has to change something, such as a token.  ``broken`` tells that the
    connection broke, or there was none: the receiver may have been started anew.
    """

    def __init__(self, reason: str, after: float | None = None, lasting: bool = False, broken: bool = False) -> None:
        super().__init__(reason)
        self.after: Final = after
        self.lasting: Final = lasting
        self.broken: Final = broken


class Refused(Exception):
    """The receiver does not take this batch because of what is in it; smaller parts may be taken."""
