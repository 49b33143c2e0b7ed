"""What the journal says of messages that come, go and come again, and what is kept of a message that was refused."""

import pytest
from sqlalchemy import select, update

from gateway.domain.identity import new_message_id
from gateway.domain.messages import ReceiptItem
from gateway.errors import Erased
from gateway.flow.mailbox import acknowledge, fetch, read_document
from gateway.stages import MAX_MESSAGE_BYTES
from gateway.store import inbox
from gateway.store import tables as t
from gateway.store.database import reading, transaction
from gateway.trust.verify import verify
from gateway.wire.documents import NS
from gateway.wire.reading import complete_header, instant_text
from tests.forging import application, count, find, journalled, outcomes, receipt, row_of, sealed, take
from tests.steps import ASKED, ASKING, addressed, on_the_way, write

pytestmark = pytest.mark.anyio

QUESTION = "InformationRequest-by-requesting"


def question(case, number: int, *, bad: bool = False, sender: str = ASKING):
    """Return a question of the requesting side under any number; a bad one lacks its signatory."""
    document = addressed(write(QUESTION), reference=case.opening.case_reference, sender=sender, recipient=ASKED)
    fields = {"MessageId": new_message_id(case.clock.now), "Created": instant_text(case.clock.now), "Sequence": str(number)}
    complete_header(document, fields)
    if bad:
        document.remove(document.find(f"{{{NS}}}Signatory"))
    return sealed(case.west.rt, document, case.clock.now)


def kept(side) -> list[dict]:
    """Return the documents of refused messages."""
    with reading(side.rt.engine) as tx:
        found = select(t.documents, t.messages.c.case_id).join(t.messages, t.messages.c.id == t.documents.c.message_row)
        return [dict(row) for row in tx.execute(found.where(t.messages.c.outcome == "refused")).mappings()]


# --- what is kept of a refused message --------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [2, 7], ids=["in its turn", "out of turn"])
async def test_refused_message_keeps_its_signed_bytes_under_the_key_of_its_case(case, number) -> None:
    sent = question(case, number, bad=True)
    assert outcomes(take(case.east.rt, sent)) == [("refused", "schema-violation")]
    (document,) = kept(case.east)
    _, body = read_document(document["id"], homes=frozenset({ASKED}), actor="officer", purpose="complaint", rt=case.east.rt)
    opened = verify(body, case.east.rt.trust)
    assert (opened.digest, opened.signer) == (sent.digest, ASKING)
    assert body not in document["body"]
    (refusal,) = journalled(case.east.rt.engine, "message.refused")
    assert refusal["case_id"] == document["case_id"]
    assert refusal["detail"]["signed"] == sent.digest


async def test_refused_message_out_of_turn_does_not_use_its_number_up(case) -> None:
    take(case.east.rt, question(case, 7, bad=True))
    assert outcomes(take(case.east.rt, question(case, 2))) == [("accepted", None)]


async def test_bytes_of_a_refused_message_go_with_the_key_of_the_case(case) -> None:
    take(case.east.rt, question(case, 2, bad=True))
    (document,) = kept(case.east)
    with transaction(case.east.rt.engine) as tx:
        tx.execute(update(t.cases).values(wrapped_key=None))
    with pytest.raises(Erased):
        read_document(document["id"], homes=frozenset({ASKED}), actor="officer", purpose="complaint", rt=case.east.rt)


async def test_nothing_but_the_digest_is_kept_of_a_message_to_an_erased_case(case) -> None:
    with transaction(case.east.rt.engine) as tx:
        tx.execute(update(t.cases).values(wrapped_key=None))
    take(case.east.rt, question(case, 2, bad=True))
    assert kept(case.east) == []


async def test_nothing_but_the_digest_is_kept_of_a_refused_message_without_a_case(two_gateways, clock) -> None:
    west, east = two_gateways
    document = application(clock.now)
    find(document, "Request/Agreement").text = "xa-xb"
    message = sealed(west.rt, document, clock.now)
    assert outcomes(take(east.rt, message)) == [("refused", "unknown-treaty")]
    assert kept(east) == []
    (refusal,) = journalled(east.rt.engine, "message.refused")
    assert refusal["detail"]["signed"] == message.digest


async def test_case_of_another_authority_is_no_place_for_refused_bytes(case) -> None:
    assert outcomes(take(case.east.rt, question(case, 2, bad=True, sender="BA-MS"))) == [("refused", "schema-violation")]
    assert kept(case.east) == []
    assert [row["case_id"] for row in journalled(case.east.rt.engine, "message.refused")] == [None]


async def test_flood_of_what_nobody_can_open_leaves_one_short_entry_each(case) -> None:
    before = count(case.east.rt.engine)
    for number in range(20):
        take(case.east.rt, bytes([number]) * MAX_MESSAGE_BYTES)
    assert count(case.east.rt.engine) == before
    refusals = journalled(case.east.rt.engine, "message.refused")
    assert len(refusals) == 20
    assert max(len(str(row)) for row in refusals) < 1000


# --- what comes again, what goes again --------------------------------------------------------------------------------


async def test_message_that_comes_again_while_it_waits_is_journalled_as_repeated(case) -> None:
    early = question(case, 3)
    take(case.east.rt, early)
    take(case.east.rt, early)
    assert len(journalled(case.east.rt.engine, "message.waiting")) == 1
    (again,) = journalled(case.east.rt.engine, "message.repeated")
    assert (again["actor"], again["authority"], again["message_id"]) == (ASKING, ASKED, early.message_id)


async def test_message_that_is_sent_again_because_the_other_side_missed_it_is_journalled(case, clock) -> None:
    missed = case.send(QUESTION, ASKING)
    later = case.send(QUESTION, ASKING)
    on_the_way(case.west, missed, later)
    await case.west.deliver()
    line = ReceiptItem(
        message_id=later.message_id,
        digest=later.digest,
        received_at=clock.now,
        accepted=False,
        code="sequence-gap",
        missing=(2,),
    )
    take(case.west.rt, receipt(case.east.rt, clock.now, line, sender=ASKED, recipient=ASKING))
    (again,) = journalled(case.west.rt.engine, "message.sent_again")
    assert (again["message_id"], again["digest"], again["authority"]) == (missed.message_id, missed.digest, ASKING)


async def test_receipt_that_is_sent_again_is_journalled(case) -> None:
    message = question(case, 2)
    take(case.east.rt, message)
    await case.east.deliver()
    take(case.east.rt, message)
    (again,) = journalled(case.east.rt.engine, "message.sent_again")
    assert again["message_id"] == row_of(case.east, "in", ASKING, message.message_id).receipt_message_id
    assert again["detail"] == {"type": "Receipt"}


# --- what is read -----------------------------------------------------------------------------------------------------


async def test_reading_of_an_inbox_is_journalled_with_its_purpose(case) -> None:
    rt = case.east.rt
    with reading(rt.engine) as tx:
        (row,) = inbox.waiting(tx, ASKED)
    fetch(ASKED, row.id, actor="key:0a1b", rt=rt)
    for again in (False, True):
        acknowledge(ASKED, row.id, actor="key:0a1b", rt=rt)
        assert journalled(rt.engine, "message.fetched")[-1]["detail"] == {"inbox": row.id, "again": again}
    (read,) = journalled(rt.engine, "message.read")
    assert (read["actor"], read["case_id"], read["message_id"]) == ("key:0a1b", row.case_id, row.message_id)
    assert read["detail"] == {"purpose": "delivery"}
