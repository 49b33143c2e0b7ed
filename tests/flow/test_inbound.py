"""The walk inward: what comes over the wire is taken once, refused with a reason, or left for another try; never half."""

import sqlite3
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest
from lxml import etree
from sqlalchemy import delete, event

from gateway.domain.identity import new_message_id
from gateway.domain.messages import ReceiptItem
from gateway.errors import DatabaseUnavailable
from gateway.flow import inbound
from gateway.flow.draft import Sent
from gateway.stages import MAX_MESSAGE_BYTES
from gateway.store import cases, deadlines, journal, messages
from gateway.store import tables as t
from gateway.store.database import reading, transaction
from gateway.transport.memory import MemoryHub
from gateway.trust.seal import seal
from gateway.trust.verify import verify
from gateway.wire.documents import NS, serialize
from gateway.wire.reading import header_of
from tests.forging import (
    ENTRY,
    NOTHING,
    TO_ORIGIN,
    answer_to,
    application,
    count,
    find,
    hand_in_entry,
    items_of,
    journalled,
    leaving,
    outcomes,
    proof,
    receipt,
    reply,
    row_of,
    sealed,
    signed_as_is,
    take,
    with_header,
)
from tests.gateways import AUTHORITIES, exchange, make_gateway
from tests.running import until
from tests.statements import before_each_statement

pytestmark = pytest.mark.anyio

ACCEPTED = ("accepted", None)


def refused(code: str) -> tuple[str, str]:
    return "refused", code


def states(side) -> list[str]:
    with reading(side.rt.engine) as tx:
        return [str(case.state) for case in cases.all_of(tx)]


@pytest.fixture
async def asked(two_gateways):
    """An application of AT-BMI that RS-MUP has received; both sides are at rest. Returns (west, east, sent, document)."""
    west, east = two_gateways
    sent, document = hand_in_entry(west)
    assert isinstance(sent, Sent)
    await exchange(west, east)
    return west, east, sent, document


# --- repeats ----------------------------------------------------------------------------------------------------------


async def test_repeat_with_the_same_bytes_gets_the_recorded_receipt_again(two_gateways, clock) -> None:
    west, east = two_gateways
    message = sealed(west.rt, application(clock.now), clock.now)
    take(east.rt, message)
    ((first, _),) = leaving(east, west.rt)
    await east.deliver()
    clock.move(hours=3)

    assert outcomes(take(east.rt, message)) == [("repeated", None)]
    ((again, document),) = leaving(east, west.rt)
    assert again == first
    assert items_of(document) == [(message.message_id, "accepted", None)]


async def test_repeat_doubles_nothing(two_gateways, clock) -> None:
    west, east = two_gateways
    message = sealed(west.rt, application(clock.now), clock.now)
    take(east.rt, message)
    before, entries = count(east.rt.engine), len(journalled(east.rt.engine))
    for _ in range(3):
        take(east.rt, message)
    assert count(east.rt.engine) == before  # the receipt is still on its way: it is not queued twice
    assert [row["event"] for row in journalled(east.rt.engine)[entries:]] == ["message.repeated"] * 3


async def test_repeat_of_a_refused_message_gets_the_recorded_refusal_again(two_gateways, clock) -> None:
    west, east = two_gateways
    document = application(clock.now)
    find(document, "Request/Agreement").text = "xa-xb"
    message = sealed(west.rt, document, clock.now)
    assert outcomes(take(east.rt, message)) == [refused("unknown-treaty")]
    ((first, _),) = leaving(east, west.rt)
    await east.deliver()

    assert outcomes(take(east.rt, message)) == [("repeated", None)]
    assert [digest for digest, _ in leaving(east, west.rt)] == [first]


async def test_message_that_comes_twice_in_one_batch_is_taken_once(two_gateways, clock) -> None:
    west, east = two_gateways
    message = sealed(west.rt, application(clock.now), clock.now)
    assert outcomes(take(east.rt, message, message)) == [ACCEPTED, ("repeated", None)]
    ((_, document),) = leaving(east, west.rt)
    assert items_of(document) == [(message.message_id, "accepted", None)]
    assert count(east.rt.engine, "cases", "inbox", "deadlines") == {"cases": 1, "inbox": 1, "deadlines": 1}


