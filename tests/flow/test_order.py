"""The order of messages within a case: a gap keeps the later message, asks for the earlier, and heals by itself."""

import pytest
from sqlalchemy import select, update

from gateway.domain.identity import new_message_id
from gateway.domain.messages import ReceiptItem
from gateway.flow.draft import Sent
from gateway.flow.watch import watch_once
from gateway.store import tables as t
from gateway.store.database import reading, transaction
from gateway.wire.documents import NS, serialize
from gateway.wire.reading import complete_header, header_of, instant_text
from tests.forging import count, journalled, leaving, outcomes, receipt, row_of, sealed, take
from tests.steps import ASKED, ASKING, addressed, leaves, lose, on_the_way, opened, ruled, waiting, write

pytestmark = pytest.mark.anyio

ACCEPTED, WAITING, REPEATED = ("accepted", None), ("waiting", None), ("repeated", None)
QUESTION, NEXT_QUESTION = "InformationRequest-by-requesting", "InterviewRequest-by-requesting"


def forged(case, number: int, *, name: str = QUESTION, message_id: str | None = None, bad: bool = False):
    """Return a message of the requesting side with any number, as its gateway would never give it."""
    document = addressed(write(name), reference=case.opening.case_reference, sender=ASKING, recipient=ASKED)
    complete_header(
        document,
        {
            "MessageId": message_id or new_message_id(case.clock.now),
            "Created": instant_text(case.clock.now),
            "Sequence": str(number),
        },
    )
    if bad:
        document.remove(document.find(f"{{{NS}}}Signatory"))
    return sealed(case.west.rt, document, case.clock.now)


def questions(case, how_many: int = 2) -> list[Sent]:
    """Hand in questions of the requesting side, which have numbers from 2 on."""
    sent = [case.send(QUESTION, ASKING) for _ in range(how_many)]
    assert all(isinstance(one, Sent) for one in sent), sent
    return sent


def lines(case) -> list[tuple[str, str, str | None, list[str]]]:
    """Return the lines of all receipts that wait in the outbox of the side that was asked."""
    found = []
    for _, document in leaving(case.east, case.west.rt):
        for item in document.iterfind(f"{{{NS}}}Item"):
            one = {name: item.findtext(f"{{{NS}}}{name}") for name in ("MessageId", "Outcome", "Code")}
            missing = [each.text for each in item.iterfind(f"{{{NS}}}Missing")]
            found.append((one["MessageId"], one["Outcome"], one["Code"], missing))
    return found


def taken(case) -> list[int]:
    """Return the numbers of the requesting side's messages that the other side has taken, in the order it took them."""
    with reading(case.east.rt.engine) as tx:
        found = select(t.messages.c.sequence).where(
            t.messages.c.direction == "in", t.messages.c.case_id.is_not(None), t.messages.c.outcome == "accepted"
        )
        return list(tx.execute(found.order_by(t.messages.c.id)).scalars())


# --- a gap --------------------------------------------------------------------------------------------------------------


async def test_message_before_its_turn_waits_and_the_receipt_names_what_is_missing(case) -> None:
    _, _, third = questions(case, 3)
    assert outcomes(take(case.east.rt, *on_the_way(case.west, third))) == [WAITING]
    assert lines(case) == [(third.message_id, "waiting", "sequence-gap", ["2", "3"])]
    assert taken(case) == [1]
    assert waiting(case.east) == 1


async def test_waiting_message_is_nowhere_but_in_the_queue_of_those_that_wait(case) -> None:
    before = count(case.east.rt.engine, "cases", "messages", "documents", "inbox", "deadlines")
    take(case.east.rt, *on_the_way(case.west, questions(case)[1]))
    after = count(case.east.rt.engine, "cases", "messages", "documents", "inbox", "deadlines")
    assert after == before | {"messages": before["messages"] + 1, "documents": before["documents"] + 1}  # its receipt
    (entry,) = journalled(case.east.rt.engine, "message.waiting")
    assert entry["detail"] == {"code": "sequence-gap", "missing": 1, "type": "InformationRequest"}


async def test_gap_heals_when_the_earlier_message_comes(case) -> None:
    second, third = questions(case)
    take(case.east.rt, *on_the_way(case.west, third))
    assert outcomes(take(case.east.rt, *on_the_way(case.west, second))) == [ACCEPTED]
    assert taken(case) == [1, 2, 3]
    assert waiting(case.east) == 0
    assert [line[:3] for line in lines(case)] == [
        (third.message_id, "waiting", "sequence-gap"),
        (second.message_id, "accepted", None),
        (third.message_id, "accepted", None),
    ]


