"""Each recipient has a line of its own: nobody waits for another's backlog, trouble or limit, and one process tries."""

import re
from copy import copy
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest
from sqlalchemy import select

from gateway.domain.pace import Pace
from gateway.errors import BrokerUnavailable, TooLarge
from gateway.flow.deliver import claim, deliver_once, settle
from gateway.flow.line_standings import LineStanding, standings
from gateway.flow.lines import give_back, held_back
from gateway.flow.ports import LEASE_SECONDS, LineBook
from gateway.store import lines, outbox_claims
from gateway.store import tables as t
from gateway.store.database import reading, transaction
from gateway.wire.documents import serialize
from tests.forging import TO_ORIGIN, Scripted, application, hand_in_entry, journalled
from tests.gateways import Gateway
from tests.statements import before_each_statement
from tests.store_rows import fill_outbox

pytestmark = pytest.mark.anyio

NOBODY = BrokerUnavailable("nobody answers")


@pytest.fixture
async def side(two_gateways) -> Gateway:
    """The west with a transport that fails as told."""
    west, _ = two_gateways
    scripted = Scripted(west.hub)
    await scripted.open(west.rt.settings.home)
    return replace(west, rt=replace(west.rt, transport=scripted))


def another(side: Gateway) -> Gateway:
    """A second process on the same database."""
    return replace(side, rt=replace(side.rt, lines=LineBook()))


def fill(side: Gateway, count: int, recipient: str, first: int = 1) -> None:
    fill_outbox(side.rt.engine, count, recipient=recipient, first=first, at=side.rt.clock())


def line(side: Gateway, recipient: str = "RS-MUP") -> lines.Line:
    with reading(side.rt.engine) as tx:
        return lines.every(tx)[recipient]


def rows_of(side: Gateway, recipient: str) -> list:
    with reading(side.rt.engine) as tx:
        return list(tx.execute(select(t.outbox).where(t.outbox.c.recipient == recipient).order_by(t.outbox.c.id)))


def given(side: Gateway) -> list[str]:
    """Return for whom the transport was given something since this was last asked."""
    found = [parcel.recipient for parcel in side.rt.transport.given]
    side.rt.transport.given.clear()
    return found


async def stop_line(side: Gateway) -> None:
    """Let five messages for RS-MUP fail at once."""
    fill(side, 5, "RS-MUP")
    side.rt.transport.failing["RS-MUP"] = NOBODY
    assert await side.deliver() == 0
    given(side)


def limited(side: Gateway, **limits: float) -> Gateway:
    """The side with limits for Serbia."""
    known = side.rt.directory.known
    serbia = replace(known.partners.partners["rs"], pace=Pace(**limits))
    partners = replace(known.partners, partners=MappingProxyType({**known.partners.partners, "rs": serbia}))
    directory = copy(side.rt.directory)
    directory.known = replace(known, partners=partners)
    return replace(side, rt=replace(side.rt, directory=directory))


# --- shares -----------------------------------------------------------------------------------------------------------


async def test_ten_thousand_waiting_messages_for_one_keep_no_other_waiting(side) -> None:
    fill(side, 10_000, "RS-MUP")
    fill(side, 3, "PK-MOI", first=20_000)
    rows = claim(side.rt, by="test")
    assert [row.recipient for row in rows].count("PK-MOI") == 3
    assert len(rows) == 2 * side.rt.settings.batch  # the share that others left is used


async def test_partner_with_nothing_due_takes_no_share(side, clock) -> None:
    fill(side, 400, "RS-MUP")
    fill_outbox(side.rt.engine, 1, recipient="PK-MOI", first=900, at=clock.now + timedelta(hours=1))
    assert len(claim(side.rt, by="test")) == 2 * side.rt.settings.batch


# --- the breaker ------------------------------------------------------------------------------------------------------


async def test_line_stops_after_failures_in_a_row_and_none_of_its_messages_is_tried(side) -> None:
    await stop_line(side)
    fill(side, 50, "RS-MUP", first=100)
    fill(side, 2, "PK-MOI", first=200)
    assert await side.deliver() == 2
    assert given(side) == ["PK-MOI"] * 2
    assert (line(side).failures, line(side).code) == (5, "broker-unavailable")


async def test_fewer_failures_leave_a_line_open(side) -> None:
    fill(side, 4, "RS-MUP")
    side.rt.transport.failing["RS-MUP"] = NOBODY
    await side.deliver()
    fill(side, 1, "RS-MUP", first=100)
    given(side)
    await side.deliver()
    assert given(side) == ["RS-MUP"]