async def test_repeated_receipt_changes_nothing(asked, clock) -> None:
    west, _, sent, document = asked
    row = row_of(west, "out", "AT-BMI", sent.message_id)
    item = ReceiptItem(message_id=sent.message_id, digest=sent.digest, received_at=clock.now, accepted=True)
    again = receipt(west.rt, clock.now, item, sender="RS-MUP", recipient="AT-BMI")
    clock.move(hours=1)
    before = count(west.rt.engine, "deadlines", "outbox", "inbox")
    take(west.rt, again)
    assert outcomes(take(west.rt, again)) == [("repeated", None)]
    assert row_of(west, "out", "AT-BMI", header_of(document)["MessageId"]) == row
    assert count(west.rt.engine, "deadlines", "outbox", "inbox") == before


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one after the other"])
async def test_same_id_with_other_bytes_is_refused_with_an_alarm_in_the_journal(two_gateways, clock, together) -> None:
    west, east = two_gateways
    first = application(clock.now)
    other = application(clock.now, MessageId=header_of(first)["MessageId"])
    both = [sealed(west.rt, document, clock.now) for document in (first, other)]
    answers = take(east.rt, *both) if together else [take(east.rt, one)[0] for one in both]

    assert outcomes(answers) == [ACCEPTED, refused("message-id-reused")]
    (entry,) = journalled(east.rt.engine, "message.refused")
    assert entry["detail"]["alarm"] is True
    assert entry["actor"] == "AT-BMI"
    assert count(east.rt.engine, "cases", "inbox") == {"cases": 1, "inbox": 1}
    assert row_of(east, "in", "AT-BMI", both[0].message_id).digest == both[0].digest


async def test_ordinary_refusal_is_no_alarm(two_gateways, clock) -> None:
    west, east = two_gateways
    take(
        east.rt,
        sealed(west.rt, answer_to(application(clock.now, "ReadmissionApplication-stateless"), "0" * 64, clock.now), clock.now),
    )
    (entry,) = journalled(east.rt.engine, "message.refused")
    assert entry["detail"]["alarm"] is False


async def test_two_senders_may_use_the_same_message_id(two_gateways, clock) -> None:
    west, east = two_gateways
    one = application(clock.now)
    two = application(clock.now, TO_ORIGIN, MessageId=header_of(one)["MessageId"])
    assert outcomes(take(east.rt, *(sealed(west.rt, each, clock.now) for each in (one, two)))) == [ACCEPTED, ACCEPTED]


# --- who may say what -------------------------------------------------------------------------------------------------


async def test_message_for_an_authority_of_another_gateway_is_refused_without_an_answer(two_gateways, clock) -> None:
    west, _ = two_gateways
    message = sealed(west.rt, application(clock.now), clock.now)  # for RS-MUP, whose home is east
    assert outcomes(take(west.rt, message)) == [refused("wrong-recipient")]
    assert count(west.rt.engine, "cases", "outbox", "inbox") == {"cases": 0, "outbox": 0, "inbox": 0}
    (entry,) = journalled(west.rt.engine)
    assert (entry["event"], entry["authority"], entry["detail"]["code"]) == ("message.refused", "RS-MUP", "wrong-recipient")


async def test_signature_of_one_authority_does_not_speak_for_another(two_gateways, clock) -> None:
    west, east = two_gateways
    message = sealed(west.rt, application(clock.now), clock.now, signer="BA-MS")  # the document says AT-BMI
    assert outcomes(take(east.rt, message)) == [refused("signer-mismatch")]
    assert count(east.rt.engine) == NOTHING


@pytest.mark.parametrize(
    ("agreement", "code"), [("xa-xb", "unknown-treaty"), ("ba-pk", "treaty-does-not-bind")], ids=["unknown", "of others"]
)
async def test_treaty_that_does_not_stand_between_the_two_is_refused(two_gateways, clock, agreement, code) -> None:
    west, east = two_gateways
    document = application(clock.now)
    find(document, "Request/Agreement").text = agreement
    assert outcomes(take(east.rt, sealed(west.rt, document, clock.now))) == [refused(code)]
    assert count(east.rt.engine, "cases", "inbox") == {"cases": 0, "inbox": 0}


