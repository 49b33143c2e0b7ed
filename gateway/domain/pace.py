"""How much may go to a partner: a rate, as a bucket of tokens that fills with time, and a quota for a day (UTC)."""

import math
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The limits of one partner; None: no limit."""

    sent_per_second: float | None = None  # messages to each of its authorities, counted by attempts
    sent_per_day: int | None = None  # the same, from midnight to midnight UTC
    taken_per_minute: int | None = None  # messages from each of its authorities that one process takes in

    @property
    def limits_sending(self) -> bool:
        return self.sent_per_second is not None or self.sent_per_day is not None

    def tokens(self, before: float | None, counted_at: datetime | None, now: datetime) -> float:
        """Return what the bucket holds now; it holds one second's worth at most, and at least one message."""
        if self.sent_per_second is None:
            return math.inf
        full = max(1.0, self.sent_per_second)
        if before is None or counted_at is None:
            return full
        return min(full, before + max(0.0, (now - counted_at).total_seconds()) * self.sent_per_second)

    def left_today(self, day: date | None, sent: int, today: date) -> float:
        """Return how many may still be sent today, of which `sent` were sent on `day`."""
        if self.sent_per_day is None:
            return math.inf
        return max(0, self.sent_per_day - (sent if day == today else 0))


UNLIMITED = Pace()
