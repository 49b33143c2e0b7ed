"""A suspended exchange: outward refused with the reason, inward kept with its time, nothing lost and no silence recorded."""

import asyncio
from dataclasses import replace

import pytest

from gateway.domain.partner_decisions import Scope
from gateway.errors import (
    BadValue,
    MissingField,
    PartnerNotAdmitted,
    PartnerNotInProduction,
    PartnerSuspended,
    TransitionNotAllowed,
    UnknownAuthority,
    UnknownPartner,
)
from gateway.flow.deliver import still_open
from gateway.flow.draft import Sent
from gateway.flow.inbound import take_up_resumed
from gateway.flow.loops import consume
from gateway.flow.partner_decisions import admit, in_force, resume, suspend, switch_to_production
from gateway.flow.watch import watch_once
from gateway.store import early
from gateway.store.database import reading
from gateway.wire.documents import NS
from tests.forging import count, hand_in_entry, journalled, leaving, outcomes, row_of, sealed, take
from tests.gateways import Gateway
from tests.steps import ASKING

pytestmark = pytest.mark.anyio

WHO = {"by": "B. Specimen", "why": "a court forbids it"}
PAIR = Scope.read("RS-MUP:AT-BMI")


def stopped(side) -> None:
    suspend(side.rt, PAIR, **WHO)


def kept(side) -> list:
    with reading(side.rt.engine) as tx:
        return early.suspended(tx)


# --- outward --------------------------------------------------------------------------------------------------------------


async def test_message_outward_is_refused_saying_who_suspended_it_and_why(case) -> None:
    stopped(case.west)
    refused = case.send("InformationRequest-by-requesting", ASKING)
    assert isinstance(refused, PartnerSuspended)
    assert "B. Specimen" in refused.message
    assert "a court forbids it" in refused.message
    (entry,) = [each for each in journalled(case.west.rt.engine, "message.refused") if each["actor"] == "officer"]
    assert entry["detail"]["code"] == "partner-suspended"
    assert "Specimen" not in str(entry)


async def test_suspension_of_one_pair_leaves_the_others_open(two_gateways) -> None:
    west, _ = two_gateways
    suspend(west.rt, Scope.read("BA-MS:RS-MUP"), **WHO)
    assert isinstance(hand_in_entry(west)[0], Sent)


async def test_suspension_of_a_partner_stops_all_its_authorities(two_gateways) -> None:
    west, _ = two_gateways
    suspend(west.rt, Scope.read("rs"), **WHO)
    assert isinstance(hand_in_entry(west)[0], PartnerSuspended)


async def test_suspension_of_a_type_leaves_other_types_open(case) -> None:
    suspend(case.west.rt, Scope.read(None, "InterviewRequest"), **WHO)
    assert isinstance(case.send("InterviewRequest-by-requesting", ASKING), PartnerSuspended)
    assert isinstance(case.send("InformationRequest-by-requesting", ASKING), Sent)


async def test_decision_of_another_process_counts_a_second_later(case, clock) -> None:
    assert isinstance(case.send("InformationRequest-by-requesting", ASKING), Sent)
    elsewhere = replace(case.west.rt)
    assert elsewhere.book is not case.west.rt.book
    suspend(elsewhere, PAIR, **WHO)
    clock.move(seconds=1)
    assert isinstance(case.send("InformationRequest-by-requesting", ASKING), PartnerSuspended)


async def test_message_in_the_outbox_stays_there_until_the_exchange_is_resumed(case, clock) -> None:
    sent = case.send("InformationRequest-by-requesting", ASKING)
    stopped(case.west)
    assert await case.west.deliver() == 0
    resume(case.west.rt, PAIR, **WHO)
    clock.move(seconds=31)
    await case.exchange()
    assert row_of(case.east, "in", ASKING, sent.message_id).outcome == "accepted"


async def test_message_in_the_outbox_uses_up_no_attempt_while_it_waits(case, clock) -> None:
    case.send("InformationRequest-by-requesting", ASKING)
    stopped(case.west)
    for _ in range(20):
        assert await case.west.deliver() == 0
        clock.move(hours=12)
    resume(case.west.rt, PAIR, **WHO)
    assert await case.west.deliver() == 1


# --- inward ---------------------------------------------------------------------------------------------------------------


async def test_message_inward_is_kept_and_its_sender_is_told_with_the_time(case, clock) -> None:
    question = case.send("InformationRequest-by-requesting", ASKING)
    stopped(case.east)
    await case.west.deliver()
    came = clock.now
    assert outcomes(await case.east.take_in()) == [("waiting", None)]
    ((_, receipt),) = leaving(case.east, case.west.rt)
    (item,) = receipt.iterfind(f"{{{NS}}}Item")
    told = {name: item.findtext(f"{{{NS}}}{name}") for name in ("MessageId", "Outcome", "Code", "Missing")}
    assert told == {"MessageId": question.message_id, "Outcome": "waiting", "Code": "partner-suspended", "Missing": None}
    await case.exchange()
    (entry,) = journalled(case.west.rt.engine, "message.kept_by_partner")
    assert (entry["message_id"], entry["detail"]["received_at"]) == (question.message_id, came.isoformat())