async def test_message_made_after_it_was_signed_is_refused(two_gateways, clock) -> None:
    west, east = two_gateways
    document = application(clock.now, Created="2026-06-01T08:21:00Z")
    assert outcomes(take(east.rt, sealed(west.rt, document, clock.now))) == [refused("signing-time-invalid")]


async def test_message_signed_in_the_future_is_refused_without_an_answer(two_gateways, clock) -> None:
    west, east = two_gateways
    message = sealed(west.rt, application(clock.now), clock.now + timedelta(hours=1))
    assert outcomes(take(east.rt, message)) == [refused("signing-time-invalid")]
    assert count(east.rt.engine) == NOTHING


async def test_message_from_the_future_waits_while_our_own_clock_is_behind_the_record(two_gateways, clock) -> None:
    """No signature was verified, so a refusal would not be answered: the sender would never learn of it."""
    west, east = two_gateways
    assert outcomes(take(east.rt, sealed(west.rt, application(clock.now), clock.now))) == [ACCEPTED]  # a newest entry
    message = sealed(west.rt, application(clock.now), clock.now)
    clock.move(minutes=-20)
    assert outcomes(take(east.rt, message)) == [("postponed", "clock-behind")]
    clock.move(minutes=20)
    assert outcomes(take(east.rt, message)) == [ACCEPTED]


async def test_what_is_at_fault_by_itself_is_refused_while_our_clock_is_behind(two_gateways, clock) -> None:
    west, east = two_gateways
    take(east.rt, sealed(west.rt, application(clock.now), clock.now))
    message = sealed(west.rt, application(clock.now), clock.now)
    clock.move(minutes=-20)
    assert outcomes(take(east.rt, message, b"no parcel")) == [("postponed", "clock-behind"), refused("cannot-open")]


# --- the case ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one after the other"])
async def test_second_application_with_the_same_reference_is_refused(two_gateways, clock, together) -> None:
    west, east = two_gateways
    first = application(clock.now)
    second = application(clock.now, CaseReference=header_of(first)["CaseReference"])
    both = [sealed(west.rt, document, clock.now) for document in (first, second)]
    answers = take(east.rt, *both) if together else [take(east.rt, one)[0] for one in both]
    assert outcomes(answers) == [ACCEPTED, refused("sequence-used")]
    assert count(east.rt.engine, "cases", "deadlines", "inbox") == {"cases": 1, "deadlines": 1, "inbox": 1}


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one after the other"])
async def test_second_application_to_an_open_case_is_out_of_turn_whatever_its_number(two_gateways, clock, together) -> None:
    west, east = two_gateways
    first = application(clock.now)
    second = application(clock.now, CaseReference=header_of(first)["CaseReference"], Sequence="2")
    both = [sealed(west.rt, document, clock.now) for document in (first, second)]
    answers = take(east.rt, *both) if together else [take(east.rt, one)[0] for one in both]
    assert outcomes(answers) == [ACCEPTED, refused("transition-not-allowed")]
    assert count(east.rt.engine, "cases", "deadlines", "inbox") == {"cases": 1, "deadlines": 1, "inbox": 1}


async def test_reply_to_an_unknown_case_is_refused(two_gateways, clock) -> None:
    west, east = two_gateways
    document = answer_to(application(clock.now), "0" * 64, clock.now)
    assert outcomes(take(west.rt, sealed(east.rt, document, clock.now))) == [refused("unknown-case")]
    assert states(west) == []


async def test_reply_to_a_case_of_another_pair_of_authorities_is_unknown(asked, clock) -> None:
    west, east, sent, document = asked
    stranger = with_header(answer_to(document, sent.digest, clock.now), Sender="PK-MOI")
    assert outcomes(take(west.rt, sealed(east.rt, stranger, clock.now))) == [refused("unknown-case")]
    assert states(west) == ["requested"]


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one after the other"])
async def test_second_reply_is_out_of_turn(asked, clock, together) -> None:
    west, east, sent, document = asked
    replies = [
        sealed(east.rt, answer_to(document, sent.digest, clock.now, agreed=number == "1", Sequence=number), clock.now)
        for number in ("1", "2")
    ]
    answers = take(west.rt, *replies) if together else [take(west.rt, one)[0] for one in replies]
    assert outcomes(answers) == [ACCEPTED, refused("transition-not-allowed")]
    assert states(west) == ["agreed"]


