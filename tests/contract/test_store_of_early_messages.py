"""Messages that came too early wait in the store until their turn has come: the same on SQLite and PostgreSQL."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import StoreConflict
from gateway.store import early, messages
from gateway.store.database import reading, transaction
from gateway.store.early import EarlyRow
from tests.store_rows import NOW, add_case, message_row, new_case


def early_row(sequence: int, **changes) -> EarlyRow:
    """Return a message of PK-MOI in its case with BA-MS that waits for an earlier one."""
    values = {
        "home": "BA-MS",
        "sender": "PK-MOI",
        "reference": new_case().reference,
        "sequence": sequence,
        "message_id": f"019ab4d2-7c40-7a11-8f03-{sequence:012d}",
        "digest": f"{sequence:064d}",
        "body": b"sealed \x00\xff",
        "transport": "memory",
        "received_at": NOW + timedelta(minutes=sequence),
    }
    return EarlyRow(**values | changes)


def came(sequence: int, case_id: int, **changes):
    return message_row(
        sequence, direction="in", sender="PK-MOI", recipient="BA-MS", case_id=case_id, outcome="accepted", **changes
    )


def ready(engine, most: int = 10) -> list[int]:
    with reading(engine) as tx:
        return [row.sequence for row in early.ready(tx, most=most)]


def test_waiting_message_comes_back_as_it_came(engine) -> None:
    with transaction(engine) as tx:
        early.add(tx, [early_row(3)])
    with reading(engine) as tx:
        ((key, found),) = early.known(tx, [early_row(3).message_id, "another"]).items()
        assert early.count(tx) == 1
    assert key == ("PK-MOI", early_row(3).message_id)
    assert found == replace(early_row(3), id=found.id)


def test_nothing_to_keep_keeps_nothing(engine) -> None:
    with transaction(engine) as tx:
        early.add(tx, [])
        early.remove(tx, [])
        assert early.count(tx) == 0
        assert early.known(tx, []) == {}


def test_same_message_waits_once(engine) -> None:
    with transaction(engine) as tx:
        early.add(tx, [early_row(3), early_row(3, sender="AT-BMI")])
    with pytest.raises(StoreConflict), transaction(engine) as tx:
        early.add(tx, [early_row(3)])


def test_message_is_ready_when_the_one_before_it_was_taken_and_not_sooner(engine) -> None:
    case_id = add_case(engine)
    with transaction(engine) as tx:
        messages.add(tx, [came(1, case_id)])
        early.add(tx, [early_row(3), early_row(4)])
    assert ready(engine) == []
    with transaction(engine) as tx:
        messages.add(tx, [came(2, case_id)])
    assert ready(engine) == [3]


def test_number_used_up_by_a_refused_message_lets_the_next_one_go_on(engine) -> None:
    case_id = add_case(engine)
    with transaction(engine) as tx:
        messages.add(tx, [came(1, case_id), replace(came(2, case_id), outcome="refused")])
        early.add(tx, [early_row(3)])
    assert ready(engine) == [3]


@pytest.mark.parametrize(
    "elsewhere",
    [{"reference": "B" * 26}, {"sender": "RS-MUP"}, {"home": "AT-BMI"}],
    ids=["another case", "another sender", "another recipient"],
)
def test_messages_taken_elsewhere_close_no_gap(engine, elsewhere) -> None:
    case_id = add_case(engine)
    with transaction(engine) as tx:
        messages.add(tx, [came(1, case_id), came(2, case_id)])
        early.add(tx, [early_row(3, **elsewhere)])
    assert ready(engine) == []


def test_messages_we_sent_close_no_gap(engine) -> None:
    case_id = add_case(engine)
    with transaction(engine) as tx:
        messages.add(tx, [message_row(number, case_id=case_id) for number in (1, 2)])
        early.add(tx, [early_row(3)])
    assert ready(engine) == []


def test_message_whose_number_was_used_meanwhile_is_brought_up_too(engine) -> None:
    case_id = add_case(engine)
    with transaction(engine) as tx:
        messages.add(tx, [came(number, case_id) for number in (1, 2, 3)])
        early.add(tx, [early_row(3, message_id="019ab4d2-7c40-7a11-8f04-000000000003")])
    assert ready(engine) == [3]  # so that it is refused, and does not wait for ever


def test_as_many_are_brought_up_as_asked(engine) -> None:
    with transaction(engine) as tx:
        early.add(tx, [early_row(1, reference=letter * 26, message_id=f"{letter}") for letter in "ABC"])
    assert len(ready(engine, most=2)) == 2


def test_settled_message_is_forgotten_by_sender_and_id(engine) -> None:
    kept = early_row(3, sender="AT-BMI")
    with transaction(engine) as tx:
        early.add(tx, [early_row(3), early_row(4), kept])
        early.remove(tx, [("PK-MOI", early_row(3).message_id)])
        assert early.count(tx) == 2
        assert set(early.known(tx, [early_row(3).message_id])) == {("AT-BMI", kept.message_id)}
