"""How long to leave a recipient alone that cannot be reached: doubling, capped, and spread by chance."""

from dataclasses import dataclass

_MOST_DOUBLINGS = 30  # beyond every cap


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """When a line stops, and for how long."""

    failures: int  # in a row, after which a line stops
    first_seconds: float
    most_seconds: float

    def count(self, before: int, more: int) -> int:
        """Return the failures in a row after `more` at once: many of one batch stop a line, and are one trouble."""
        return min(before + more, self.failures) if before < self.failures else before + 1

    def pause(self, failures: int, chance: float) -> float | None:
        """Return the seconds to pause after so many failures in a row; None while the line is open.

        `chance` is from 0 to 1 and takes off up to half: gateways that lost one partner do not all come back at once.
        """
        if failures < self.failures:
            return None
        doublings = min(failures - self.failures, _MOST_DOUBLINGS)
        longest: float = min(self.most_seconds, self.first_seconds * 2.0**doublings)
        return longest * (1 - chance / 2)