async def test_reply_by_the_side_that_asked_is_refused(asked, clock) -> None:
    west, east, sent, document = asked
    answer = answer_to(document, sent.digest, clock.now)
    reversed_ = with_header(answer, Sender="AT-BMI", Recipient="RS-MUP", Sequence="2")
    assert outcomes(take(east.rt, sealed(west.rt, reversed_, clock.now))) == [refused("transition-not-allowed")]
    assert states(east) == ["requested"]


async def test_old_valid_answer_does_not_answer_a_new_case(asked, clock) -> None:
    west, east, sent, document = asked
    answer = answer_to(document, sent.digest, clock.now)
    assert outcomes(take(west.rt, sealed(east.rt, answer, clock.now))) == [ACCEPTED]
    newer, other = hand_in_entry(west)
    replayed = with_header(answer, MessageId=new_message_id(clock.now), CaseReference=header_of(other)["CaseReference"])

    assert outcomes(take(west.rt, sealed(east.rt, replayed, clock.now))) == [refused("answer-mismatch")]
    with reading(west.rt.engine) as tx:
        assert cases.get(tx, newer.case_id).state == "requested"


async def test_reply_must_carry_the_digest_of_what_was_sent(asked, clock) -> None:
    west, east, _, document = asked
    answer = answer_to(document, "f" * 64, clock.now)
    assert outcomes(take(west.rt, sealed(east.rt, answer, clock.now))) == [refused("answer-mismatch")]
    assert states(west) == ["requested"]


async def test_reply_to_an_erased_case_is_refused(asked, clock) -> None:
    west, east, sent, document = asked
    with transaction(west.rt.engine) as tx:
        cases.destroy_key(tx, sent.case_id, clock.now)
    assert outcomes(take(west.rt, sealed(east.rt, answer_to(document, sent.digest, clock.now), clock.now))) == [
        refused("erased")
    ]


async def test_application_and_its_reply_may_come_in_the_same_batch(gateway, clock) -> None:
    sent, document = hand_in_entry(gateway)
    with reading(gateway.rt.engine) as tx:
        body = tx.execute(t.outbox.select()).one().body
    answer = sealed(gateway.rt, answer_to(document, sent.digest, clock.now), clock.now)
    assert outcomes(take(gateway.rt, body, answer)) == [ACCEPTED, ACCEPTED]
    with reading(gateway.rt.engine) as tx:
        both = {case.home: case.state for case in cases.all_of(tx)}
    assert both == {"AT-BMI": "agreed", "RS-MUP": "requested"}  # Serbia's own side has not handed in that answer


# --- receipts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("defect", ["never sent", "other digest", "third authority", "before it was sent", "in the future"])
async def test_receipt_that_does_not_fit_what_was_sent_is_refused_without_an_answer(two_gateways, clock, defect) -> None:
    west, east = two_gateways
    sent, _ = hand_in_entry(west)
    await west.deliver()
    good = ReceiptItem(message_id=sent.message_id, digest=sent.digest, received_at=clock.now, accepted=True)
    bad = {
        "never sent": replace(good, message_id=new_message_id(clock.now)),
        "other digest": replace(good, digest="0" * 64),
        "third authority": good,
        "before it was sent": replace(good, received_at=clock.now - timedelta(hours=1)),
        "in the future": replace(good, received_at=clock.now + timedelta(hours=1)),
    }[defect]
    forged = receipt(east.rt, clock.now, bad, sender="PK-MOI" if defect == "third authority" else "RS-MUP", recipient="AT-BMI")

    assert outcomes(take(west.rt, forged)) == [refused("answer-mismatch")]
    row = row_of(west, "out", "AT-BMI", sent.message_id)
    assert (row.outcome, row.receipt_message_id, row.received_at) == ("sent", None, None)
    assert count(west.rt.engine, "deadlines", "outbox") == {"deadlines": 0, "outbox": 0}
    assert journalled(west.rt.engine, "message.refused")[0]["detail"]["code"] == "answer-mismatch"


