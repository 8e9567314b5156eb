"""What every way of handing over messages can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from falcokit.deliver.outcome import Answer

__all__ = ["Sink"]


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
        """How many messages were sent shortly before a connection broke, and not again."""

    async def send(self, messages: Sequence[bytes]) -> Answer:
        """Hand *messages* over.  Raises `Trouble` and `Refused`."""

    async def tend(self) -> None:
        """Do what is due while nothing is sent.  Raises `Trouble`."""

    async def close(self, patience: float) -> None:
        """End in order, within *patience* seconds; afterwards ``unsettled`` is what may not have arrived."""
