"""The outbox: any number of processes deliver, and no row is held by two of them."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from gateway.stages import Sealed
from gateway.store import messages, outbox, outbox_claims
from gateway.store.database import reading, transaction
from gateway.store.tables import outbox as table
from tests.store_rows import NOW, fill_outbox, message_row

WAIT = 30  # seconds a test waits at the most for another thread


def claim(engine, *, by: str = "one", most: int = 10, at=NOW, lease: int = 60) -> list[outbox.OutboxRow]:
    with transaction(engine) as tx:
        return outbox_claims.claim(tx, now=at, most=most, lease_seconds=lease, by=by)


def sealed_as(row: outbox.OutboxRow) -> Sealed:
    return Sealed(body=row.body, message_id=row.message_id, sender=row.sender, recipient=row.recipient, digest="0" * 64)


def test_claimed_row_is_what_was_sealed(engine) -> None:
    (message,) = fill_outbox(engine, 1)
    (row,) = claim(engine)
    assert (row.message_row, row.message_id, row.sender, row.recipient) == (
        message,
        message_row(1).message_id,
        "BA-MS",
        "PK-MOI",
    )
    assert (row.body, row.attempts) == (b"sealed 1", 0)


def test_rows_are_claimed_oldest_first_and_at_most_as_many_as_asked(engine) -> None:
    messages = fill_outbox(engine, 5)
    assert [row.message_row for row in claim(engine, most=3)] == messages[:3]
    assert [row.message_row for row in claim(engine, most=3)] == messages[3:]


def test_claimed_row_is_not_given_to_a_second_claimer(engine) -> None:
    fill_outbox(engine, 1)
    assert len(claim(engine, by="one")) == 1
    assert claim(engine, by="two") == []


def test_row_whose_holder_died_is_given_out_again_after_the_lease(engine) -> None:
    fill_outbox(engine, 1)
    claim(engine, by="one", lease=60)
    assert claim(engine, by="two", at=NOW + timedelta(seconds=60)) == []
    assert len(claim(engine, by="two", at=NOW + timedelta(seconds=61))) == 1


def test_row_that_is_not_due_yet_is_not_claimed(engine) -> None:
    fill_outbox(engine, 1, at=NOW + timedelta(seconds=1))
    assert claim(engine) == []


def test_message_waits_in_the_outbox_until_it_is_confirmed(engine) -> None:
    (message,) = fill_outbox(engine, 1)
    (row,) = claim(engine)
    with transaction(engine) as tx:
        assert outbox.waits(tx, message)
        outbox.done(tx, [row.id])
        assert not outbox.waits(tx, message)


def test_confirmed_row_is_gone(engine) -> None:
    fill_outbox(engine, 2)
    first, second = claim(engine)
    with transaction(engine) as tx:
        outbox.done(tx, [first.id])
        outbox.done(tx, [])
    with reading(engine) as tx:
        assert tx.execute(select(table.c.id)).scalars().all() == [second.id]


def test_failed_row_comes_back_at_its_time_with_the_same_bytes(engine) -> None:
    fill_outbox(engine, 1)
    (row,) = claim(engine)
    again = NOW + timedelta(seconds=30)
    with transaction(engine) as tx:
        outbox.retry(tx, row.id, next_at=again, code="broker-unavailable")
        assert outbox.next_due(tx) == again
    assert claim(engine, at=again - timedelta(seconds=1)) == []
    (second,) = claim(engine, at=again)
    assert (second.attempts, second.body) == (1, row.body)


def test_parked_row_is_never_claimed_and_never_lost(engine) -> None:
    fill_outbox(engine, 1)
    (row,) = claim(engine)
    with transaction(engine) as tx:
        outbox.park(tx, row.id, at=NOW, code="undeliverable")
        assert outbox.next_due(tx) is None
    assert claim(engine, at=NOW + timedelta(days=365)) == []
    with reading(engine) as tx:
        (state,) = outbox.states(tx)
    assert (state.waiting, state.parked, state.codes) == (0, 1, ("undeliverable",))


def test_board_counts_by_sender_and_recipient(engine) -> None:
    fill_outbox(engine, 2)
    fill_outbox(engine, 1, recipient="RS-MUP", first=10, at=NOW + timedelta(minutes=5))
    with reading(engine) as tx:
        found = [(state.recipient, state.waiting, state.parked, state.oldest) for state in outbox.states(tx)]
    assert found == [("PK-MOI", 2, 0, NOW), ("RS-MUP", 1, 0, NOW + timedelta(minutes=5))]


def test_lease_by_a_clock_that_was_ahead_and_came_back_keeps_nobody_out(engine) -> None:
    fill_outbox(engine, 1)
    claim(engine, by="died", at=NOW + timedelta(minutes=4))
    assert len(claim(engine, by="two", at=NOW)) == 1


def test_lease_by_a_clock_a_little_ahead_holds(engine) -> None:
    fill_outbox(engine, 1)
    claim(engine, by="one", at=NOW + timedelta(minutes=2))
    assert claim(engine, by="two", at=NOW) == []


def test_row_written_under_a_lease_is_returned_as_it_would_be_claimed(engine) -> None:
    (message,) = fill_outbox(engine, 1)
    (claimed,) = claim(engine)
    lease = outbox.Lease(by="writer", until=NOW + timedelta(seconds=60))
    with transaction(engine) as tx:
        (handed,) = outbox.add(tx, [(message, sealed_as(claimed))], NOW, lease=lease)
    assert replace(handed, id=claimed.id) == claimed


def test_row_written_under_a_lease_is_nobody_elses_until_it_ends(engine) -> None:
    (message,) = fill_outbox(engine, 1)
    (other,) = claim(engine)
    lease = outbox.Lease(by="writer", until=NOW + timedelta(seconds=60))
    with transaction(engine) as tx:
        (handed,) = outbox.add(tx, [(message, sealed_as(other))], NOW, lease=lease)
        outbox.done(tx, [other.id])
    assert claim(engine, at=NOW + timedelta(seconds=60)) == []
    assert [row.id for row in claim(engine, at=NOW + timedelta(seconds=61))] == [handed.id]


def test_row_written_without_a_lease_is_not_handed_to_anybody(engine) -> None:
    (message,) = fill_outbox(engine, 1)
    (claimed,) = claim(engine)
    with transaction(engine) as tx:
        assert outbox.add(tx, [(message, sealed_as(claimed))], NOW) == []


def test_empty_outbox_has_nothing_due(engine) -> None:
    with transaction(engine) as tx:
        outbox.add(tx, [], NOW)
        assert outbox.next_due(tx) is None
        assert outbox.states(tx) == []
    assert claim(engine) == []


def test_many_claimers_at_once_never_get_the_same_row(engine) -> None:
    messages = fill_outbox(engine, 60)
    barrier = threading.Barrier(4, timeout=WAIT)

    def work(name: str) -> list[int]:
        barrier.wait()
        taken: list[int] = []
        while rows := claim(engine, by=name, most=4):
            taken += [row.message_row for row in rows]
        return taken

    with ThreadPoolExecutor(4) as pool:
        taken = [row for rows in pool.map(work, "abcd", timeout=WAIT) for row in rows]
    assert sorted(taken) == messages


@pytest.mark.postgres
def test_claimer_does_not_wait_for_another_one_on_postgresql(migrated_postgres_url) -> None:
    from gateway.store.database import open_engine

    engine = open_engine(migrated_postgres_url)
    messages = fill_outbox(engine, 4)
    with transaction(engine) as one, transaction(engine) as two:
        first = outbox_claims.claim(one, now=NOW, most=2, lease_seconds=60, by="one")
        second = outbox_claims.claim(two, now=NOW, most=10, lease_seconds=60, by="two")
    engine.dispose()
    assert [row.message_row for row in first] == messages[:2]
    assert [row.message_row for row in second] == messages[2:]


# --- the order in which what waits for one recipient leaves ---------------------------------------------------------------


def put(engine, number: int, *, case_id: int | None = None, due: timedelta | None = None, at=NOW, to: str = "PK-MOI") -> None:
    """Queue message `number`, perhaps of a case and with a deadline that ends `due` after NOW."""
    row = message_row(number, recipient=to)
    sealed = Sealed(body=b"s", message_id=row.message_id, sender="BA-MS", recipient=to, digest=row.digest)
    with transaction(engine) as tx:
        (message,) = messages.add(tx, [row])
        place = outbox.Place(case_id=case_id, due_at=None if due is None else NOW + due)
        outbox.add(tx, [(message, sealed)], at, places={message: place})


def numbers(rows) -> list[int]:
    return [int(row.message_id[-12:]) for row in rows]


def test_what_is_due_soonest_leaves_first(engine) -> None:
    put(engine, 1, due=timedelta(days=20))
    put(engine, 2)
    put(engine, 3, due=timedelta(hours=2))
    put(engine, 4, due=timedelta(days=3))
    assert numbers(claim(engine, most=1)) == [3]
    assert numbers(claim(engine)) == [2, 4, 1]


def test_what_has_no_deadline_waits_at_most_for_what_is_due_a_day_after_it_was_written(engine) -> None:
    put(engine, 1)
    put(engine, 2, at=NOW + timedelta(hours=25), due=timedelta(hours=25))
    put(engine, 3, at=NOW + timedelta(hours=26), due=timedelta(hours=-5))  # late already: nothing is gained by haste
    assert numbers(claim(engine, at=NOW + timedelta(hours=26))) == [1, 2, 3]


def test_no_message_leaves_before_an_earlier_one_of_its_case(engine) -> None:
    put(engine, 1, case_id=7)
    put(engine, 2, case_id=8)
    put(engine, 3, case_id=7, due=timedelta(hours=1))
    (first, other) = claim(engine)
    assert numbers([first, other]) == [1, 2]  # the first of the case takes the turn of the urgent one
    assert claim(engine) == []
    with transaction(engine) as tx:
        outbox.retry(tx, first.id, next_at=NOW + timedelta(seconds=30), code="broker-unavailable")
    assert claim(engine, at=NOW + timedelta(seconds=29)) == []
    with transaction(engine) as tx:
        outbox.done(tx, [first.id])
    assert numbers(claim(engine)) == [3]


def test_parked_message_holds_up_nothing_of_its_case(engine) -> None:
    put(engine, 1, case_id=7)
    put(engine, 2, case_id=7)
    (first,) = claim(engine)
    with transaction(engine) as tx:
        outbox.park(tx, first.id, at=NOW, code="too-large")
    assert numbers(claim(engine)) == [2]


def test_each_recipient_gets_its_share_and_what_is_left_over_goes_to_those_with_more(engine) -> None:
    fill_outbox(engine, 30, recipient="RS-MUP")
    fill_outbox(engine, 2, recipient="PK-MOI", first=100)
    fill_outbox(engine, 30, recipient="AL-PSH", first=200)
    found = Counter(row.recipient for row in claim(engine, most=20))
    assert found == {"RS-MUP": 9, "AL-PSH": 9, "PK-MOI": 2}


def test_claim_of_one_recipient_touches_no_other(engine) -> None:
    fill_outbox(engine, 3, recipient="RS-MUP")
    fill_outbox(engine, 3, recipient="PK-MOI", first=100)
    with transaction(engine) as tx:
        assert {
            row.recipient for row in outbox_claims.claim(tx, now=NOW, most=9, lease_seconds=60, by="one", of=["RS-MUP"])
        } == {"RS-MUP"}
        assert outbox_claims.recipients(tx) == ["PK-MOI", "RS-MUP"]


def test_with_more_recipients_than_rows_asked_for_each_has_its_turn(engine) -> None:
    for number in range(5):
        fill_outbox(engine, 50, recipient=f"XX-{number}", first=1 + 100 * number)
    served = [
        row.recipient for second in range(5) for row in claim(engine, most=2, at=NOW + timedelta(seconds=second), lease=60)
    ]
    assert set(served) == {f"XX-{number}" for number in range(5)}


def test_state_of_a_line_names_its_nearest_deadline(engine) -> None:
    put(engine, 1, due=timedelta(days=2))
    put(engine, 2, due=timedelta(days=1))
    put(engine, 3)
    with reading(engine) as tx:
        (state,) = outbox.states(tx)
    assert (state.waiting, state.nearest_deadline, state.for_paper) == (3, NOW + timedelta(days=1), 0)
