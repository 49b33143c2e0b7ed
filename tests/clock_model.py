"""The clocks of one side of a case, by the tables and the engine of the domain alone: a model of what the flow keeps."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from gateway.domain.answers import Deadline
from gateway.domain.calendars import Calendar, Side
from gateway.domain.case import Case
from gateway.domain.clock import CLOSED, MEETS, STARTS_BY, Happening, kept_limits
from gateway.domain.counting import Standstill
from gateway.domain.deadlines import due_date
from gateway.domain.limits import Actor, Direction, Limit
from gateway.domain.messages import Application, Reply, Step
from gateway.domain.moves import Event
from gateway.domain.treaties import Treaty
from gateway.partners.calendars import load_calendars
from gateway.partners.treaties import load_treaties
from gateway.settings import data_folder


@cache
def treaties() -> Mapping[str, Treaty]:
    return load_treaties(data_folder("partners") / "treaties", None)


@cache
def calendars() -> Mapping[str, Calendar]:
    return load_calendars(data_folder("partners") / "calendars")


@dataclass(slots=True, kw_only=True)
class Running:
    """One deadline: what it was counted from, and what became of it."""

    row: Limit
    start: datetime
    happening: Happening
    stops: tuple[Standstill, ...] = ()
    state: str = "open"


@dataclass(slots=True, kw_only=True)
class Clocks:
    """The deadlines of a case between Austria, which asks, and the state on the other side of an agreement of the Union."""

    treaty: Treaty
    running: dict[str, Running] = field(default_factory=dict)

    @property
    def requested(self) -> Side:
        return Side.of(self.treaty.asked_by_default or "", calendars())

    @property
    def requesting(self) -> Side:
        return Side.of("AT", calendars())

    def happened(self, case: Case, message: Application | Reply | Step, received_at: datetime) -> None:
        """Start, meet and stop the clocks by one message that the other side had at `received_at`."""
        new = Happening.of(message)
        only = kept_limits(new)
        for start in STARTS_BY.get(new.event, ()):
            for row in self.treaty.started_by(start.word, case.procedure, case.category):
                moment = new.moment(start, received_at)
                if row.id in start.limits and (only is None or row.id in only) and moment is not None:
                    self.running[row.id] = Running(row=row, start=moment, happening=new)
        for limit_id, running in self.running.items():
            if limit_id in MEETS.get(new.event, ()) and running.state != "moot":
                running.state = "met"
            elif running.state != "open":
                continue
            elif limit_id not in CLOSED.get(case.state, frozenset({limit_id})):
                running.state = "moot"
            elif new.event in {Event.SUSPENSION, Event.RESUMPTION}:
                running.stops = self._stopped(running, received_at, stops=new.event is Event.SUSPENSION)

    def _stopped(self, running: Running, at: datetime, *, stops: bool) -> tuple[Standstill, ...]:
        side = self.requested if running.row.who is Actor.REQUESTED else self.requesting
        day = side.calendar.local_date(at) if side.calendar else at.date()
        standing = any(stop.until is None for stop in running.stops)
        if stops:
            return running.stops if standing else (*running.stops, Standstill(since=day, until=None, why="suspension"))
        return tuple(
            stop if stop.until else Standstill(since=stop.since, until=max(day, stop.since), why=stop.why)
            for stop in running.stops
        )

    def deadline(self, limit_id: str, case: Case) -> Deadline:
        """Return a deadline that was started."""
        running = self.running[limit_id]
        acting = self.requested if running.row.who is Actor.REQUESTED else self.requesting
        back = running.row.direction is Direction.BEFORE and acting.calendar is not None
        return due_date(
            self.treaty,
            limit_id,
            start=running.start,
            requested=self.requested,
            requesting=self.requesting,
            procedure=case.procedure,
            category=case.category,
            planned=acting.calendar.local_date(running.start) if back and acting.calendar else None,
            escorted=running.happening.escorted,
            means=running.happening.means,
            stops=running.stops,
        )

    def dates(self, case: Case) -> dict[str, tuple[datetime | None, datetime | None]]:
        """Return both ends of every open deadline."""
        found = {limit_id: self.deadline(limit_id, case) for limit_id, one in self.running.items() if one.state == "open"}
        return {
            limit_id: (one.literal and one.literal.until, one.rolled and one.rolled.until) for limit_id, one in found.items()
        }