async def test_bad_line_of_a_receipt_does_not_spoil_the_good_one(two_gateways, clock) -> None:
    west, east = two_gateways
    sent, _ = hand_in_entry(west)
    good = ReceiptItem(message_id=sent.message_id, digest=sent.digest, received_at=clock.now, accepted=True)
    bad = replace(good, message_id=new_message_id(clock.now))
    assert outcomes(take(west.rt, receipt(east.rt, clock.now, good, bad, sender="RS-MUP", recipient="AT-BMI"))) == [ACCEPTED]
    assert row_of(west, "out", "AT-BMI", sent.message_id).outcome == "received"
    assert journalled(west.rt.engine, "receipt.partly_refused")[0]["detail"]["count"] == 1


async def test_two_receipts_for_one_application_in_one_batch_start_one_clock(two_gateways, clock) -> None:
    west, east = two_gateways
    sent, _ = hand_in_entry(west)
    line = ReceiptItem(message_id=sent.message_id, digest=sent.digest, received_at=clock.now, accepted=True)
    first, second = (receipt(east.rt, clock.now, line, sender="RS-MUP", recipient="AT-BMI") for _ in range(2))
    assert outcomes(take(west.rt, first, second)) == [ACCEPTED, ACCEPTED]
    assert count(west.rt.engine, "deadlines") == {"deadlines": 1}
    assert row_of(west, "out", "AT-BMI", sent.message_id).receipt_message_id == first.message_id


async def test_line_that_stands_twice_in_a_receipt_starts_one_clock(two_gateways, clock) -> None:
    west, east = two_gateways
    sent, _ = hand_in_entry(west)
    line = ReceiptItem(message_id=sent.message_id, digest=sent.digest, received_at=clock.now, accepted=True)
    no = replace(line, accepted=False, code="schema-violation")
    assert outcomes(take(west.rt, receipt(east.rt, clock.now, line, no, sender="RS-MUP", recipient="AT-BMI"))) == [ACCEPTED]
    assert row_of(west, "out", "AT-BMI", sent.message_id).outcome == "received"
    assert count(west.rt.engine, "deadlines") == {"deadlines": 1}


async def test_receipt_of_acceptance_counts_after_one_of_refusal_but_not_the_other_way(two_gateways, clock) -> None:
    west, east = two_gateways
    sent, _ = hand_in_entry(west)
    yes = ReceiptItem(message_id=sent.message_id, digest=sent.digest, received_at=clock.now, accepted=True)
    no = replace(yes, accepted=False, code="unknown-treaty")
    found = []
    for line in (no, yes, no):
        take(west.rt, receipt(east.rt, clock.now, line, sender="RS-MUP", recipient="AT-BMI"))
        found.append(row_of(west, "out", "AT-BMI", sent.message_id).outcome)
    assert found == ["refused", "received", "received"]
    assert count(west.rt.engine, "deadlines") == {"deadlines": 1}


async def test_receipt_is_not_answered_by_a_receipt(asked) -> None:
    west, east, _, _ = asked
    assert [row["event"] for row in journalled(west.rt.engine)].count("message.received") == 1
    assert count(west.rt.engine, "outbox") == count(east.rt.engine, "outbox") == {"outbox": 0}


# --- what nobody can answer -------------------------------------------------------------------------------------------


async def test_garbage_is_journalled_without_an_answer(two_gateways, clock) -> None:
    west, east = two_gateways
    body = sealed(west.rt, application(clock.now), clock.now).body
    cut = body.index(b"\n") + 1
    for number, garbage in enumerate(
        (
            b"",
            b"\x00\xff" * 40,
            b"{}\n" + body,
            body[:-1],
            body[:-1] + bytes([body[-1] ^ 1]),
            body[:cut] + b"\x00" * 200,
            body.replace(b'"sender":"AT-BMI"', b'"sender":"BA-MS"', 1),
        ),
        start=1,
    ):
        assert outcomes(take(east.rt, garbage)) == [refused("cannot-open")]
        rows = journalled(east.rt.engine)
        assert len(rows) == number
        assert (rows[-1]["event"], rows[-1]["actor"], rows[-1]["message_id"]) == ("message.refused", "unknown", None)
    assert count(east.rt.engine) == NOTHING


async def test_more_than_one_megabyte_is_refused_before_it_is_opened(two_gateways) -> None:
    _, east = two_gateways
    assert outcomes(take(east.rt, b"x" * (MAX_MESSAGE_BYTES + 1))) == [refused("too-large")]
    assert count(east.rt.engine) == NOTHING