async def test_success_between_failures_begins_the_count_anew(side, clock) -> None:
    fill(side, 4, "RS-MUP")
    side.rt.transport.failing["RS-MUP"] = NOBODY
    await side.deliver()
    side.rt.transport.failing.clear()
    fill(side, 1, "RS-MUP", first=100)
    assert await side.deliver() == 1
    assert line(side).failures == 0


async def test_one_message_tries_a_stopped_line_when_its_pause_is_over(side, clock) -> None:
    await stop_line(side)
    clock.move(seconds=1)
    await side.deliver()
    assert given(side) == []
    clock.move(seconds=1)
    await side.deliver()
    assert given(side) == ["RS-MUP"]


async def test_pauses_double_while_probes_fail_and_the_next_probe_is_another_message(side, clock) -> None:
    await stop_line(side)
    tried = []
    for pause in (2, 4, 8, 16, 32, 60, 60):
        clock.move(seconds=pause)
        (row,) = claim(side.rt, by="test")
        tried.append(row.id)
        settle([row], await deliver_once(side.rt, [row]), side.rt)
        assert claim(side.rt, by="test") == []
    assert len(set(tried)) == 5
    assert tried[:2] == tried[5:]  # each in turn


async def test_long_outage_parks_nothing_and_uses_up_no_attempt(side, clock) -> None:
    await stop_line(side)
    for _ in range(200):
        clock.move(seconds=60)
        await side.deliver()
    assert len(given(side)) == 200
    assert {(row.parked_at, row.attempts) for row in rows_of(side, "RS-MUP")} == {(None, 0)}
    assert journalled(side.rt.engine, "message.parked") == []


async def test_everything_leaves_at_once_when_a_probe_is_confirmed(side, clock) -> None:
    fill(side, 1, "RS-MUP", first=50)
    side.rt.transport.failing["RS-MUP"] = NOBODY
    await side.deliver()  # this one is to wait for half a minute
    await stop_line(side)
    side.rt.transport.failing.clear()
    clock.move(seconds=4)
    assert await side.deliver() == 1
    assert await side.deliver() == 5
    assert rows_of(side, "RS-MUP") == []


async def test_of_two_processes_one_tries(side, clock) -> None:
    await stop_line(side)
    clock.move(seconds=2)
    assert len(claim(side.rt, by="one")) == 1
    assert claim(another(side).rt, by="two") == []


async def test_probe_whose_process_died_is_taken_by_another_after_the_lease(side, clock) -> None:
    await stop_line(side)
    clock.move(seconds=2)
    claim(side.rt, by="one")
    clock.move(seconds=LEASE_SECONDS + 1)
    (row,) = claim(another(side).rt, by="two")
    assert row.probe


async def test_probe_by_a_clock_that_was_ahead_and_came_back_keeps_nobody_from_the_next(side, clock) -> None:
    await stop_line(side)
    clock.move(minutes=4)
    (row,) = claim(side.rt, by="died")
    assert row.probe
    clock.move(minutes=-3)
    (row,) = claim(another(side).rt, by="two")
    assert row.probe


async def test_other_process_sees_the_stopped_line(side) -> None:
    await stop_line(side)
    fill(side, 5, "RS-MUP", first=100)
    assert claim(another(side).rt, by="two") == []


async def test_message_at_fault_itself_stops_no_line_and_ends_the_probe(side, clock) -> None:
    await stop_line(side)
    side.rt.transport.failing["RS-MUP"] = TooLarge("more than is carried")
    clock.move(seconds=2)
    await side.deliver()
    assert [row.code for row in rows_of(side, "RS-MUP") if row.parked_at] == ["too-large"]
    await side.deliver()  # the next tries at once
    assert len(given(side)) == 2


async def test_message_that_alone_keeps_failing_is_parked_while_the_line_stays_open(side, clock) -> None:
    fill(side, 1, "RS-MUP")
    for number, wait in enumerate((*side.rt.settings.retry_seconds, 0), 100):
        fill(side, 1, "RS-MUP", first=number)
        rows = claim(side.rt, by="test")
        settle(rows, [NOBODY, None], side.rt)
        clock.move(seconds=wait)
    (row,) = rows_of(side, "RS-MUP")
    assert (row.parked_at is not None, row.attempts) == (True, 5)


async def test_failures_of_a_process_that_saw_the_line_open_do_not_lengthen_the_pause(side, clock) -> None:
    fill(side, 10, "RS-MUP")
    with transaction(side.rt.engine) as tx:
        rows = outbox_claims.claim(tx, now=clock.now, most=10, lease_seconds=60, by="test")
    settle(rows[:5], [NOBODY] * 5, side.rt)
    settle(rows[5:], [NOBODY] * 5, another(side).rt)
    assert line(side).failures == 5


