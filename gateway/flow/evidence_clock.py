"""The evidence clock: how long the oldest journal entry without a timestamp has waited, and when that stops new messages."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.store import roots
from gateway.store.database import Database, reading

_FRESH = timedelta(seconds=10)  # for so long a process goes by what it saw; after that it looks again


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the evidence clock stands at one instant."""

    now: datetime  # UTC
    oldest: datetime  # UTC: from when the oldest entry is that no timestamp covers
    limit: timedelta  # how long it may wait

    @property
    def stops_at(self) -> datetime:
        """Return when nothing new is sent out any more, if no timestamp is had before."""
        return self.oldest + self.limit

    @property
    def stopped(self) -> bool:
        return self.now >= self.stops_at

    @property
    def warns(self) -> bool:
        """Tell whether half of the time has passed."""
        return self.now >= self.oldest + self.limit / 2


class EvidenceClock:
    """What this process saw last; the truth is in the database. While it stands it is looked at each time: it may go again."""

    def __init__(self) -> None:
        self._seen: tuple[datetime, datetime | None] | None = None  # when, and the oldest entry that waits

    def standing(self, engine: Database, now: datetime, limit: timedelta) -> Standing | None:
        """Return where the clock stands, None while nothing waits. Raises `DatabaseUnavailable`."""
        if self._seen is not None and timedelta() <= now - self._seen[0] < _FRESH:
            found = _standing(now, self._seen[1], limit)
            if found is None or not found.stopped:
                return found
        with reading(engine) as tx:
            oldest = roots.oldest_unproven(tx)
        self._seen = (now, oldest)
        return _standing(now, oldest, limit)


def _standing(now: datetime, oldest: datetime | None, limit: timedelta) -> Standing | None:
    return None if oldest is None else Standing(now=now, oldest=oldest, limit=limit)