async def test_message_for_another_seal_is_refused(two_gateways, clock) -> None:
    west, east = two_gateways
    document = application(clock.now)
    signed = signed_as_is(west.rt, etree.tostring(document, method="c14n", exclusive=True), "AT-BMI", clock.now)
    other = seal(signed, message_id=new_message_id(clock.now), sender="AT-BMI", recipient="RS-MUP", trust=west.rt.trust)
    assert outcomes(take(east.rt, other)) == [refused("seal-mismatch")]
    assert count(east.rt.engine) == NOTHING


# --- refused, and answered --------------------------------------------------------------------------------------------


async def test_refused_message_gets_a_signed_receipt_that_its_sender_records(two_gateways, clock) -> None:
    west, east = two_gateways
    without_rules = replace(east, rt=replace(east.rt, directory=east.rt.directory.with_treaties({})))
    sent, _ = hand_in_entry(west)
    await exchange(west, without_rules)

    row = row_of(west, "out", "AT-BMI", sent.message_id)
    assert (row.outcome, row.code) == ("refused", "unknown-treaty")
    signed = proof(west, row)
    assert signed is not None
    assert verify(signed, west.rt.trust).signer == "RS-MUP"
    (entry,) = journalled(west.rt.engine, "message.refused_by_partner")
    assert (entry["actor"], entry["message_id"], entry["detail"]) == ("RS-MUP", sent.message_id, {"code": "unknown-treaty"})
    assert count(west.rt.engine, "deadlines") == {"deadlines": 0}  # nothing was received: no clock runs


async def test_ids_of_a_refused_message_come_from_the_seal(two_gateways, clock) -> None:
    west, east = two_gateways
    document = application(clock.now)
    true_id = header_of(document)["MessageId"]
    header = find(document, "Header")
    for name, value in (("MessageId", "KANARINAC " * 20), ("Recipient", "PK-MOI")):
        etree.SubElement(header, f"{{{NS}}}{name}").text = value
    message = seal(
        signed_as_is(west.rt, etree.tostring(document, method="c14n", exclusive=True), "AT-BMI", clock.now),
        message_id=true_id,
        sender="AT-BMI",
        recipient="RS-MUP",
        trust=west.rt.trust,
    )
    assert outcomes(take(east.rt, message)) == [refused("schema-violation")]
    (entry,) = journalled(east.rt.engine, "message.refused")
    assert (entry["message_id"], entry["authority"]) == (true_id, "RS-MUP")
    ((_, answer),) = leaving(east, west.rt)
    assert header_of(answer)["Sender"] == "RS-MUP"
    assert items_of(answer) == [(true_id, "refused", "schema-violation")]


async def test_mixed_batch_settles_each_alone_with_one_receipt_for_each_sender(two_gateways, clock) -> None:
    west, east = two_gateways
    at = clock.now
    broken = application(at)
    find(broken, "Person/Sex").text = "neither"
    good = [sealed(west.rt, application(at), at) for _ in range(2)]
    of_ba = sealed(west.rt, application(at, TO_ORIGIN), at)
    bad = sealed(west.rt, broken, at)
    of_others = sealed(west.rt, application(at, "ReadmissionApplication-stateless"), at)  # for AT-BMI

    answers = take(east.rt, good[0], b"garbage", bad, of_ba, of_others, good[1])
    assert outcomes(answers) == [
        ACCEPTED,
        refused("cannot-open"),
        refused("schema-violation"),
        ACCEPTED,
        refused("wrong-recipient"),
        ACCEPTED,
    ]
    assert count(east.rt.engine, "cases", "inbox", "outbox") == {"cases": 3, "inbox": 3, "outbox": 2}
    receipts = {header_of(document)["Sender"]: items_of(document) for _, document in leaving(east, west.rt)}
    assert receipts == {
        "RS-MUP": [
            (good[0].message_id, "accepted", None),
            (bad.message_id, "refused", "schema-violation"),
            (good[1].message_id, "accepted", None),
        ],
        "PK-MOI": [(of_ba.message_id, "accepted", None)],
    }
    assert len(journalled(east.rt.engine, "message.refused")) == 3


# --- all or nothing ---------------------------------------------------------------------------------------------------


