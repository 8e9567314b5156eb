"""What every way of handing over messages can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from falcokit.deliver.outcome import Answer

__all__ = ["Direct", "Sink"]


class Sink(Protocol):
    """A receiver, as seen from here."""

    @property
    def window(self) -> int:
        """How many batches may be on their way at once."""

    @property
    def acknowledges(self) -> bool:
        """Whether the receiver says what it has taken."""

    @property
    def unsettled(self) -> int:
        """How many of the last batches that were sent may have to be sent again."""

    @property
    def notes(self) -> list[str]:
        """Sentences to be told; whoever tells them takes them out."""

    @property
    def replayed(self) -> int:
        """How many messages were sent again after a connection broke, without being asked to."""

    @property
    def maybe_lost(self) -> int:
        """How many messages were sent before a connection broke, and not again, and nobody knows whether they were read."""

    @property
    def given_up(self) -> list[bytes]:
        """Messages that were sent, and that the receiver never takes; whoever counts them takes them out."""

    @property
    def waits(self) -> str:
        """What it waits for longer than it should; empty where all is well."""

    async def send(self, messages: Sequence[bytes]) -> Answer:
        """Hand *messages* over.  Raises `Trouble` and `Refused`."""

    async def tend(self) -> None:
        """Do what is due while nothing is sent.  Raises `Trouble`."""

    async def close(self, patience: float) -> None:
        """End in order, within *patience* seconds; afterwards ``unsettled`` is what may not have arrived."""


class Direct:
    """A receiver of which nothing is left to be known once `Sink.send` has returned: what all such sinks have in common."""

    window: int = 1
    acknowledges: bool = True
    unsettled: Final = 0
    replayed: Final = 0
    maybe_lost: Final = 0
    waits: str = ""

    def __init__(self) -> None:
        self.notes: Final[list[str]] = []
        self.given_up: Final[list[bytes]] = []

    async def tend(self) -> None:
        """Nothing is due."""
