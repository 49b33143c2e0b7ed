"""The flow board: is it flowing, what is stuck, and why. Counts and codes only, no case and no person."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, or_, select, true

from gateway.store import edge_troubles
from gateway.store.edge_tables import edge_turns
from gateway.store.parked_tables import parked
from gateway.store.tables import inbox, messages, outbox, queue
from gateway.store.worklist import Viewer

DELIVERED_WITHIN = timedelta(hours=24)  # the board counts what moved lately
FAILURES_WITHIN = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One direction between a home authority and another authority."""

    home: str
    counterparty: str
    direction: str  # in | out
    waiting: int  # out: in the outbox; in: in the embedded queue
    delivered: int  # within DELIVERED_WITHIN
    parked: int
    oldest: datetime | None  # of what waits
    last_success: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """All failures of one kind on one way: 400 messages refused for one reason are one line."""

    code: str
    home: str
    counterparty: str
    direction: str
    count: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfetched:
    """What is delivered to a home authority and not acknowledged by it yet, and the trouble there is with its system."""

    authority: str
    count: int
    refused: int  # of these: its system does not take them, and a person must look
    oldest: datetime | None
    code: str | None  # of the trouble
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """All that operations see at a glance."""

    flows: tuple[Flow, ...]
    failures: tuple[Failure, ...]
    unfetched: tuple[Unfetched, ...]

    @property
    def parked(self) -> int:
        return sum(flow.parked for flow in self.flows)


_Way = tuple[str, str, str]  # home, counterparty, direction


def board(connection: Connection, viewer: Viewer, *, now: datetime) -> Board:
    """Return the board for those who run the gateway; it is empty for everybody else.

    An account that belongs to one authority sees the ways of that authority only.
    """
    if not viewer.sees_queues:
        return Board(flows=(), failures=(), unfetched=())
    return Board(
        flows=_flows(connection, viewer, now),
        failures=_failures(connection, viewer, now),
        unfetched=_unfetched(connection, viewer),
    )


def _home() -> ColumnElement[str]:
    return case((messages.c.direction == "in", messages.c.recipient), else_=messages.c.sender)


def _counterparty() -> ColumnElement[str]:
    return case((messages.c.direction == "in", messages.c.sender), else_=messages.c.recipient)


def _of(viewer: Viewer, column: ColumnElement[str]) -> ColumnElement[bool]:
    return true() if viewer.authority is None else column == viewer.authority


def _claimed_sender() -> ColumnElement[str]:
    return case((parked.c.sender == "", "unknown"), else_=parked.c.sender)


def _flows(connection: Connection, viewer: Viewer, now: datetime) -> tuple[Flow, ...]:
    done_at = case((messages.c.direction == "in", messages.c.created_at), else_=messages.c.sent_at)
    moved = select(
        _home().label("home"),
        _counterparty().label("counterparty"),
        messages.c.direction,
        func.sum(case((done_at >= now - DELIVERED_WITHIN, 1), else_=0)).label("delivered"),
        func.max(done_at).label("last_success"),
    ).where(_of(viewer, _home()), or_(messages.c.direction == "out", messages.c.outcome == "accepted"))
    found: dict[_Way, dict[str, Any]] = {}
    for row in connection.execute(moved.group_by("home", "counterparty", messages.c.direction)):
        place = found.setdefault((row.home, row.counterparty, row.direction), {})
        place.update(delivered=row.delivered or 0, last_success=row.last_success)
    leaving = select(
        outbox.c.sender.label("home"),
        outbox.c.recipient.label("counterparty"),
        literal("out").label("direction"),
        func.sum(case((outbox.c.parked_at.is_(None), 1), else_=0)).label("waiting"),
        func.sum(case((outbox.c.parked_at.is_not(None), 1), else_=0)).label("parked"),
        func.min(case((outbox.c.parked_at.is_(None), outbox.c.created_at))).label("oldest"),
    ).where(_of(viewer, outbox.c.sender))
    coming = select(
        queue.c.name.label("home"),
        queue.c.sender.label("counterparty"),
        literal("in").label("direction"),
        func.sum(case((queue.c.parked_at.is_(None), 1), else_=0)).label("waiting"),
        func.sum(case((queue.c.parked_at.is_not(None), 1), else_=0)).label("parked"),
        func.min(case((queue.c.parked_at.is_(None), queue.c.enqueued_at))).label("oldest"),
    ).where(_of(viewer, queue.c.name))
    for stuck in (leaving.group_by(outbox.c.sender, outbox.c.recipient), coming.group_by(queue.c.name, queue.c.sender)):
        for row in connection.execute(stuck):
            place = found.setdefault((row.home, row.counterparty, row.direction), {})
            place.update(waiting=row.waiting or 0, parked=row.parked or 0, oldest=row.oldest)
    aside = select(parked.c.home, _claimed_sender().label("counterparty"), func.count().label("parked"))
    aside = aside.where(parked.c.settled.is_(None), _of(viewer, parked.c.home)).group_by(parked.c.home, "counterparty")
    for row in connection.execute(aside):
        place = found.setdefault((row.home, row.counterparty, "in"), {})
        place["parked"] = place.get("parked", 0) + row.parked
    nothing = {"waiting": 0, "delivered": 0, "parked": 0, "oldest": None, "last_success": None}
    return tuple(
        Flow(home=home, counterparty=counterparty, direction=direction, **(nothing | values))
        for (home, counterparty, direction), values in sorted(found.items())
    )