class Crash(Exception):  # noqa: N818 - it is no error of ours
    """What a killed process looks like from inside the transaction."""


@contextmanager
def break_at(engine, table: str, error: Exception):
    """Let the first statement that writes to `table` fail; "commit" is the commit itself."""

    def before(statement, _values) -> None:
        if statement.startswith((f"INSERT INTO {table} ", f"UPDATE {table} ")):
            raise error

    def commit(_connection) -> None:
        raise error

    if table != "commit":
        with before_each_statement(engine, before):
            yield
        return
    event.listen(engine, "commit", commit)
    try:
        yield
    finally:
        event.remove(engine, "commit", commit)


POINTS = ["cases", "messages", "documents", "inbox", "deadlines", "outbox", "journal", "commit"]


@pytest.mark.parametrize("point", POINTS)
async def test_crash_before_the_commit_saves_nothing_and_the_message_comes_again(two_gateways, point) -> None:
    west, east = two_gateways
    sent, _ = hand_in_entry(west)
    await west.deliver()
    with break_at(east.rt.engine, point, Crash(point)), pytest.raises(Crash):
        await east.take_in()
    assert count(east.rt.engine) == NOTHING
    assert journalled(east.rt.engine) == []

    await east.rt.transport.close()  # the process is gone; its next life opens again
    await east.open()
    assert outcomes(await east.take_in()) == [ACCEPTED]
    await exchange(west, east)
    assert row_of(west, "out", "AT-BMI", sent.message_id).outcome == "received"


@pytest.mark.parametrize("point", ["outbox", "journal"])
async def test_receipt_exists_if_and_only_if_the_message_is_durable(two_gateways, clock, point) -> None:
    west, east = two_gateways
    message = sealed(west.rt, application(clock.now), clock.now)
    with break_at(east.rt.engine, point, sqlite3.OperationalError("disk full")):
        with pytest.raises(DatabaseUnavailable):
            take(east.rt, message)
        assert leaving(east, west.rt) == []
        assert states(east) == []
    take(east.rt, message)
    ((_, document),) = leaving(east, west.rt)
    assert items_of(document) == [(message.message_id, "accepted", None)]
    assert row_of(east, "in", "AT-BMI", message.message_id).receipt_message_id == header_of(document)["MessageId"]


async def test_crash_between_commit_and_acknowledgement_has_no_double_effect(two_gateways, clock) -> None:
    west, east = two_gateways
    sent, document = hand_in_entry(west)
    await west.deliver()
    deliveries = await east.rt.transport.take(50, 0.0)
    take(east.rt, *(delivery.body for delivery in deliveries))
    await east.rt.transport.close()  # killed before it could acknowledge
    await east.open()
    clock.move(minutes=10)

    assert outcomes(await east.take_in()) == [("repeated", None)]
    await exchange(west, east)
    assert count(east.rt.engine, "cases", "inbox", "deadlines") == {"cases": 1, "inbox": 1, "deadlines": 1}
    sides = []
    for side in (west, east):
        with reading(side.rt.engine) as tx:
            (case,) = cases.by_reference(tx, header_of(document)["CaseReference"])
            sides += [row.started_at for row in deadlines.of_cases(tx, [case.id])]
    assert sides == [clock.now - timedelta(minutes=10)] * 2
    assert row_of(west, "out", "AT-BMI", sent.message_id).outcome == "received"


async def test_crash_while_a_reply_is_taken_leaves_the_case_open(asked, clock) -> None:
    west, east, _, document = asked
    answered = east.hand_in(serialize(reply(document, clock.now)), authority="RS-MUP")
    assert isinstance(answered, Sent)
    await east.deliver()
    with break_at(west.rt.engine, "deadlines", Crash("deadlines")), pytest.raises(Crash):
        await west.take_in()
    assert states(west) == ["requested"]
    await west.rt.transport.close()
    await west.open()
    await exchange(west, east)
    assert states(west) == ["agreed"]


