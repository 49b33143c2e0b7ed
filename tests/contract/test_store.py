"""Cases, messages and documents: the same promises on SQLite and PostgreSQL."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy.exc import StatementError

from gateway.domain.case import Role, State
from gateway.errors import BadValue, DatabaseUnavailable, NotFound, StoreConflict
from gateway.store import cases, deadlines, driver, inbox, messages
from gateway.store.database import open_engine, reading, transaction
from gateway.store.inbox import NewInboxRow
from gateway.store.messages import DocumentRow, ReceiptNote
from tests.store_rows import NOW, add_case, deadline_row, message_row, new_case

LATER = NOW + timedelta(hours=1)
UNKNOWN = 999_999


# --- cases ------------------------------------------------------------------------------------------------------------


def test_case_comes_back_as_it_was_written(engine) -> None:
    with transaction(engine) as tx:
        (written,) = cases.add(tx, [new_case()])
    with reading(engine) as tx:
        assert cases.get(tx, written.id) == written == replace(new_case(), id=written.id)


def test_instant_comes_back_in_utc_to_the_microsecond(engine) -> None:
    islamabad = timezone(timedelta(hours=5))
    case_id = add_case(engine, opened_at=NOW.astimezone(islamabad))
    with reading(engine) as tx:
        found = cases.get(tx, case_id).opened_at
    assert found == NOW
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize("count", [3, 4, 64, 131])
def test_many_rows_come_back_as_they_were_written_in_their_order(engine, count) -> None:
    new = [new_case(reference=f"{number:026d}", changed_at=NOW + timedelta(seconds=number)) for number in range(count)]
    with transaction(engine) as tx:
        written = cases.add(tx, new)
        details = [{"steps": [f"day {number}", "Дан", None, number / 7]} for number in range(count)]
        rows = [
            deadline_row(case.id, detail=detail, known=number % 2 == 0, due_on=None if number % 3 else NOW.date())
            for number, (case, detail) in enumerate(zip(written, details, strict=True))
        ]
        deadlines.add(tx, rows)
    with reading(engine) as tx:
        ids = [case.id for case in written]
        assert cases.get_many(tx, ids) == written
        assert [replace(row, id=None) for row in deadlines.of_cases(tx, ids)] == rows


@pytest.mark.parametrize("count", [1, 10])
def test_instant_without_a_zone_is_refused(engine, count) -> None:
    naive = datetime(2026, 6, 1, 8, 15)  # noqa: DTZ001  # the point of the test
    refused = pytest.raises((StatementError, ValueError), match="an instant needs a zone")
    with refused, transaction(engine) as tx:
        cases.add(
            tx, [new_case(reference=f"{letter}Q3XN7YB2MZV5TDWA4RUHE6PCG", opened_at=naive) for letter in "ABCDEFGHIJ"[:count]]
        )


def test_new_cases_get_their_ids_in_the_order_they_were_given(engine) -> None:
    references = [f"{letter}Q3XN7YB2MZV5TDWA4RUHE6PCG" for letter in "ZAMB"]
    with transaction(engine) as tx:
        added = cases.add(tx, [new_case(reference=reference) for reference in references])
    with reading(engine) as tx:
        assert [cases.get(tx, case.id).reference for case in added] == references


def test_same_reference_between_the_same_two_authorities_is_refused(engine) -> None:
    add_case(engine)
    with pytest.raises(StoreConflict):
        add_case(engine)


def test_both_sides_of_a_case_may_live_in_one_database(engine) -> None:
    add_case(engine)
    add_case(engine, home="PK-MOI", counterparty="BA-MS", role=Role.REQUESTED)
    with reading(engine) as tx:
        assert [case.home for case in cases.by_reference(tx, new_case().reference)] == ["BA-MS", "PK-MOI"]
        (theirs,) = cases.by_reference(tx, new_case().reference, home="PK-MOI")
    assert theirs.role is Role.REQUESTED


def test_cases_are_loaded_by_all_three_parts_of_their_key(engine) -> None:
    add_case(engine)
    mine = ("BA-MS", "PK-MOI", new_case().reference)
    with transaction(engine) as tx:
        found = cases.load(tx, [mine, ("BA-MS", "RS-MUP", new_case().reference), ("BA-MS", "PK-MOI", "ANOTHER")])
    assert list(found) == [mine]


def test_case_of_another_authority_is_not_found(engine) -> None:
    case_id = add_case(engine)
    with reading(engine) as tx:
        with pytest.raises(NotFound):
            cases.get(tx, case_id, home="PK-MOI")
        with pytest.raises(NotFound):
            cases.get(tx, UNKNOWN)


def test_list_shows_only_the_cases_of_the_authorities_asked_for(engine) -> None:
    first = add_case(engine)
    second = add_case(engine, reference="B" * 26)
    add_case(engine, home="AT-BMI", counterparty="RS-MUP")
    with reading(engine) as tx:
        assert [case.id for case in cases.all_of(tx, ["BA-MS"])] == [second, first]
        assert len(cases.all_of(tx)) == 3
        assert cases.all_of(tx, []) == []
        assert [case.id for case in cases.get_many(tx, [second, first, UNKNOWN])] == [first, second]


def test_case_is_changed_by_whoever_still_finds_it_as_read(engine) -> None:
    case_id = add_case(engine)
    with transaction(engine) as tx:
        before = cases.get(tx, case_id)
        after = replace(
            before,
            state=State.AGREED,
            changed_at=LATER,
            suspended=True,
            deemed_at=LATER,
            lapse_notice=message_row(1).message_id,
            late=State.REFUSED,
            plan=message_row(2).message_id,
        )
        assert cases.change(tx, after, before=before)
    with reading(engine) as tx:
        assert cases.get(tx, case_id) == replace(after, revision=before.revision + 1)


def test_case_that_somebody_else_changed_is_left_alone(engine) -> None:
    case_id = add_case(engine)
    with transaction(engine) as tx:
        read = cases.get(tx, case_id)
        assert cases.change(tx, replace(read, state=State.REFUSED), before=read)
        assert not cases.change(tx, replace(read, state=State.AGREED), before=read)
    with reading(engine) as tx:
        assert cases.get(tx, case_id).state is State.REFUSED


def test_change_that_leaves_the_state_as_it_is_counts_as_a_change(engine) -> None:
    case_id = add_case(engine)
    with transaction(engine) as tx:
        read = cases.get(tx, case_id)
        assert cases.change(tx, replace(read, changed_at=LATER), before=read)
        assert not cases.change(tx, replace(read, state=State.AGREED), before=read)


def test_change_of_a_case_does_not_touch_what_it_was_opened_with(engine) -> None:
    case_id = add_case(engine)
    with transaction(engine) as tx:
        read = cases.get(tx, case_id)
        assert cases.change(tx, replace(read, treaty="eu-rs", wrapped_key=None, national_reference=None), before=read)
    with reading(engine) as tx:
        assert cases.get(tx, case_id) == replace(read, revision=1)


def test_linked_cases_come_back_in_their_order(engine) -> None:
    linked = ("C" * 26, "A" * 26, "B" * 26)
    case_id = add_case(engine, linked=linked)
    with reading(engine) as tx:
        assert cases.get(tx, case_id).linked == linked


def test_destroyed_key_of_a_case_is_gone(engine) -> None:
    erased, kept = add_case(engine), add_case(engine, reference="B" * 26)
    with transaction(engine) as tx:
        cases.destroy_key(tx, erased, LATER)
    with reading(engine) as tx:
        assert cases.get(tx, erased).wrapped_key is None
        assert cases.get(tx, kept).wrapped_key == new_case().wrapped_key


def test_cases_are_counted_by_state(engine) -> None:
    add_case(engine)
    add_case(engine, reference="B" * 26)
    add_case(engine, reference="C" * 26, state=State.HELD)
    add_case(engine, home="AT-BMI")
    with reading(engine) as tx:
        assert cases.counts(tx, ["BA-MS"]) == {"requested": 2, "held": 1}


# --- messages and documents -------------------------------------------------------------------------------------------


def test_message_comes_back_as_it_was_written(engine) -> None:
    with transaction(engine) as tx:
        (row_id,) = messages.add(tx, [message_row()])
    with reading(engine) as tx:
        assert messages.get(tx, row_id) == replace(message_row(), id=row_id)
        with pytest.raises(NotFound):
            messages.get(tx, UNKNOWN)


@pytest.mark.parametrize("changed", [{"digest": "f" * 64}, {"recipient": "RS-MUP"}, {}])
def test_message_id_of_a_sender_is_stored_once_in_each_direction(engine, changed) -> None:
    with transaction(engine) as tx:
        messages.add(tx, [message_row(), message_row(direction="in"), message_row(sender="AT-BMI")])
    with pytest.raises(StoreConflict), transaction(engine) as tx:
        messages.add(tx, [message_row(**changed)])


def write_and_fail(engine) -> None:
    with transaction(engine) as tx:
        messages.add(tx, [message_row(1)])
        raise BadValue("a later step of the walk refuses")


def test_transaction_that_ends_in_an_error_leaves_nothing(engine) -> None:
    with pytest.raises(BadValue):
        write_and_fail(engine)
    with reading(engine) as tx:
        assert messages.known(tx, "out", [("BA-MS", message_row(1).message_id)]) == {}


def test_known_messages_are_found_by_sender_and_id(engine) -> None:
    with transaction(engine) as tx:
        messages.add(tx, [message_row(1), message_row(2), message_row(1, direction="in", sender="PK-MOI")])
    first = message_row(1).message_id
    with reading(engine) as tx:
        found = messages.known(tx, "out", [("BA-MS", first), ("PK-MOI", first), ("BA-MS", message_row(3).message_id)])
    assert list(found) == [("BA-MS", first)]


def test_row_ids_come_back_in_the_order_of_the_messages(engine) -> None:
    numbers = [5, 1, 4, 2]
    with transaction(engine) as tx:
        ids = messages.add(tx, [message_row(number) for number in numbers])
    with reading(engine) as tx:
        assert [messages.get(tx, row_id).sequence for row_id in ids] == numbers


def test_opener_of_a_case_is_the_accepted_one_that_came_in(engine) -> None:
    case_id = add_case(engine)
    refused = message_row(1, direction="in", sender="PK-MOI", case_id=case_id, outcome="refused")
    accepted = message_row(2, direction="in", sender="PK-MOI", case_id=case_id, outcome="accepted")
    reply = message_row(3, case_id=case_id, type="ReadmissionReply")
    with transaction(engine) as tx:
        messages.add(tx, [refused, accepted, reply])
    with reading(engine) as tx:
        assert messages.openers(tx, [case_id])[case_id].sequence == 2
        assert messages.openers(tx, []) == {}
        assert [row.sequence for row in messages.of_case(tx, case_id)] == [1, 2, 3]


@pytest.mark.parametrize("kind", ["ReadmissionApplication", "WrittenNotification", "TransitApplication"])
def test_opener_that_we_sent_stays_the_opener_when_it_is_refused(engine, kind) -> None:
    case_id, empty = add_case(engine), add_case(engine, reference="B" * 26)
    with transaction(engine) as tx:
        messages.add(tx, [message_row(1, case_id=case_id, type=kind, outcome="refused")])
    with reading(engine) as tx:
        assert {case: row.type for case, row in messages.openers(tx, [case_id, empty]).items()} == {case_id: kind}


def test_sequence_numbers_count_per_case_and_direction_and_a_refused_message_has_used_its_number_up(engine) -> None:
    case_id, other = add_case(engine), add_case(engine, reference="B" * 26)
    with transaction(engine) as tx:
        messages.add(tx, [message_row(1, case_id=case_id), message_row(2, case_id=case_id), message_row(9, case_id=other)])
        messages.add(tx, [message_row(3, case_id=case_id, direction="in", sender="PK-MOI")])
        messages.add(tx, [message_row(7, case_id=case_id, outcome="refused")])
    with reading(engine) as tx:
        assert messages.last_sequences(tx, [case_id, other], "out") == {case_id: 7, other: 9}
        assert messages.last_sequences(tx, [case_id], "in") == {case_id: 3}
        assert messages.last_sequences(tx, [], "in") == {}


def test_messages_of_some_numbers_are_those_we_sent_in_the_case(engine) -> None:
    case_id, other = add_case(engine), add_case(engine, reference="B" * 26)
    with transaction(engine) as tx:
        messages.add(tx, [message_row(number, case_id=case_id) for number in (3, 1, 2)])
        messages.add(tx, [message_row(4, case_id=other), message_row(2, direction="in", sender="PK-MOI", case_id=case_id)])
    with reading(engine) as tx:
        found = messages.of_sequences(tx, case_id, (2, 3, 4))
    assert [(row.direction, row.sequence, row.case_id) for row in found] == [("out", 2, case_id), ("out", 3, case_id)]


def test_newest_message_of_a_type_leaves_refused_ones_out(engine) -> None:
    case_id = add_case(engine)
    kind = "TransferNotification"
    with transaction(engine) as tx:
        messages.add(tx, [message_row(number, case_id=case_id, type=kind) for number in (1, 2)])
        messages.add(tx, [message_row(3, case_id=case_id, type=kind, outcome="refused")])
        messages.add(tx, [message_row(4, case_id=case_id, type=kind, direction="in", sender="PK-MOI", outcome="accepted")])
    with reading(engine) as tx:
        assert messages.last_of(tx, case_id, (kind,)).sequence == 4
        assert messages.last_of(tx, case_id, (kind,), "out").sequence == 2
        assert messages.last_of(tx, case_id, ("Withdrawal",)) is None


def test_facts_of_a_message_come_back_as_they_were_written(engine) -> None:
    facts = {"event": "suspension", "on": "2026-06-05", "days": 3, "escorted": False}
    with transaction(engine) as tx:
        one, none = messages.add(tx, [message_row(1, facts=facts), message_row(2)])
    with reading(engine) as tx:
        assert (messages.get(tx, one).facts, messages.get(tx, none).facts) == (facts, None)


def test_confirmed_message_is_sent(engine) -> None:
    with transaction(engine) as tx:
        first, second = messages.add(tx, [message_row(1), message_row(2)])
        messages.mark_sent(tx, [first], LATER)
    with reading(engine) as tx:
        assert (messages.get(tx, first).outcome, messages.get(tx, first).sent_at) == ("sent", LATER)
        assert (messages.get(tx, second).outcome, messages.get(tx, second).sent_at) == ("waiting", None)


def test_receipt_that_overtook_the_confirm_is_not_undone(engine) -> None:
    note = {"outcome": "received", "code": None, "received_at": LATER, "receipt_message_id": message_row(8).message_id}
    with transaction(engine) as tx:
        first, second = messages.add(tx, [message_row(1), message_row(2)])
        messages.mark_receipts(tx, [ReceiptNote(row_id=first, **note)])
        messages.mark_sent(tx, [first], LATER + timedelta(minutes=1))
    with reading(engine) as tx:
        found = messages.get(tx, first)
        assert (found.outcome, found.received_at, found.receipt_message_id) == ("received", LATER, message_row(8).message_id)
        assert found.sent_at == LATER + timedelta(minutes=1)
        assert messages.get(tx, second).receipt_message_id is None


def test_outcomes_of_a_sender_are_counted_without_receipts(engine) -> None:
    with transaction(engine) as tx:
        messages.add(tx, [message_row(1), message_row(2), message_row(3, outcome="sent"), message_row(4, type="Receipt")])
        messages.add(tx, [message_row(5, direction="in"), message_row(6, sender="AT-BMI")])
    with reading(engine) as tx:
        assert messages.outcomes(tx, sender="BA-MS", direction="out") == {"waiting": 2, "sent": 1}


def test_parked_message_shows_why(engine) -> None:
    with transaction(engine) as tx:
        (row_id,) = messages.add(tx, [message_row()])
        messages.mark_parked(tx, [row_id], "undeliverable")
    with reading(engine) as tx:
        assert (messages.get(tx, row_id).outcome, messages.get(tx, row_id).code) == ("parked", "undeliverable")


def test_document_comes_back_byte_for_byte(engine) -> None:
    body = bytes(range(256)) * 100
    with transaction(engine) as tx:
        (row_id,) = messages.add(tx, [message_row()])
        written = DocumentRow(message_row=row_id, kind="signed", media_type="application/xml", sha256="a" * 64, body=body)
        messages.add_documents(tx, [written])
    with reading(engine) as tx:
        found = messages.document(tx, row_id, "signed")
        assert found == replace(written, id=found.id)
        assert messages.document_by_id(tx, found.id) == found
        assert messages.documents_of(tx, [row_id]) == [found]
        assert messages.document(tx, row_id, "original") is None
        with pytest.raises(NotFound):
            messages.document_by_id(tx, UNKNOWN)


def test_message_has_one_document_of_each_kind(engine) -> None:
    with transaction(engine) as tx:
        (row_id,) = messages.add(tx, [message_row()])
        row = DocumentRow(message_row=row_id, kind="signed", media_type="application/xml", sha256="a" * 64, body=b"1")
        messages.add_documents(tx, [row, replace(row, kind="original")])
    with pytest.raises(StoreConflict), transaction(engine) as tx:
        messages.add_documents(tx, [replace(row, body=b"2")])


def test_document_without_its_message_is_a_defect_not_a_conflict(engine) -> None:
    row = DocumentRow(message_row=UNKNOWN, kind="signed", media_type="application/xml", sha256="a" * 64, body=b"1")
    with pytest.raises(driver.errors("IntegrityError")), transaction(engine) as tx:
        messages.add_documents(tx, [row])


# --- the inbox --------------------------------------------------------------------------------------------------------


def deliver(engine, *authorities: str) -> int:
    """Put one message into each inbox; return the case they belong to."""
    case_id = add_case(engine)
    with transaction(engine) as tx:
        rows = messages.add(
            tx,
            [
                message_row(n, direction="in", sender="PK-MOI", recipient=to, case_id=case_id)
                for n, to in enumerate(authorities, 1)
            ],
        )
        new = [
            NewInboxRow(authority=to, message_row=row, case_id=case_id, dialect="ba/ms-xml", arrived_at=NOW)
            for to, row in zip(authorities, rows, strict=True)
        ]
        inbox.add(tx, new)
    return case_id


def test_message_waits_for_its_own_authority_with_what_the_list_needs(engine) -> None:
    case_id = deliver(engine, "BA-MS", "AT-BMI")
    with reading(engine) as tx:
        (row,) = inbox.waiting(tx, "BA-MS")
    assert (row.case_id, row.case_reference, row.sender, row.type) == (
        case_id,
        new_case().reference,
        "PK-MOI",
        "ReadmissionApplication",
    )
    assert (row.dialect, row.arrived_at, row.fetched_at) == ("ba/ms-xml", NOW, None)


def test_inbox_is_read_oldest_first_and_at_most_as_much_as_asked(engine) -> None:
    deliver(engine, "BA-MS", "BA-MS", "BA-MS")
    with reading(engine) as tx:
        assert [row.message_id for row in inbox.waiting(tx, "BA-MS", most=2)] == [
            message_row(1).message_id,
            message_row(2).message_id,
        ]


def test_acknowledged_message_waits_no_more_and_is_still_shown_on_demand(engine) -> None:
    deliver(engine, "BA-MS")
    with transaction(engine) as tx:
        (row,) = inbox.waiting(tx, "BA-MS")
        assert inbox.acknowledge(tx, "BA-MS", row.id, by="system", at=LATER)
    with reading(engine) as tx:
        assert inbox.waiting(tx, "BA-MS") == []
        (seen,) = inbox.waiting(tx, "BA-MS", also_fetched=True)
    assert seen.fetched_at == LATER


def test_second_acknowledgement_changes_nothing(engine) -> None:
    deliver(engine, "BA-MS")
    with transaction(engine) as tx:
        (row,) = inbox.waiting(tx, "BA-MS")
        inbox.acknowledge(tx, "BA-MS", row.id, by="system", at=NOW)
        assert inbox.acknowledge(tx, "BA-MS", row.id, by="another", at=LATER)
    with reading(engine) as tx:
        (seen,) = inbox.waiting(tx, "BA-MS", also_fetched=True)
    assert seen.fetched_at == NOW


def test_one_message_is_found_by_the_authority_it_is_for(engine) -> None:
    deliver(engine, "BA-MS")
    with reading(engine) as tx:
        (row,) = inbox.waiting(tx, "BA-MS")
        assert inbox.get(tx, "BA-MS", row.id) == row
        for authority, number in (("AT-BMI", row.id), ("BA-MS", UNKNOWN), ("BA-MS", 1 << 70), ("BA-MS", -5)):
            with pytest.raises(NotFound):
                inbox.get(tx, authority, number)


def test_message_of_another_authority_cannot_be_acknowledged(engine) -> None:
    deliver(engine, "BA-MS")
    with transaction(engine) as tx:
        (row,) = inbox.waiting(tx, "BA-MS")
        assert not inbox.acknowledge(tx, "AT-BMI", row.id, by="system", at=NOW)
        assert not inbox.acknowledge(tx, "BA-MS", UNKNOWN, by="system", at=NOW)
        assert [left.id for left in inbox.waiting(tx, "BA-MS")] == [row.id]


# --- the database itself ----------------------------------------------------------------------------------------------


def test_reader_sees_nothing_of_a_transaction_that_is_not_committed(engine) -> None:
    with transaction(engine) as tx:
        cases.add(tx, [new_case()])
        with reading(engine) as other:
            assert cases.all_of(other) == []
    with reading(engine) as other:
        assert len(cases.all_of(other)) == 1


def test_sqlite_writes_through_to_the_disk_and_keeps_references(sqlite_url) -> None:
    opened = open_engine(sqlite_url)
    with reading(opened) as tx:
        found = {
            name: tx.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    opened.dispose()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_sqlite_that_cannot_be_opened_is_unavailable(tmp_path) -> None:
    (tmp_path / "taken").mkdir()
    opened = open_engine(f"sqlite:///{tmp_path / 'taken'}")
    with pytest.raises(DatabaseUnavailable), transaction(opened):
        pass
    with pytest.raises(DatabaseUnavailable), reading(opened):
        pass
    opened.dispose()


def test_values_of_a_failed_statement_stand_in_no_error_text(engine) -> None:
    add_case(engine, national_reference="SPECIMEN CANARY")
    with pytest.raises(StoreConflict) as refused:
        add_case(engine, national_reference="SPECIMEN CANARY")
    assert "CANARY" not in str(refused.value)


def test_library_tells_no_lost_connection_past_our_own_log(engine) -> None:
    """It would write a traceback, and text of the driver may repeat what stood in a row."""
    assert not logging.getLogger(f"{type(engine.pool).__module__}.{type(engine.pool).__name__}").isEnabledFor(logging.ERROR)