async def test_gap_heals_though_the_later_message_stands_first_in_the_same_batch(case) -> None:
    second, third = questions(case)
    assert outcomes(take(case.east.rt, *on_the_way(case.west, third, second))) == [WAITING, ACCEPTED]
    assert taken(case) == [1, 2, 3]
    assert waiting(case.east) == 0


async def test_healed_message_counts_from_when_it_came_not_from_when_its_turn_came(case, clock) -> None:
    first = case.send(QUESTION, ASKING)
    stated = case.send("CostStatement-by-requesting", ASKING, Attachment=None)
    take(case.east.rt, *on_the_way(case.west, stated))
    came = clock.now
    clock.move(days=2)
    take(case.east.rt, *on_the_way(case.west, first))
    assert case.deadline(case.east, "costs").started_at == came
    await case.exchange()
    case.settled("costs")


async def test_sender_sends_what_is_missing_again_without_being_told_by_a_person(case) -> None:
    second, third = questions(case)
    lose(case.west, second)
    await case.exchange()
    assert taken(case) == [1, 2, 3]
    for sent in (second, third):
        row = row_of(case.west, "out", ASKING, sent.message_id)
        assert (row.outcome, row.digest) == ("received", sent.digest)


async def test_what_is_still_on_its_way_is_not_sent_twice(case) -> None:
    second, third = questions(case)
    take(case.east.rt, *on_the_way(case.west, third))
    await case.east.deliver()
    await case.west.take_in()
    assert leaves(case.west) == ["InformationRequest", "InformationRequest"]
    assert on_the_way(case.west, second)


async def test_several_gaps_heal_in_order(case) -> None:
    sent = questions(case, 5)  # 2 to 6
    bodies = dict(zip(range(2, 7), on_the_way(case.west, *sent), strict=True))
    assert outcomes(take(case.east.rt, bodies[6], bodies[4])) == [WAITING, WAITING]
    assert outcomes(take(case.east.rt, bodies[5], bodies[3])) == [WAITING, WAITING]
    assert taken(case) == [1]
    take(case.east.rt, bodies[2])
    assert taken(case) == [1, 2, 3, 4, 5, 6]


async def test_everything_lost_but_the_last_comes_again(case) -> None:
    sent = questions(case, 5)
    lose(case.west, *sent[:4])
    await case.exchange()
    assert taken(case) == [1, 2, 3, 4, 5, 6]


async def test_application_itself_may_be_what_is_missing(two_gateways, clock) -> None:
    case = opened(*ruled(two_gateways), clock)
    withdrawn = case.send("Withdrawal-no-longer-needed", ASKING)
    assert outcomes(take(case.east.rt, *on_the_way(case.west, withdrawn))) == [WAITING]
    await case.exchange()
    assert case.states() == ("withdrawn", "withdrawn")


async def test_each_side_has_numbers_of_its_own(case) -> None:
    questions(case)
    theirs = case.send("InformationRequest-by-requested", ASKED)
    assert isinstance(theirs, Sent)
    assert outcomes(take(case.west.rt, *on_the_way(case.east, theirs))) == [ACCEPTED]


# --- restarts and repeats -----------------------------------------------------------------------------------------------


async def test_message_whose_turn_came_before_a_crash_is_taken_by_the_next_watch(case, monkeypatch) -> None:
    second, third = questions(case)
    take(case.east.rt, *on_the_way(case.west, third))
    with monkeypatch.context() as killed:
        killed.setattr("gateway.flow.inbound.heal", lambda _: 0)  # between the commit and the healing
        take(case.east.rt, *on_the_way(case.west, second))
    assert taken(case) == [1, 2]
    watch_once(case.east.rt)
    assert taken(case) == [1, 2, 3]
    assert watch_once(case.east.rt) == 0


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one after the other"])
async def test_duplicate_of_a_waiting_message_waits_once(case, together) -> None:
    second, third = questions(case)
    (body,) = on_the_way(case.west, third)
    answers = take(case.east.rt, body, body) if together else [take(case.east.rt, body)[0] for _ in range(2)]
    assert outcomes(answers) == [WAITING, REPEATED if together else WAITING]
    assert waiting(case.east) == 1
    take(case.east.rt, *on_the_way(case.west, second))
    assert taken(case) == [1, 2, 3]


async def test_duplicate_of_a_healed_message_is_known(case) -> None:
    second, third = questions(case)
    bodies = on_the_way(case.west, second, third)
    take(case.east.rt, bodies[1])
    take(case.east.rt, bodies[0])
    assert outcomes(take(case.east.rt, *bodies)) == [REPEATED, REPEATED]
    assert taken(case) == [1, 2, 3]