async def test_who_suspended_it_is_not_told_abroad(case) -> None:
    case.send("InformationRequest-by-requesting", ASKING)
    stopped(case.east)
    await case.west.deliver()
    await case.east.take_in()
    ((_, receipt),) = leaving(case.east, case.west.rt)
    assert [item.findtext(f"{{{NS}}}Text") for item in receipt.iterfind(f"{{{NS}}}Item")] == [None]


async def test_kept_message_that_comes_again_is_kept_once(case) -> None:
    case.send("InformationRequest-by-requesting", ASKING)
    stopped(case.east)
    (delivery,) = await on_its_way(case)
    take(case.east.rt, delivery)
    assert outcomes(take(case.east.rt, delivery)) == [("waiting", None)]
    assert len(kept(case.east)) == 1


async def on_its_way(case) -> list[bytes]:
    await case.west.deliver()
    return [one.body for one in await case.east.rt.transport.take(50, 0.0)]


async def test_resumed_exchange_takes_everything_in_its_order_as_of_when_it_came(case, clock) -> None:
    stopped(case.east)
    sent = [case.send(name, ASKING) for name in ("InformationRequest-by-requesting", "InterviewRequest-by-requesting")]
    came = clock.now
    await case.exchange()
    assert len(kept(case.east)) == 2
    clock.move(days=3)
    resume(case.east.rt, PAIR, **WHO)
    assert take_up_resumed(case.east.rt) == 2
    rows = [row_of(case.east, "in", ASKING, one.message_id) for one in sent]
    assert [(row.outcome, row.received_at, row.sequence) for row in rows] == [("accepted", came, 2), ("accepted", came, 3)]
    await case.exchange()
    assert [row_of(case.west, "out", ASKING, one.message_id).outcome for one in sent] == ["received", "received"]
    assert kept(case.east) == []
    assert count(case.east.rt.engine, "early") == {"early": 0}


async def test_running_gateway_takes_up_what_was_kept_by_itself(case) -> None:
    stopped(case.east)
    question = case.send("InformationRequest-by-requesting", ASKING)
    await case.exchange()
    stop = asyncio.Event()
    loop = asyncio.create_task(consume(case.east.rt, stop))
    resume(replace(case.east.rt), PAIR, **WHO)  # by another process
    case.clock.move(seconds=1)
    try:
        async with asyncio.timeout(30):
            while kept(case.east):  # noqa: ASYNC110 - nobody could tell: the loop knows nothing of this test
                await asyncio.sleep(0.02)
    finally:
        stop.set()
        await loop
    assert row_of(case.east, "in", ASKING, question.message_id).outcome == "accepted"


async def test_handed_over_rows_stay_when_the_exchange_was_suspended_meanwhile(case, clock) -> None:
    case.west.rt.bell.listen("test")
    case.send("InformationRequest-by-requesting", ASKING)
    rows = case.west.rt.bell.handed(10, clock.now)
    stopped(case.west)
    assert len(rows) == 1
    assert still_open(rows, case.west.rt) == []
    case.west.rt.bell.leave()
    clock.move(seconds=31)
    assert await case.west.deliver() == 0


async def test_nothing_is_taken_up_while_nothing_was_resumed(case) -> None:
    stopped(case.east)
    case.send("InformationRequest-by-requesting", ASKING)
    await case.exchange()
    assert take_up_resumed(case.east.rt) == 0
    watch_once(case.east.rt)
    assert len(kept(case.east)) == 1


async def test_receipts_pass_while_the_exchange_is_suspended(case) -> None:
    question = case.send("InformationRequest-by-requesting", ASKING)
    await case.west.deliver()
    stopped(case.west)
    await case.exchange()
    assert row_of(case.west, "out", ASKING, question.message_id).outcome == "received"


async def test_no_silence_is_recorded_while_an_answer_may_be_kept(case, clock) -> None:
    stopped(case.west)
    assert isinstance(case.answer(), Sent)
    await case.exchange()
    clock.now = case.deadline(case.west, "reply").lapses_at
    watch_once(case.west.rt)
    assert journalled(case.west.rt.engine, "deadline.lapsed") == []
    resume(case.west.rt, PAIR, **WHO)
    clock.move(hours=2)
    watch_once(case.west.rt)  # it takes up the answer before it judges the silence
    assert journalled(case.west.rt.engine, "deadline.lapsed") == []
    assert case.deadline(case.west, "reply").state == "met"


async def test_silence_is_recorded_after_all_when_nothing_was_kept(case, clock) -> None:
    stopped(case.west)
    clock.now = case.deadline(case.west, "reply").lapses_at
    watch_once(case.west.rt)
    resume(case.west.rt, PAIR, **WHO)
    clock.move(hours=2)
    watch_once(case.west.rt)
    assert len(journalled(case.west.rt.engine, "deadline.lapsed")) == 1


