"""The bell of a delivery loop: what was handed over needs no look into the outbox, what was only written does."""

from datetime import UTC, datetime

from gateway.flow.ports import Bell
from gateway.store.outbox import OutboxRow

NOW = datetime(2026, 6, 1, 8, 15, tzinfo=UTC)
ROW = OutboxRow(id=1, message_row=1, message_id="m", sender="AT-BMI", recipient="RS-MUP", body=b"sealed", attempts=0)


def test_rows_that_are_handed_over_ask_for_no_look() -> None:
    bell = Bell()
    bell.listen("here")
    bell.hand([ROW], NOW)
    assert not bell.asked()
    assert bell.handed(10, NOW) == [ROW]


def test_rows_written_without_a_lease_ask_for_one_look() -> None:
    bell = Bell()
    bell.hand([], NOW)
    assert (bell.asked(), bell.asked()) == (True, False)


def test_ring_asks_for_one_look() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    assert (bell.asked(), bell.asked()) == (True, False)