def _failures(connection: Connection, viewer: Viewer, now: datetime) -> tuple[Failure, ...]:
    since = now - FAILURES_WITHIN
    refused = (
        select(
            messages.c.code,
            _home().label("home"),
            _counterparty().label("counterparty"),
            messages.c.direction,
            func.count().label("count"),
            func.min(messages.c.created_at).label("first_at"),
            func.max(messages.c.created_at).label("last_at"),
        )
        # What is parked is counted from the outbox, where it still lies.
        .where(
            messages.c.code.is_not(None), messages.c.outcome == "refused", messages.c.created_at >= since, _of(viewer, _home())
        )
        .group_by(messages.c.code, "home", "counterparty", messages.c.direction)
    )
    leaving = (
        select(
            outbox.c.code,
            outbox.c.sender.label("home"),
            outbox.c.recipient.label("counterparty"),
            literal("out").label("direction"),
            func.count().label("count"),
            func.min(outbox.c.created_at).label("first_at"),
            func.max(outbox.c.created_at).label("last_at"),
        )
        .where(outbox.c.code.is_not(None), _of(viewer, outbox.c.sender))
        .group_by(outbox.c.code, outbox.c.sender, outbox.c.recipient)
    )
    coming = (
        select(
            queue.c.reason.label("code"),
            queue.c.name.label("home"),
            queue.c.sender.label("counterparty"),
            literal("in").label("direction"),
            func.count().label("count"),
            func.min(queue.c.enqueued_at).label("first_at"),
            func.max(queue.c.enqueued_at).label("last_at"),
        )
        .where(and_(queue.c.reason.is_not(None), queue.c.parked_at.is_not(None)), _of(viewer, queue.c.name))
        .group_by(queue.c.reason, queue.c.name, queue.c.sender)
    )
    aside = (
        select(
            parked.c.code,
            parked.c.home,
            _claimed_sender().label("counterparty"),
            literal("in").label("direction"),
            func.count().label("count"),
            func.min(parked.c.parked_at).label("first_at"),
            func.max(parked.c.parked_at).label("last_at"),
        )
        .where(parked.c.settled.is_(None), _of(viewer, parked.c.home))
        .group_by(parked.c.code, parked.c.home, "counterparty")
    )
    rows = [Failure(**row) for found in (refused, leaving, coming, aside) for row in connection.execute(found).mappings()]
    return tuple(_most_first(rows))


def _most_first(failures: Iterable[Failure]) -> list[Failure]:
    return sorted(failures, key=lambda failure: (-failure.count, failure.code, failure.counterparty, failure.direction))


def _unfetched(connection: Connection, viewer: Viewer) -> tuple[Unfetched, ...]:
    waiting = select(inbox.c.authority).where(inbox.c.fetched_at.is_(None), _of(viewer, inbox.c.authority))
    troubled = select(edge_turns.c.authority).where(edge_turns.c.code.is_not(None), _of(viewer, edge_turns.c.authority))
    authorities = connection.execute(waiting.union(troubled)).scalars().all()
    return tuple(
        Unfetched(
            authority=each.authority,
            count=each.waiting,
            refused=each.refused,
            oldest=each.oldest,
            code=each.code,
            since=each.since,
        )
        for each in edge_troubles.standings(connection, authorities)
    )
