"""Where the messages come from: all at once, or one after the other at a given rate."""

import time
from dataclasses import dataclass

from prototype_message import Template

BATCH = 50  # most messages taken as one batch; a lone message is never delayed


@dataclass(frozen=True, slots=True)
class Waiting:
    """One message that is due to be sent."""

    raw: bytes
    due: float  # monotonic seconds; from here its latency counts


class Source:
    """Gives `count` messages, at `rate` messages per second; rate 0 means that all are waiting from the start."""

    def __init__(self, template: Template, count: int, rate: float) -> None:
        self._template = template
        self._rate = rate
        self._given = 0
        self.began = time.monotonic()
        self.left = count

    def take(self) -> list[Waiting]:
        """Return what is due, at most one batch; nothing if nothing is due yet."""
        now = time.monotonic()
        size = min(BATCH, self.left)
        if self._rate:
            size = min(size, int((now - self.began) * self._rate) + 1 - self._given)
        batch = [Waiting(self._template.fresh(), self._due(self._given + place, now)) for place in range(max(0, size))]
        self._given += len(batch)
        self.left -= len(batch)
        return batch

    def pause(self) -> float:
        """Return the seconds until the next message is due."""
        return max(0.0, self._due(self._given, 0.0) - time.monotonic())

    def _due(self, place: int, now: float) -> float:
        return self.began + place / self._rate if self._rate else now
