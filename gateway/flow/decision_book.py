"""What was decided about partners, as this process knows it: a copy of a small table, looked at again once a second."""

from datetime import datetime, timedelta

from gateway.domain.partner_decisions import NOTHING_DECIDED, Decided
from gateway.store import partner_decisions
from gateway.store.database import Database, reading

FRESH = timedelta(seconds=1)  # a decision made elsewhere counts here after so long at the latest


class DecisionBook:
    """The decisions in force. Read at the start of a batch; the whole table is read only after one was added."""

    def __init__(self) -> None:
        self._looked: datetime | None = None
        self._mark: tuple[int, int] = (0, 0)
        self._told: tuple[int, int] | None = None
        self.decided: Decided = NOTHING_DECIDED  # as it was seen last

    def current(self, engine: Database, now: datetime) -> Decided:
        """Return what holds, at most a second old. Raises `DatabaseUnavailable`: what is not known is never assumed."""
        if self._looked is not None and timedelta() <= now - self._looked < FRESH:
            return self.decided
        with reading(engine) as tx:
            mark = partner_decisions.mark(tx)
            if mark != self._mark:
                self.decided, self._mark = Decided.of(partner_decisions.every(tx)), mark
        self._looked = now
        return self.decided

    def news(self, engine: Database, now: datetime) -> bool:
        """Tell whether something was decided since this was last asked; at the first time it was."""
        self.current(engine, now)
        before, self._told = self._told, self._mark
        return before != self._told

    def look_again(self) -> None:
        """Forget how fresh this is: a decision was made in this process."""
        self._looked = None