async def test_message_that_another_process_took_meanwhile_is_known_as_repeated(two_gateways, clock, monkeypatch) -> None:
    west, east = two_gateways
    message = sealed(west.rt, application(clock.now), clock.now)
    take(east.rt, message)
    true_save = inbound._save

    def blind_at_first(prepared, now, rt):
        monkeypatch.undo()
        with monkeypatch.context() as blind:  # what the other process wrote cannot be seen yet
            blind.setattr(messages, "known", lambda *_: {})
            blind.setattr(cases, "load", lambda *_: {})
            return true_save(prepared, now, rt)

    monkeypatch.setattr(inbound, "_save", blind_at_first)
    assert outcomes(take(east.rt, message)) == [("repeated", None)]
    assert count(east.rt.engine, "cases", "inbox") == {"cases": 1, "inbox": 1}


async def test_reply_that_overtakes_the_receipt_still_settles_the_clock(two_gateways, clock) -> None:
    west, east = two_gateways
    sent, document = hand_in_entry(west)
    line = ReceiptItem(message_id=sent.message_id, digest=sent.digest, received_at=clock.now, accepted=True)
    proof_late = receipt(east.rt, clock.now, line, sender="RS-MUP", recipient="AT-BMI")
    clock.move(hours=1)
    take(west.rt, sealed(east.rt, answer_to(document, sent.digest, clock.now), clock.now))
    with reading(west.rt.engine) as tx:
        assert {row.limit_id for row in deadlines.of_cases(tx, [sent.case_id])} == {"transfer"}
    take(west.rt, proof_late)
    with reading(west.rt.engine) as tx:
        found = {row.limit_id: row.state for row in deadlines.of_cases(tx, [sent.case_id])}
    assert found == {"reply": "met", "transfer": "open"}


@pytest.mark.postgres
async def test_receipt_and_reply_taken_by_two_processes_at_once_settle_the_clock(
    migrated_postgres_url, keys, clock, monkeypatch
) -> None:
    """The receipt starts the clock that the reply stops: whoever is second must see what the first did."""
    both = make_gateway(migrated_postgres_url, keys, clock, home=AUTHORITIES, hub=MemoryHub(clock))
    sent, document = hand_in_entry(both)
    line = ReceiptItem(message_id=sent.message_id, digest=sent.digest, received_at=clock.now, accepted=True)
    proof = receipt(both.rt, clock.now, line, sender="RS-MUP", recipient="AT-BMI")
    reply = sealed(both.rt, answer_to(document, sent.digest, clock.now), clock.now)
    record, pool = inbound.record, ThreadPoolExecutor(1)
    second: list[Future[list[inbound.Answer]]] = []

    def interrupted(*words: object) -> None:
        record(*words)  # everything of the reply is written, and not committed
        if not second:
            second.append(pool.submit(take, both.rt, proof))
            until(lambda: second[0].done() or someone_waits(migrated_postgres_url), "the receipt waits for the reply")

    monkeypatch.setattr(inbound, "record", interrupted)
    assert outcomes(take(both.rt, reply)) == [ACCEPTED]
    assert outcomes(second[0].result(timeout=30)) == [ACCEPTED]
    with reading(both.rt.engine) as tx:
        found = {row.limit_id: row.state for row in deadlines.of_cases(tx, [sent.case_id])}
    both.rt.engine.dispose()
    assert found == {"reply": "met", "transfer": "open"}


def someone_waits(url: str) -> bool:
    """Whether a connection to this database waits for a lock."""
    query = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchone() is not None


async def test_journal_of_a_day_with_every_kind_of_outcome_verifies(asked, clock) -> None:
    west, east, sent, document = asked
    take(east.rt, b"garbage", sealed(west.rt, application(clock.now), clock.now))
    take(west.rt, sealed(east.rt, answer_to(document, sent.digest, clock.now, agreed=False), clock.now))
    for side in (west, east):
        with reading(side.rt.engine) as tx:
            number, findings = journal.verify(tx)
        assert number == len(journalled(side.rt.engine)) > 0
        assert findings == []


async def test_removed_message_is_not_known_any_more(two_gateways, clock) -> None:
    """The check that the tests above can fail: without the record, a repeat is a second application of the same case."""
    west, east = two_gateways
    message = sealed(west.rt, application(clock.now, ENTRY), clock.now)
    take(east.rt, message)
    with transaction(east.rt.engine) as tx:
        for table in (t.inbox, t.documents, t.outbox, t.deadlines, t.messages):
            tx.execute(delete(table))
    assert outcomes(take(east.rt, message)) == [refused("transition-not-allowed")]
