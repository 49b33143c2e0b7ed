"""What is parked, as operations meet it: listed by cause, tried again in order, given up with a reason; never lost."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from gateway.domain.messages import ReceiptItem
from gateway.domain.parking import Ground
from gateway.errors import BrokerUnavailable, RevocationUnknown, TooLarge
from gateway.flow import inbound, parking, replaying, setting_aside
from gateway.flow.case_export import export_case
from gateway.flow.case_verdict import verify_case_file
from gateway.store import early, messages, parked
from gateway.store import tables as t
from gateway.store.database import reading, transaction
from gateway.store.parked_tables import parked as parked_table
from gateway.transport.port import Parcel
from gateway.wire.reading import header_of
from tests.flow.test_loops import running, until
from tests.forging import Scripted, count, hand_in_entry, journalled, leaving, outcomes, receipt, row_of, take
from tests.gateways import Gateway, exchange
from tests.packs import SCHEMAS
from tests.running import Done, call
from tests.steps import ASKED, ASKING, lose, on_the_way

pytestmark = pytest.mark.anyio

QUESTION = "InformationRequest-by-requesting"
WHO = ("--by", "A. Specimen", "--why", "mended in version 7")


@pytest.fixture
def command(monkeypatch):
    """Run `gateway queue ...` at a gateway of the test."""

    def run(side: Gateway, *words: object) -> Done:
        with monkeypatch.context() as at:
            at.setattr("gateway.cli.parked.load", lambda _: side.rt.settings)
            at.setattr("gateway.cli.parked.build", lambda _: side.rt)
            return call("queue", *words, "--json", monkeypatch=at)

    return run


@pytest.fixture
def broken(monkeypatch):
    """Let a side meet a defect with the messages that the set names."""
    ids: set[str] = set()
    true_read = inbound.read

    def read(checked):
        if header_of(checked.document)["MessageId"] in ids:
            raise ValueError("KANARINAC")
        return true_read(checked)

    monkeypatch.setattr(inbound, "read", read)
    return ids


def things(done: Done) -> list[str]:
    return [one["id"] for one in done.json["each"]]


def aside(side: Gateway) -> list:
    with reading(side.rt.engine) as tx:
        return list(tx.execute(select(parked_table).order_by(parked_table.c.id)))


def outbox_rows(side: Gateway) -> list:
    with reading(side.rt.engine) as tx:
        return list(tx.execute(select(t.outbox).order_by(t.outbox.c.id)))


async def met(side: Gateway, *, parked_then: int) -> None:
    """Let the consuming loop take what came, until so many are set aside."""
    async with running(side.rt, names=["consume"]):
        await until(lambda: sum(row.settled is None for row in aside(side)) == parked_then)
        await until(lambda: all(not queue for queue in side.hub.queues.values()))


@pytest.fixture
async def west_away(two_gateways, clock) -> Gateway:
    """The west, with three messages to RS-MUP that no attempt could deliver, one to it that is too large to be carried."""
    west, _ = two_gateways
    settings = replace(west.rt.settings, line_failures=1000)  # else the line waits, and no message is tried to its end
    side = replace(west, rt=replace(west.rt, settings=settings, transport=Scripted(west.hub)))
    await side.open()
    for _ in range(3):
        hand_in_entry(side)
    side.rt.transport.failing["RS-MUP"] = BrokerUnavailable("nobody answers")
    for wait in (*side.rt.settings.retry_seconds, 0):
        await side.deliver()
        clock.move(seconds=wait)
    side.rt.transport.failing["RS-MUP"] = TooLarge("more than is carried")
    hand_in_entry(side)
    await side.deliver()
    side.rt.transport.failing.clear()
    return side


@pytest.fixture
async def case_parked(case, broken) -> list[str]:
    """Ids of the questions 2, 3 and 4 of a case: their recipient could not take the first two, the third waits for them."""
    sent = [case.send(QUESTION, ASKING) for _ in range(3)]
    broken |= {sent[0].message_id, sent[1].message_id}
    while await case.west.deliver():  # one of a case at a time
        pass
    await met(case.east, parked_then=2)
    return [one.message_id for one in sent]


# --- the list -----------------------------------------------------------------------------------------------------------


async def test_one_line_for_each_cause_says_how_many_since_when_who_and_what_to_do(west_away, command) -> None:
    first, second = command(west_away, "parked").json["parked"]
    rows = outbox_rows(west_away)
    assert (first["code"], first["partner"], first["direction"], first["count"]) == ("broker-unavailable", "RS-MUP", "out", 3)
    assert first["oldest"] == rows[0].parked_at.isoformat()
    assert first["owners"] == ["operations"]
    assert "broker" in first["next"]
    assert (second["code"], second["count"], second["owners"]) == ("too-large", 1, ["case officer"])


async def test_single_things_have_id_message_case_number_and_attempts(west_away, command) -> None:
    found = command(west_away, "parked", "--each", "--cause", "too-large").json["each"]
    (row,) = [row for row in outbox_rows(west_away) if row.code == "too-large"]
    (one,) = found
    assert (one["id"], one["message_id"], one["attempts"]) == (f"out-{row.message_row}", row.message_id, 1)
    assert (one["sequence"], one["type"], one["verified"]) == (1, "ReadmissionApplication", True)
    assert one["case"]


@pytest.mark.parametrize(
    ("choice", "count_"),
    [(("--partner", "rs"), 4), (("--partner", "RS-MUP"), 4), (("--partner", "pk"), 0), (("--cause", "too-large"), 1)],
)
async def test_list_is_kept_to_a_cause_or_a_partner(west_away, command, choice, count_) -> None:
    assert len(things(command(west_away, "parked", "--each", *choice))) == count_


async def test_what_came_is_listed_by_what_its_verified_bytes_say(case, case_parked, command) -> None:
    (group,) = command(case.east, "parked").json["parked"]
    assert (group["code"], group["partner"], group["rule"], group["count"]) == ("internal-error", ASKING, "ValueError", 2)
    one, two = command(case.east, "parked", "--each").json["each"]
    assert (one["message_id"], one["case"]) == (case_parked[0], case.opening.case_reference)
    assert ([one["sequence"], two["sequence"]], one["verified"]) == ([2, 3], True)
    assert "KANARINAC" not in repr(journalled(case.east.rt.engine))


async def test_person_who_takes_things_stands_there_as_their_owner(west_away, command) -> None:
    command(west_away, "parked", "--cause", "too-large", "--take", "C. Specimen")
    owners = {group["code"]: group["owners"] for group in command(west_away, "parked").json["parked"]}
    assert owners == {"broker-unavailable": ["operations"], "too-large": ["C. Specimen"]}
    (entry,) = journalled(west_away.rt.engine, "queue.taken")
    assert (entry["actor"], entry["detail"]) == ("C. Specimen", {"count": 1})


async def test_nothing_parked_is_an_empty_list(two_gateways, command) -> None:
    assert command(two_gateways[0], "parked", "--each").json == {"parked": [], "each": []}


# --- set aside ----------------------------------------------------------------------------------------------------------


async def test_process_that_dies_before_the_transport_forgets_keeps_the_parcel_under_one_id(
    two_gateways, broken, monkeypatch, clock
) -> None:
    west, east = two_gateways
    sent, _ = hand_in_entry(west)
    broken.add(sent.message_id)
    await west.deliver()
    with monkeypatch.context() as killed:

        async def dies(_deliveries) -> None:
            await east.rt.transport.close()  # what it held lies in the queue again

        killed.setattr(east.rt.transport, "settle", dies)
        (delivery,) = await east.rt.transport.take(50, 0.0)
        setting_aside.set_aside(delivery, ValueError("KANARINAC"), east.rt)
        await east.rt.transport.settle([delivery])
    came = clock.now
    clock.move(hours=1)
    await east.open()
    await met(east, parked_then=1)
    (row,) = aside(east)
    assert (row.attempts, row.received_at, row.parked_at) == (2, came, clock.now)


async def test_what_the_transport_set_aside_itself_is_taken_over_unopened(two_gateways, command, monkeypatch) -> None:
    west, east = two_gateways
    sent, _ = hand_in_entry(west)
    await west.deliver()
    (delivery,) = await east.rt.transport.take(50, 0.0)
    await east.rt.transport.park(delivery, "no-code-of-ours")
    monkeypatch.setattr(setting_aside, "unseal", None)  # it may be what breaks whoever opens it
    await met(east, parked_then=1)
    (one,) = command(east, "parked", "--each").json["each"]
    assert (one["message_id"], one["partner"], one["verified"], one["code"]) == (
        sent.message_id,
        ASKING,
        False,
        "internal-error",
    )


async def test_defect_in_setting_aside_leaves_the_parcel_with_the_transport(two_gateways, broken, monkeypatch) -> None:
    west, east = two_gateways
    bad, good = (hand_in_entry(west)[0].message_id for _ in range(2))
    broken.add(bad)
    await west.deliver()

    def fails(*_: object) -> None:
        raise RuntimeError("a second defect")

    with monkeypatch.context() as defect:
        defect.setattr(parked, "keep", fails)
        async with running(east.rt, names=["consume"]):
            await until(lambda: [item.parked for item in east.hub.queues["RS-MUP"]] == ["internal-error"])
            await until(lambda: count(east.rt.engine, "cases") == {"cases": 1})
    assert row_of(east, "in", ASKING, good).outcome == "accepted"
    await met(east, parked_then=1)
    assert aside(east)[0].message_id == bad


async def test_parcel_that_claims_nonsense_is_kept_without_it(two_gateways, command) -> None:
    _, east = two_gateways
    await east.rt.transport.send([Parcel(message_id="x", sender="XA-ONE", recipient="RS-MUP", body=b"\x00no parcel")])
    (delivery,) = await east.rt.transport.take(50, 0.0)
    nonsense = replace(delivery, sender="\x00'); DROP", message_id="\x00" * 90)
    setting_aside.set_aside(nonsense, ValueError("a defect"), east.rt)
    (one,) = command(east, "parked", "--each").json["each"]
    assert (one["partner"], one["message_id"], one["verified"]) == (None, None, False)


# --- tried again --------------------------------------------------------------------------------------------------------


async def test_what_leaves_gets_all_its_attempts_again_with_the_identical_bytes(two_gateways, west_away, command) -> None:
    before = [row.body for row in outbox_rows(west_away)]
    done = command(west_away, "replay", "--cause", "broker-unavailable", *WHO)
    assert (done.code, done.json["count"], done.json["parked_again"]) == (0, 3, 0)
    rows = outbox_rows(west_away)
    assert [row.body for row in rows] == before
    assert [(row.attempts, row.parked_at is None) for row in rows] == [(0, True)] * 3 + [(1, False)]
    assert await west_away.deliver() == 3
    await exchange(two_gateways[1], west_away)
    assert {row_of(west_away, "out", ASKING, row.message_id).outcome for row in rows[:3]} == {"received"}


async def test_decision_to_try_again_is_in_the_journal(west_away, command) -> None:
    command(west_away, "replay", "--cause", "too-large", *WHO, "--second", "B. Specimen")
    (entry,) = journalled(west_away.rt.engine, "message.replayed")
    assert (entry["actor"], entry["authority"]) == ("A. Specimen", ASKING)
    said = entry["detail"]
    assert (said["why"], said["second"], said["code"]) == ("mended in version 7", "B. Specimen", "too-large")
    assert said["account"].startswith("cli:")
    assert entry["case_id"] is not None


async def test_what_fails_again_is_parked_again_under_its_id(west_away, command) -> None:
    (before,) = things(command(west_away, "parked", "--each", "--cause", "too-large"))
    command(west_away, "replay", before, *WHO)
    assert things(command(west_away, "parked", "--each", "--cause", "too-large")) == []
    west_away.rt.transport.failing["RS-MUP"] = TooLarge("still more than is carried")
    await west_away.deliver()
    assert things(command(west_away, "parked", "--each", "--cause", "too-large")) == [before]


async def test_what_came_is_taken_in_the_order_of_its_case(case, case_parked, broken, command) -> None:
    broken.clear()
    ids = things(command(case.east, "parked", "--each"))
    done = command(case.east, "replay", *reversed(ids), *WHO)
    assert (done.code, done.json["replayed"]) == (0, [{"id": one, "outcome": "accepted", "code": None} for one in ids])
    await case.exchange()
    assert [row_of(case.east, "in", ASKING, one).outcome for one in case_parked] == ["accepted"] * 3
    assert [row_of(case.west, "out", ASKING, one).outcome for one in case_parked] == ["received"] * 3
    assert all(row.body is None and row.settled == "replayed" for row in aside(case.east))


async def test_what_was_parked_counts_from_when_it_came(case, broken, command, clock) -> None:
    stated = case.send("CostStatement-by-requesting", ASKING, Attachment=None)
    broken.add(stated.message_id)
    await case.west.deliver()
    came = clock.now
    await met(case.east, parked_then=1)
    broken.clear()
    clock.move(days=3)
    command(case.east, "replay", "--cause", "internal-error", *WHO)
    await case.exchange()
    assert case.deadline(case.east, "costs").started_at == came
    case.settled("costs")


async def test_what_meets_the_defect_again_stays_parked_while_the_others_go_on(two_gateways, broken, command) -> None:
    west, east = two_gateways
    sent = [hand_in_entry(west)[0].message_id for _ in range(2)]
    broken |= set(sent)
    await west.deliver()
    await met(east, parked_then=2)
    ids = things(command(east, "parked", "--each"))
    broken.discard(sent[1])
    done = command(east, "replay", *ids, *WHO)
    assert [(one["id"], one["outcome"], one["code"]) for one in done.json["replayed"]] == [
        (ids[0], "parked", "internal-error"),
        (ids[1], "accepted", None),
    ]
    assert (done.code, done.json["parked_again"]) == (4, 1)
    assert things(command(east, "parked", "--each")) == [ids[0]]
    assert aside(east)[0].attempts == 2


async def test_what_cannot_be_judged_now_stays_parked_with_the_new_reason(two_gateways, broken, command, monkeypatch) -> None:
    west, east = two_gateways
    broken.add(hand_in_entry(west)[0].message_id)
    await west.deliver()
    await met(east, parked_then=1)

    def unknown(*_: object, **__: object) -> None:
        raise RevocationUnknown("nothing was fetched yet")

    monkeypatch.setattr(inbound, "verify_contents", unknown)
    done = command(east, "replay", "--cause", "internal-error", *WHO)
    assert (done.code, done.json["replayed"][0]["code"]) == (3, "revocation-unknown")
    (group,) = command(east, "parked").json["parked"]
    assert (group["code"], group["owners"]) == ("revocation-unknown", ["operations"])


async def test_crash_after_the_walk_finds_a_repeat_and_no_double_effect(two_gateways, broken, command, monkeypatch) -> None:
    west, east = two_gateways
    broken.add(hand_in_entry(west)[0].message_id)
    await west.deliver()
    await met(east, parked_then=1)
    broken.clear()
    with monkeypatch.context() as killed:

        def dies(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        killed.setattr(parked, "settle", dies)
        with pytest.raises(KeyboardInterrupt):
            list(
                replaying.replay(
                    east.rt,
                    _every(east),
                    Ground.of(by="A. Specimen", why="mended"),
                    account="cli:test",
                )
            )
    assert len(things(command(east, "parked", "--each"))) == 1
    done = command(east, "replay", "--cause", "internal-error", *WHO)
    assert [one["outcome"] for one in done.json["replayed"]] == ["repeated"]
    assert count(east.rt.engine, "cases", "inbox") == {"cases": 1, "inbox": 1}
    assert things(command(east, "parked", "--each")) == []


def _every(side: Gateway) -> list:
    with reading(side.rt.engine) as tx:
        return parking.every(tx, side.rt.settings.home)


async def test_preview_shows_the_order_and_changes_nothing(case, case_parked, broken, command) -> None:
    broken.clear()
    tables = ("journal", "messages", "outbox", "parked", "inbox")
    before, rows = count(case.east.rt.engine, *tables), aside(case.east)
    done = command(case.east, "replay", "--cause", "internal-error", "--preview")
    assert [one["message_id"] for one in done.json["preview"]] == case_parked[:2]
    assert (done.json["count"], done.json["second_needed"]) == (2, False)
    assert (count(case.east.rt.engine, *tables), aside(case.east)) == (before, rows)


async def test_many_at_once_need_a_second_person(west_away, command) -> None:
    side = replace(west_away, rt=replace(west_away.rt, settings=replace(west_away.rt.settings, replay_alone=2)))
    choice = ("replay", "--cause", "broker-unavailable")
    assert command(side, *choice, "--preview").json["second_needed"] is True
    for words in (WHO, (*WHO, "--second", "a. specimen"), (*WHO, "--second", " ")):
        refused = command(side, *choice, *words)
        assert (refused.code, refused.json["error"]["code"]) == (1, "second-person-missing")
    assert all(row.parked_at for row in outbox_rows(side))
    assert command(side, *choice, *WHO, "--second", "B. Specimen").code == 0
    assert sum(row.parked_at is None for row in outbox_rows(side)) == 3


@pytest.mark.parametrize("words", [("--by", "A. Specimen"), ("--why", "mended"), ("--by", " ", "--why", "mended")])
@pytest.mark.parametrize("verb", ["replay", "drop"])
async def test_decision_needs_a_person_and_a_reason(west_away, command, verb, words) -> None:
    (thing,) = things(command(west_away, "parked", "--each", "--cause", "too-large"))
    refused = command(west_away, verb, thing, *words)
    assert (refused.code, refused.json["error"]["code"]) == (1, "missing-field")
    assert all(row.parked_at for row in outbox_rows(west_away))


@pytest.mark.parametrize("words", [(), ("out-1", "--cause", "too-large")])
async def test_replay_takes_either_ids_or_a_choice(west_away, command, words) -> None:
    assert command(west_away, "replay", *words, *WHO).code == 2


@pytest.mark.parametrize("thing", ["in-99", "out-99", "in-", "7", "out-99999999999999999999999", "in-²"])
@pytest.mark.parametrize("verb", ["replay", "drop"])
async def test_what_is_not_parked_is_refused(west_away, command, verb, thing) -> None:
    refused = command(west_away, verb, thing, *WHO)
    assert (refused.code, refused.json["error"]["code"]) == (1, "not-found")


async def test_what_was_tried_again_is_not_parked_any_more(case, case_parked, broken, command) -> None:
    broken.clear()
    first, _ = things(command(case.east, "parked", "--each"))
    command(case.east, "replay", first, *WHO)
    for verb in ("replay", "drop"):
        refused = command(case.east, verb, first, *WHO)
        assert (refused.code, refused.json["error"]["code"]) == (1, "transition-not-allowed")
        assert "A. Specimen" in refused.json["error"]["message"]


# --- given up: what came --------------------------------------------------------------------------------------------------


async def test_sender_of_what_is_dropped_gets_a_signed_negative_receipt(case, case_parked, command) -> None:
    first, _ = things(command(case.east, "parked", "--each"))
    done = command(case.east, "drop", first, *WHO)
    assert (done.code, done.json["told"]) == (0, "its sender gets a signed negative receipt")
    await case.east.deliver()
    await case.west.take_in()
    row = row_of(case.west, "out", ASKING, case_parked[0])
    assert (row.outcome, row.code, row.receipt_message_id) == ("refused", "dropped", done.json["receipt_message_id"])
    (entry,) = journalled(case.east.rt.engine, "message.dropped")
    assert (entry["actor"], entry["message_id"], entry["detail"]["why"]) == (
        "A. Specimen",
        case_parked[0],
        "mended in version 7",
    )
    assert row_of(case.east, "in", ASKING, case_parked[0]).sequence == 2
    assert aside(case.east)[0].body is None


async def test_what_waited_for_a_dropped_message_has_its_turn(case, case_parked, broken, command) -> None:
    first, second = things(command(case.east, "parked", "--each"))
    command(case.east, "drop", first, *WHO)
    broken.clear()
    command(case.east, "replay", second, *WHO)
    await case.exchange()
    assert [row_of(case.east, "in", ASKING, one).outcome for one in case_parked] == ["refused", "accepted", "accepted"]


async def test_dropped_message_that_comes_again_gets_its_receipt_again(case, case_parked, broken, command) -> None:
    body = aside(case.east)[0].body
    broken.clear()
    command(case.east, "drop", things(command(case.east, "parked", "--each"))[0], *WHO)
    assert outcomes(take(case.east.rt, body)) == [("repeated", None)]


async def test_nobody_is_told_of_a_parcel_that_cannot_be_opened(two_gateways, command) -> None:
    _, east = two_gateways
    await east.rt.transport.send([Parcel(message_id="x", sender="AT-BMI", recipient="RS-MUP", body=b"no parcel")])
    (delivery,) = await east.rt.transport.take(50, 0.0)
    setting_aside.set_aside(delivery, ValueError("a defect"), east.rt)
    (thing,) = things(command(east, "parked", "--each"))
    done = command(east, "drop", thing, *WHO)
    assert (done.code, done.json["receipt_message_id"]) == (0, None)
    assert done.json["told"].startswith("nobody can be told")
    assert leaving(east, two_gateways[0].rt) == []
    assert len(journalled(east.rt.engine, "message.dropped")) == 1


async def test_parcel_that_meets_a_defect_when_opened_is_dropped_only_unopened(
    two_gateways, broken, command, monkeypatch
) -> None:
    west, east = two_gateways
    broken.add(hand_in_entry(west)[0].message_id)
    await west.deliver()
    await met(east, parked_then=1)
    (thing,) = things(command(east, "parked", "--each"))

    def defect(*_: object, **__: object) -> None:
        raise ValueError("KANARINAC")

    monkeypatch.setattr("gateway.flow.dropping.unseal", defect)
    refused = command(east, "drop", thing, *WHO)
    assert (refused.code, refused.json["error"]["code"]) == (1, "transition-not-allowed")
    assert "KANARINAC" not in refused.out
    assert things(command(east, "parked", "--each")) == [thing]
    assert command(east, "drop", thing, "--unopened", *WHO).code == 0
    assert things(command(east, "parked", "--each")) == []


async def test_message_that_was_taken_meanwhile_is_not_refused_by_dropping_its_copy(two_gateways, broken, command) -> None:
    west, east = two_gateways
    sent, _ = hand_in_entry(west)
    broken.add(sent.message_id)
    await west.deliver()
    await met(east, parked_then=1)
    broken.clear()
    take(east.rt, aside(east)[0].body)  # the transport brought it once more
    done = command(east, "drop", things(command(east, "parked", "--each"))[0], *WHO)
    assert done.json["told"].startswith("it was settled before")
    assert row_of(east, "in", ASKING, sent.message_id).outcome == "accepted"
    await exchange(west, east)
    assert row_of(west, "out", ASKING, sent.message_id).outcome == "received"


# --- given up: what leaves --------------------------------------------------------------------------------------------------


@pytest.fixture
async def question_parked(case) -> tuple[str, str]:
    """Message id and parked id of question 2 of a case, which could not be delivered; the west delivers again."""
    side = replace(case.west, rt=replace(case.west.rt, transport=Scripted(case.west.hub)))
    await side.open()
    sent = case.send(QUESTION, ASKING)
    side.rt.transport.failing[ASKED] = TooLarge("more than is carried")
    await side.deliver()
    (row,) = outbox_rows(case.west)
    return sent.message_id, f"out-{row.message_row}"


async def test_dropped_message_of_ours_stays_in_its_case_marked(case, question_parked, command) -> None:
    message_id, thing = question_parked
    done = command(case.west, "drop", thing, *WHO)
    assert (done.code, "officer" in done.json["told"]) == (0, True)
    assert outbox_rows(case.west) == []
    assert row_of(case.west, "out", ASKING, message_id).outcome == "dropped"
    (entry,) = journalled(case.west.rt.engine, "message.dropped")
    assert (entry["case_id"], entry["message_id"]) == (case.case(case.west).id, message_id)
    assert (entry["detail"]["code"], entry["detail"]["why"]) == ("too-large", "mended in version 7")


async def test_other_side_that_waits_for_a_dropped_message_is_told_that_it_never_comes(case, question_parked, command) -> None:
    _, thing = question_parked
    later = case.send(QUESTION, ASKING)
    await case.exchange()
    with reading(case.east.rt.engine) as tx:
        assert early.count(tx) == 1
    command(case.west, "drop", thing, *WHO)
    await case.exchange()
    assert row_of(case.east, "in", ASKING, later.message_id).outcome == "accepted"
    assert row_of(case.west, "out", ASKING, later.message_id).outcome == "received"
    assert [entry["detail"] for entry in journalled(case.west.rt.engine, "gap.told")] == [{"code": "dropped", "count": 1}]
    assert [entry["detail"] for entry in journalled(case.east.rt.engine, "gap.given_up")] == [
        {"code": "dropped", "first": 2, "last": 2, "count": 1}
    ]


async def test_case_files_of_both_sides_hold_although_a_message_never_came(case, question_parked, command, tmp_path) -> None:
    _, thing = question_parked
    case.send(QUESTION, ASKING)
    await case.exchange()
    command(case.west, "drop", thing, *WHO)
    await case.exchange()
    says = {}
    for side in (case.west, case.east):
        path = tmp_path / "case.asice"
        export_case(case.case(side).id or 0, path, side.rt, actor="clerk", purpose="appeal")
        found = verify_case_file(path, side.rt.settings.keys / "anchors", case.clock.now, SCHEMAS)
        assert [(item.item, item.code) for item in found.items if item.verdict == "refused"] == []
        (item,) = [item for item in found.items if item.item == "messages"]
        says[side.rt.settings.name] = (item.verdict, item.says)
    ours, theirs = says.values()
    assert ours[0] == "valid"
    assert theirs[0] == "not-proven"
    assert f"{ASKING} gave up its message number 2, by a signed receipt: it never came." in theirs[1]


async def test_other_side_that_asks_for_a_dropped_message_is_told_instead_of_getting_it(case, question_parked, command) -> None:
    message_id, thing = question_parked
    command(case.west, "drop", thing, *WHO)
    later = case.send(QUESTION, ASKING)
    await case.exchange()
    assert journalled(case.west.rt.engine, "message.sent_again") == []
    assert row_of(case.west, "out", ASKING, message_id).outcome == "dropped"
    assert row_of(case.east, "in", ASKING, later.message_id).outcome == "accepted"


async def test_number_that_is_only_late_is_still_waited_for(case, question_parked, command) -> None:
    """2 is dropped, 3 is late, 4 waits: 4 is taken after 3, not before."""
    _, thing = question_parked
    third, fourth = case.send(QUESTION, ASKING), case.send(QUESTION, ASKING)
    (late,) = on_the_way(case.west, third)
    take(case.east.rt, *on_the_way(case.west, fourth))
    lose(case.west, third, fourth)
    command(case.west, "drop", thing, *WHO)
    await case.west.deliver()  # says of 3 that 2 never comes; 3 is not there yet, so nothing follows
    await case.east.take_in()
    with reading(case.east.rt.engine) as tx:
        assert early.count(tx) == 1
    take(case.east.rt, late)
    await case.exchange()
    assert [row_of(case.east, "in", ASKING, one.message_id).outcome for one in (third, fourth)] == ["accepted"] * 2


async def test_stranger_cannot_give_up_the_numbers_of_another(case, question_parked, command) -> None:
    later = case.send(QUESTION, ASKING)
    await case.exchange()
    row = row_of(case.west, "out", ASKING, later.message_id)
    line = ReceiptItem(
        message_id=row.message_id,
        digest=row.digest,
        received_at=case.clock.now,
        accepted=False,
        code="dropped",
        missing=(2,),
    )
    forged = receipt(case.west.rt, case.clock.now, line, sender="BA-MS", recipient=ASKED)
    assert outcomes(take(case.east.rt, forged)) == [("refused", "answer-mismatch")]
    other_digest = replace(line, digest="0" * 64)
    forged = receipt(case.west.rt, case.clock.now, other_digest, sender=ASKING, recipient=ASKED)
    assert outcomes(take(case.east.rt, forged)) == [("refused", "answer-mismatch")]
    not_before_it = replace(line, missing=(1,))
    forged = receipt(case.west.rt, case.clock.now, not_before_it, sender=ASKING, recipient=ASKED)
    assert outcomes(take(case.east.rt, forged)) == [("refused", "answer-mismatch")]
    with reading(case.east.rt.engine) as tx:
        assert early.count(tx) == 1


async def test_dropped_message_that_had_arrived_after_all_is_known_by_its_receipt(case, command) -> None:
    sent = case.send(QUESTION, ASKING)
    bodies = on_the_way(case.west, sent)
    side = replace(case.west, rt=replace(case.west.rt, transport=Scripted(case.west.hub)))
    await side.open()
    side.rt.transport.failing[ASKED] = TooLarge("no confirm")
    await side.deliver()
    (row,) = outbox_rows(case.west)
    command(case.west, "drop", f"out-{row.message_row}", *WHO)
    take(case.east.rt, *bodies)
    await case.exchange()
    assert row_of(case.west, "out", ASKING, sent.message_id).outcome == "received"


async def test_message_that_is_known_to_have_arrived_is_not_parked_any_more(case, question_parked, command) -> None:
    message_id, thing = question_parked
    (row,) = outbox_rows(case.west)
    take(case.east.rt, row.body)
    await case.east.deliver()
    await case.west.take_in()
    refused = command(case.west, "drop", thing, *WHO)
    assert (refused.code, refused.json["error"]["code"]) == (1, "transition-not-allowed")
    assert row_of(case.west, "out", ASKING, message_id).outcome == "received"


async def test_dropping_a_copy_of_what_arrived_changes_nothing_of_the_message(case, question_parked, command) -> None:
    message_id, thing = question_parked
    row = row_of(case.west, "out", ASKING, message_id)
    note = messages.ReceiptNote(
        row_id=row.id, outcome="received", code=None, received_at=case.clock.now, receipt_message_id="r" * 36
    )
    with transaction(case.west.rt.engine) as tx:
        messages.mark_receipts(tx, [note])  # and a copy that was asked for again is still parked
    assert command(case.west, "drop", thing, *WHO).json["told"].startswith("only our copy is gone")
    assert row_of(case.west, "out", ASKING, message_id).outcome == "received"
    assert outbox_rows(case.west) == []


async def test_what_was_dropped_is_refused_with_who_and_why(case, question_parked, command) -> None:
    _, thing = question_parked
    command(case.west, "drop", thing, *WHO)
    for verb in ("replay", "drop"):
        refused = command(case.west, verb, thing, *WHO)
        assert (refused.code, refused.json["error"]["code"]) == (1, "transition-not-allowed")
        assert "A. Specimen" in refused.json["error"]["message"]


async def test_commands_say_the_same_to_people(west_away, command, monkeypatch) -> None:
    monkeypatch.setattr("gateway.cli.parked.load", lambda _: west_away.rt.settings)
    monkeypatch.setattr("gateway.cli.parked.build", lambda _: west_away.rt)
    told = call("queue", "parked", "--each", monkeypatch=monkeypatch)
    assert (told.code, "broker-unavailable" in told.out, "operations" in told.out) == (0, True, True)
    told = call("queue", "replay", "--cause", "too-large", "--preview", monkeypatch=monkeypatch)
    assert "1 would be tried again" in told.out
    told = call("queue", "replay", "--cause", "too-large", *WHO, monkeypatch=monkeypatch)
    assert (told.code, "leaves again" in told.out) == (0, True)
