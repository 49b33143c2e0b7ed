"""An application leaves one authority and reaches the other; the answer comes back. Two gateways, two databases."""

import json

import pytest

from gateway.domain.safeguards import HoldReason
from gateway.flow.draft import Held, Sent
from gateway.flow.mailbox import fetch
from gateway.flow.receipts import proof_of
from gateway.store import cases, deadlines, inbox, journal, messages
from gateway.store.database import reading
from gateway.trust.verify import verify
from gateway.wire.reading import message_inside, without_header
from gateway.wire.reply import Decision, write_reply
from tests.gateways import Gateway, example, exchange

pytestmark = pytest.mark.anyio

APPLICATION = "ReadmissionApplication-own-national"
ACCELERATED = "ReadmissionApplication-third-country-entry"


async def send_application(two: tuple[Gateway, Gateway]) -> Sent:
    """BA-MS sends an application to PK-MOI; both sides come to rest."""
    west, _ = two
    held = west.hand_in(example(APPLICATION), authority="BA-MS")
    assert isinstance(held, Held)
    sent = west.release(held.case_id)
    assert isinstance(sent, Sent)
    await exchange(*two)
    return sent


async def test_application_to_a_country_of_origin_is_held_until_two_officers_acted(two_gateways) -> None:
    west, east = two_gateways
    held = west.hand_in(example(APPLICATION), authority="BA-MS")

    assert isinstance(held, Held)
    assert held.reason is HoldReason.STATEMENT_MISSING
    await exchange(west, east)
    with reading(east.rt.engine) as tx:
        assert cases.all_of(tx) == []


async def test_application_arrives_in_the_recipients_own_format(two_gateways) -> None:
    _, east = two_gateways
    sent = await send_application(two_gateways)

    with reading(east.rt.engine) as tx:
        (row,) = inbox.waiting(tx, "PK-MOI")
    assert row.message_id == sent.message_id
    _, media_type, body = fetch("PK-MOI", row.id, actor="system", rt=east.rt)
    assert media_type == "application/json"
    assert json.loads(body)["documentType"] == "READMISSION_REQUEST"


async def test_sender_holds_a_signed_receipt_over_the_digest_it_sent(two_gateways) -> None:
    west, _ = two_gateways
    sent = await send_application(two_gateways)

    with reading(west.rt.engine) as tx:
        row = messages.known(tx, "out", [("BA-MS", sent.message_id)])["BA-MS", sent.message_id]
        receipt = proof_of(tx, row)
    assert row.outcome == "received"
    assert receipt is not None
    opened = verify(receipt, west.rt.trust)
    assert opened.signer == "PK-MOI"
    assert sent.digest.encode() in receipt


async def test_both_sides_count_from_the_same_receipt(two_gateways, clock) -> None:
    west, east = two_gateways
    clock.move(hours=1)
    body = example(ACCELERATED)
    sent = west.hand_in(body, authority="AT-BMI")
    assert isinstance(sent, Sent)
    clock.move(minutes=5)
    await exchange(west, east)

    rows = []
    for side, home in ((west, "AT-BMI"), (east, "RS-MUP")):
        with reading(side.rt.engine) as tx:
            (case,) = cases.by_reference(tx, sent.case_reference, home=home)
            rows += deadlines.of_cases(tx, [case.id])
    mine, theirs = rows
    assert mine.started_at == theirs.started_at == clock.now
    assert (mine.due_on, mine.rolled_until, mine.source) == (theirs.due_on, theirs.rolled_until, theirs.source)
    assert mine.known


async def test_unverified_limit_is_not_known_on_either_side(two_gateways) -> None:
    west, east = two_gateways
    sent = await send_application(two_gateways)
    for side, home in ((west, "BA-MS"), (east, "PK-MOI")):
        with reading(side.rt.engine) as tx:
            (case,) = cases.by_reference(tx, sent.case_reference, home=home)
            (row,) = deadlines.of_cases(tx, [case.id])
        assert not row.known
        assert row.due_on is None
        assert row.lapses_at is None


async def test_answer_in_the_partners_own_format_comes_back_and_closes_the_clock(two_gateways, clock) -> None:
    west, east = two_gateways
    sent = await send_application(two_gateways)
    with reading(east.rt.engine) as tx:
        (row,) = inbox.waiting(tx, "PK-MOI")
    application = message_inside(_signed(east, row.message_row))
    decision = Decision(agreed=True, on=clock.now.date(), signatory="A. Specimen")
    reply = without_header(write_reply(application, decision), ("MessageId", "Sequence", "Created", "InReplyTo"))
    body = east.rt.translators["pk/moi-json"].from_canonical(reply).body

    answered = east.hand_in(body, authority="PK-MOI", dialect="pk/moi-json")
    assert isinstance(answered, Sent)
    await exchange(west, east)

    for side, home in ((west, "BA-MS"), (east, "PK-MOI")):
        with reading(side.rt.engine) as tx:
            (case,) = cases.by_reference(tx, sent.case_reference, home=home)
            (due,) = deadlines.of_cases(tx, [case.id])
            _, findings = journal.verify(tx)
        assert case.state == "agreed"
        assert due.state == "met"
        assert findings == []
    with reading(west.rt.engine) as tx:
        (back,) = inbox.waiting(tx, "BA-MS")
    assert back.type == "ReadmissionReply"
    assert back.dialect == "ba/ms-xml"


async def test_sender_and_recipient_may_be_home_on_one_gateway(gateway) -> None:
    held = gateway.hand_in(example(APPLICATION), authority="BA-MS")
    sent = gateway.release(held.case_id)
    await exchange(gateway)
    with reading(gateway.rt.engine) as tx:
        both = cases.by_reference(tx, sent.case_reference)
        assert {case.home for case in both} == {"BA-MS", "PK-MOI"}
        assert len(inbox.waiting(tx, "PK-MOI")) == 1


def _signed(side: Gateway, message_row: int) -> bytes:
    from gateway.flow.papers import clear

    with reading(side.rt.engine) as tx:
        message = messages.get(tx, message_row)
        document = messages.document(tx, message_row, "signed")
        return clear(side.rt, cases.get(tx, message.case_id), document)