async def test_forged_message_is_refused_and_not_kept_while_suspended(case, clock) -> None:
    stopped(case.east)
    document = case.document
    bad = sealed(case.west.rt, document, clock.now, signer="BA-MS")
    assert outcomes(take(case.east.rt, bad))[0][0] == "refused"
    assert kept(case.east) == []


# --- decisions ------------------------------------------------------------------------------------------------------------


async def test_decisions_are_journalled_with_person_and_reason(gateway: Gateway) -> None:
    suspend(gateway.rt, Scope.read("pk"), **WHO)
    resume(gateway.rt, Scope.read("pk"), by="C. Specimen", why="the judgment was lifted")
    told = [
        (each["event"], each["actor"], each["detail"]["who"], each["detail"]["why"]) for each in journalled(gateway.rt.engine)
    ]
    assert told == [
        ("partner.suspended", "B. Specimen", "pk", "a court forbids it"),
        ("partner.resumed", "C. Specimen", "pk", "the judgment was lifted"),
    ]


async def test_decision_without_a_person_or_a_reason_is_refused(gateway: Gateway) -> None:
    for missing in ({"by": " "}, {"why": "\n"}):
        with pytest.raises(MissingField):
            suspend(gateway.rt, Scope.read("pk"), **WHO | missing)
    assert in_force(gateway.rt).suspended == ()


async def test_only_what_stands_can_be_ended_and_nothing_stands_twice(gateway: Gateway) -> None:
    suspend(gateway.rt, Scope.read("pk"), **WHO)
    with pytest.raises(TransitionNotAllowed):
        suspend(gateway.rt, Scope.read("pk"), **WHO)
    with pytest.raises(TransitionNotAllowed, match="suspended: pk"):
        resume(gateway.rt, PAIR, **WHO)


async def test_unknown_partner_or_authority_is_refused(gateway: Gateway) -> None:
    with pytest.raises(UnknownPartner):
        suspend(gateway.rt, Scope.read("xx"), **WHO)
    with pytest.raises(UnknownAuthority):
        suspend(gateway.rt, Scope.read("XX-MOI:AT-BMI"), **WHO)


@pytest.mark.parametrize(
    ("who", "kind"),
    [("RS-MUP", None), ("RS-MUP:RS-MUP", None), ("a:b:c", None), (None, None), (None, "Receipt"), ("rs", "Nothing")],
)
async def test_scope_that_means_nothing_is_refused(who, kind) -> None:
    with pytest.raises(BadValue):
        Scope.read(who, kind)


# --- production -----------------------------------------------------------------------------------------------------------


def in_production(side: Gateway) -> Gateway:
    return replace(side, rt=replace(side.rt, settings=replace(side.rt.settings, environment="production")))


def opened(side: Gateway, partner: str) -> None:
    admit(side.rt, partner, basis="Agreement, Art. 20", assessment="DPIA-2026-7", by="B. Specimen")
    switch_to_production(side.rt, partner, by="B. Specimen", why="tried for a month", valid_pass=None)


async def test_in_development_every_partner_is_usable(two_gateways) -> None:
    assert isinstance(hand_in_entry(two_gateways[0])[0], Sent)


async def test_in_production_a_partner_that_was_not_admitted_is_refused(two_gateways) -> None:
    west = in_production(two_gateways[0])
    assert isinstance(hand_in_entry(west)[0], PartnerNotAdmitted)


async def test_in_production_a_partner_that_is_being_tried_is_refused(two_gateways) -> None:
    west = in_production(two_gateways[0])
    admit(west.rt, "rs", basis="Agreement, Art. 20", assessment="DPIA-2026-7", by="B. Specimen")
    assert isinstance(hand_in_entry(west)[0], PartnerNotInProduction)


async def test_in_production_a_partner_that_was_switched_is_served(two_gateways) -> None:
    west = in_production(two_gateways[0])
    opened(west, "rs")
    assert isinstance(hand_in_entry(west)[0], Sent)


async def test_partner_is_admitted_before_it_is_switched(two_gateways) -> None:
    with pytest.raises(PartnerNotAdmitted):
        switch_to_production(two_gateways[0].rt, "rs", by="B. Specimen", why="in a hurry", valid_pass=None)


async def test_message_of_a_partner_that_is_not_in_production_gets_a_signed_refusal(two_gateways) -> None:
    west, east = two_gateways[0], in_production(two_gateways[1])
    sent, _ = hand_in_entry(west)
    await west.deliver()
    assert outcomes(await east.take_in()) == [("refused", "partner-not-admitted")]
    await east.deliver()
    await west.take_in()
    row = row_of(west, "out", ASKING, sent.message_id)
    assert (row.outcome, row.code) == ("refused", "partner-not-admitted")
    opened(east, "at")
    again, _ = hand_in_entry(west)
    await west.deliver()
    await east.take_in()
    assert row_of(east, "in", ASKING, again.message_id).outcome == "accepted"