@pytest.mark.parametrize("number", [2, 3], ids=["with the number that is missing", "with its own number"])
@pytest.mark.parametrize("bad", [True, False], ids=["invalid", "valid"])
async def test_other_bytes_under_a_waiting_id_are_refused_and_what_waits_goes_on_waiting(case, number, bad) -> None:
    second, third = questions(case)
    take(case.east.rt, *on_the_way(case.west, third))
    other = forged(case, number, message_id=third.message_id, bad=bad)
    code = "schema-violation" if bad else "message-id-reused"
    assert outcomes(take(case.east.rt, other)) == [("refused", code)]
    assert journalled(case.east.rt.engine, "message.refused")[-1]["detail"]["alarm"] is True
    assert waiting(case.east) == 1
    take(case.east.rt, *on_the_way(case.west, second))
    assert taken(case) == [1, 2, 3]
    assert row_of(case.east, "in", ASKING, third.message_id).digest == third.digest


async def test_waiting_message_that_cannot_be_opened_any_more_does_not_wait_for_ever(case) -> None:
    second, third = questions(case)
    take(case.east.rt, *on_the_way(case.west, third))
    with transaction(case.east.rt.engine) as tx:
        tx.execute(update(t.early).values(body=b"damaged"))
    take(case.east.rt, *on_the_way(case.west, second))
    assert waiting(case.east) == 0
    assert journalled(case.east.rt.engine, "message.refused")[-1]["detail"]["code"] == "cannot-open"
    assert outcomes(take(case.east.rt, *on_the_way(case.west, third))) == [ACCEPTED]  # nothing was held against it


# --- numbers ------------------------------------------------------------------------------------------------------------


async def test_number_used_before_is_refused(case) -> None:
    await case.told(QUESTION, ASKING)
    for number in (1, 2):
        assert outcomes(take(case.east.rt, forged(case, number))) == [("refused", "sequence-used")]
    assert taken(case) == [1, 2]


@pytest.mark.parametrize(("number", "found"), [(52, WAITING), (53, ("refused", "sequence-used"))])
async def test_number_that_leaves_too_wide_a_gap_is_wrong(case, number, found) -> None:
    assert outcomes(take(case.east.rt, forged(case, number))) == [found]  # 2 to 51 are fifty


async def test_refused_message_has_used_its_number_up(case) -> None:
    assert outcomes(take(case.east.rt, forged(case, 2, bad=True))) == [("refused", "schema-violation")]
    assert outcomes(take(case.east.rt, forged(case, 2))) == [("refused", "sequence-used")]
    assert outcomes(take(case.east.rt, forged(case, 3))) == [ACCEPTED]


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one after the other"])
async def test_message_behind_a_refused_one_need_not_wait(case, together) -> None:
    both = [forged(case, 2, bad=True), forged(case, 3)]
    answers = take(case.east.rt, *both) if together else [take(case.east.rt, one)[0] for one in both]
    assert outcomes(answers) == [("refused", "schema-violation"), ACCEPTED]


async def test_message_that_was_refused_before_its_turn_uses_its_number_up_when_it_is_asked_for(case) -> None:
    second, third, fourth = forged(case, 2), forged(case, 3, bad=True), forged(case, 4)
    assert outcomes(take(case.east.rt, third, fourth, second)) == [("refused", "schema-violation"), WAITING, ACCEPTED]
    assert waiting(case.east) == 1  # it asks for the third, which comes again, and is refused again
    assert outcomes(take(case.east.rt, third)) == [REPEATED]
    assert taken(case) == [1, 2, 4]
    assert waiting(case.east) == 0


async def test_our_own_next_number_counts_on_after_a_refusal_by_the_other_side(case, clock) -> None:
    sent = case.send(QUESTION, ASKING)
    line = ReceiptItem(
        message_id=sent.message_id, digest=sent.digest, received_at=clock.now, accepted=False, code="schema-violation"
    )
    take(case.west.rt, receipt(case.east.rt, clock.now, line, sender=ASKED, recipient=ASKING))
    assert row_of(case.west, "out", ASKING, sent.message_id).outcome == "refused"
    assert isinstance(case.send(NEXT_QUESTION, ASKING), Sent)
    assert [header_of(document)["Sequence"] for _, document in leaving(case.west, case.east.rt)] == ["2", "3"]


async def test_number_that_is_not_the_next_one_is_not_sent(case) -> None:
    document = addressed(write(QUESTION), reference=case.opening.case_reference, sender=ASKING, recipient=ASKED)
    complete_header(document, {"Sequence": "4"})
    refused = case.west.hand_in(serialize(document), authority=ASKING)
    assert (refused.code, refused.path) == ("sequence-used", "Header/Sequence")