# --- rows that were handed over ---------------------------------------------------------------------------------------


async def test_handed_row_for_a_stopped_line_goes_back_and_waits_its_turn(side, clock) -> None:
    await stop_line(side)
    claim(side.rt, by="here")
    side.rt.bell.listen("here")
    hand_in_entry(side)
    rows = side.rt.bell.handed(10, clock.now)
    assert held_back(rows, side.rt) == rows
    give_back(rows, side.rt)
    assert rows_of(side, "RS-MUP")[-1].leased_by is None


async def test_handed_row_for_a_healthy_line_leaves_as_it_is(side, clock) -> None:
    await stop_line(side)
    side.rt.transport.failing.clear()
    clock.move(seconds=2)
    assert await side.deliver() == 1
    side.rt.bell.listen("here")
    hand_in_entry(side)
    assert held_back(side.rt.bell.handed(10, clock.now), side.rt) == []


async def test_lone_message_to_a_healthy_partner_costs_no_statement_about_lines(side, clock) -> None:
    await stop_line(side)  # another partner's trouble costs it nothing either
    claim(side.rt, by="here")
    side.rt.bell.listen("here")
    statements: list[str] = []
    with before_each_statement(side.rt.engine, lambda statement, _: statements.append(statement)):
        held = side.hand_in(serialize(application(side.rt.clock(), TO_ORIGIN)), authority="BA-MS")
        side.release(held.case_id)
        rows = side.rt.bell.handed(10, clock.now)
        assert held_back(rows, side.rt) == []
        settle(rows, await deliver_once(side.rt, rows), side.rt)
    assert len(rows) == 1
    assert [one for one in statements if re.search(r"\boutbox\b", one)]
    assert not [one for one in statements if re.search(r"\blines\b", one)]


# --- limits -----------------------------------------------------------------------------------------------------------


async def test_rate_lets_so_many_go_a_second_and_the_rest_waits(side, clock) -> None:
    slow = limited(side, sent_per_second=3)
    fill(slow, 10, "RS-MUP")
    fill(slow, 10, "PK-MOI", first=100)
    assert await slow.deliver() == 13
    assert await slow.deliver() == 0
    clock.move(seconds=1)
    assert await slow.deliver() == 3
    assert len(rows_of(slow, "RS-MUP")) == 4


async def test_two_processes_share_one_rate(side) -> None:
    slow = limited(side, sent_per_second=3)
    fill(slow, 10, "RS-MUP")
    assert len(claim(slow.rt, by="one")) == 3
    assert claim(another(slow).rt, by="two") == []


async def test_quota_of_a_day_ends_at_midnight_utc(side, clock) -> None:
    few = limited(side, sent_per_day=4)
    fill(few, 6, "RS-MUP")
    assert await few.deliver() == 4
    clock.move(hours=1)
    assert await few.deliver() == 0
    clock.move(days=1)
    assert await few.deliver() == 2


async def test_handed_row_of_a_limited_partner_takes_its_turn(side, clock) -> None:
    slow = limited(side, sent_per_second=3)
    slow.rt.bell.listen("here")
    hand_in_entry(slow)
    rows = slow.rt.bell.handed(10, clock.now)
    assert held_back(rows, slow.rt) == rows


# --- what is shown ----------------------------------------------------------------------------------------------------


def shown(side: Gateway, recipient: str = "RS-MUP") -> LineStanding:
    with reading(side.rt.engine) as tx:
        (found,) = [one for state, one in standings(tx, side.rt.partners, side.rt.clock()) if state.recipient == recipient]
    return found


async def test_line_that_never_failed_is_shown_as_open(side) -> None:
    fill(side, 1, "RS-MUP")
    assert (shown(side).line, shown(side).failures, shown(side).next_at) == ("open", 0, None)


async def test_stopped_line_is_shown_with_its_next_try_and_the_probe_while_it_lasts(side, clock) -> None:
    began = clock.now
    await stop_line(side)
    assert (shown(side).line, shown(side).failures, shown(side).since) == ("stopped", 5, began)
    assert shown(side).next_at == began + timedelta(seconds=2)
    clock.move(seconds=2)
    claim(side.rt, by="test")
    assert shown(side).line == "probing"
    clock.move(seconds=LEASE_SECONDS + 1)
    assert shown(side).line == "stopped"


async def test_limits_are_shown_with_what_was_sent_today(side, clock) -> None:
    few = limited(side, sent_per_day=4, sent_per_second=10)
    fill(few, 6, "RS-MUP")
    await few.deliver()
    assert (shown(few).sent_per_second, shown(few).sent_per_day, shown(few).sent_today) == (10, 4, 4)
    clock.move(days=1)
    assert shown(few).sent_today == 0
