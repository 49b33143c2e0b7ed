"""Turns and troubles of edges in the database: one process at a time, and what failed is known after a restart."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from gateway.store import edge_troubles, edge_turns, inbox, messages
from gateway.store.database import reading, transaction
from gateway.store.edge_tables import edge_troubles as table
from gateway.store.tables import inbox as inbox_table
from tests.store_rows import add_case, message_row

AUTHORITY = "BA-MS"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def now(clock):
    return clock.now


# --- turns ------------------------------------------------------------------------------------------------------------


def taken(engine, by, now, minutes=1) -> bool:
    with transaction(engine) as tx:
        return edge_turns.take(tx, AUTHORITY, by=by, now=now, until=now + minutes * MINUTE)


def test_turn_is_one_processs_until_its_time_is_over(engine, now) -> None:
    assert taken(engine, "one", now)
    assert not taken(engine, "two", now)
    assert taken(engine, "one", now)  # renewed
    assert not taken(engine, "two", now + timedelta(seconds=59))
    assert taken(engine, "two", now + MINUTE)
    assert not taken(engine, "one", now + MINUTE)


def test_turn_that_is_given_back_is_free_at_once(engine, now) -> None:
    taken(engine, "one", now)
    with transaction(engine) as tx:
        edge_turns.give_back(tx, AUTHORITY, by="two")  # not its own
    assert not taken(engine, "two", now)
    with transaction(engine) as tx:
        edge_turns.give_back(tx, AUTHORITY, by="one")
    assert taken(engine, "two", now)


def test_failures_are_counted_from_the_first_one_until_they_are_cleared(engine, now) -> None:
    taken(engine, "one", now)
    for step in range(2):
        with transaction(engine) as tx:
            turn = edge_turns.get(tx, AUTHORITY)
            edge_turns.set_back(tx, turn, code="edge-unavailable", now=now + step * MINUTE, until=now + 5 * MINUTE)
    with reading(engine) as tx:
        found = edge_turns.get(tx, AUTHORITY)
    assert (found.attempts, found.code, found.since, found.next_at) == (2, "edge-unavailable", now, now + 5 * MINUTE)
    with transaction(engine) as tx:
        assert edge_turns.clear(tx, AUTHORITY)
        assert not edge_turns.clear(tx, AUTHORITY)
        found = edge_turns.get(tx, AUTHORITY)
    assert (found.attempts, found.code, found.since, found.next_at) == (0, None, None, None)


# --- troubles ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def rows(engine, now):
    """Three messages of one case and one of another, in this order: first, other, second, third."""
    one, two = add_case(engine), add_case(engine, reference="LQ3XN7YB2MZV5TDWA4RUHE6PCG")
    owners = (one, two, one, one)
    with transaction(engine) as tx:
        made = messages.add(tx, [message_row(number, case_id=case) for number, case in enumerate(owners, 1)])
        new = [
            inbox.NewInboxRow(authority=AUTHORITY, message_row=row, case_id=case, dialect="ba/ms-xml", arrived_at=now)
            for row, case in zip(made, owners, strict=True)
        ]
        inbox.add(tx, new)
        return [row.id for row in inbox.waiting(tx, AUTHORITY)]


def due(engine, now) -> list[int]:
    with reading(engine) as tx:
        return [row.id for row in edge_troubles.due(tx, AUTHORITY, now)]


def note(engine, inbox_id, now, next_at) -> None:
    with transaction(engine) as tx:
        edge_troubles.note(tx, inbox_id, code="edge-failed", now=now, next_at=next_at)


def test_what_waits_is_due_in_its_order(engine, now, rows) -> None:
    assert due(engine, now) == rows


def test_message_that_was_set_back_holds_up_its_case_and_no_other(engine, now, rows) -> None:
    first, other, second, third = rows
    note(engine, second, now, now + MINUTE)
    assert due(engine, now) == [first, other]
    assert due(engine, now + MINUTE) == [first, other, second, third]


def test_refused_message_is_not_due_and_holds_nothing_up(engine, now, rows) -> None:
    first, other, second, third = rows
    note(engine, first, now, None)
    assert due(engine, now + 1000 * MINUTE) == [other, second, third]


def test_message_that_was_fetched_otherwise_holds_nothing_up(engine, now, rows) -> None:
    first, other, second, third = rows
    note(engine, first, now, now + MINUTE)
    with transaction(engine) as tx:
        assert inbox.acknowledge(tx, AUTHORITY, first, by="system", at=now)
    assert due(engine, now) == [other, second, third]


def test_refused_messages_do_not_crowd_out_the_others(engine, now, rows) -> None:
    for row in rows[:3]:
        note(engine, row, now, None)
    with reading(engine) as tx:
        assert [row.id for row in edge_troubles.due(tx, AUTHORITY, now, most=1)] == rows[3:]


def test_attempts_are_counted_and_forgotten(engine, now, rows) -> None:
    for _ in range(2):
        note(engine, rows[0], now, now)
    with reading(engine) as tx:
        assert edge_troubles.attempts(tx, edge_troubles.due(tx, AUTHORITY, now)) == {rows[0]: 2}
    with transaction(engine) as tx:
        edge_troubles.forget(tx, rows[0])
        assert edge_troubles.attempts(tx, edge_troubles.due(tx, AUTHORITY, now)) == {}


def test_trouble_of_a_message_that_an_erasure_took_out_is_not_noted(engine, now, rows) -> None:
    note(engine, rows[0], now, None)
    with transaction(engine) as tx:
        tx.execute(delete(inbox_table).where(inbox_table.c.id == rows[0]))
    note(engine, rows[0], now, None)
    with reading(engine) as tx:
        assert tx.execute(select(table)).all() == []


def test_standings_count_what_waits_and_tell_the_last_trouble(engine, now, rows) -> None:
    with reading(engine) as tx:
        calm, quiet = edge_troubles.standings(tx, [AUTHORITY, "ZZ-NONE"])
    assert (calm.authority, calm.waiting, calm.refused, calm.oldest, calm.code) == (AUTHORITY, 4, 0, now, None)
    assert (quiet.authority, quiet.waiting, quiet.oldest, quiet.code) == ("ZZ-NONE", 0, None, None)
    note(engine, rows[0], now, None)
    note(engine, rows[1], now, now + MINUTE)
    with reading(engine) as tx:
        (stuck,) = edge_troubles.standings(tx, [AUTHORITY])
    assert (stuck.waiting, stuck.refused, stuck.code, stuck.since, stuck.next_at) == (4, 1, "edge-failed", now, None)
    taken(engine, "one", now)
    with transaction(engine) as tx:
        edge_turns.set_back(tx, edge_turns.get(tx, AUTHORITY), code="edge-unavailable", now=now, until=now + MINUTE)
        (away,) = edge_troubles.standings(tx, [AUTHORITY])
    assert (away.code, away.next_at) == ("edge-unavailable", now + MINUTE)


def test_all_of_an_authority_is_tried_again_when_a_person_says_so(engine, now, rows) -> None:
    note(engine, rows[0], now, None)
    note(engine, rows[1], now, now + MINUTE)
    with transaction(engine) as tx:
        assert edge_troubles.forget_all(tx, "ZZ-NONE") == 0
        assert edge_troubles.forget_all(tx, AUTHORITY) == 2
    assert due(engine, now) == rows


def test_delivery_is_settled_once(engine, now, rows) -> None:
    with transaction(engine) as tx:
        assert inbox.settle(tx, AUTHORITY, rows[0], by="one", at=now)
        assert not inbox.settle(tx, AUTHORITY, rows[0], by="two", at=now)
        assert not inbox.settle(tx, "ZZ-NONE", rows[1], by="one", at=now)
        assert inbox.acknowledge(tx, AUTHORITY, rows[0], by="two", at=now)
        assert tx.execute(select(inbox_table.c.fetched_by).where(inbox_table.c.id == rows[0])).scalar() == "one"
