"""The walk outward: what is handed in leaves signed and sealed, waits for a person, or is refused without a trace but one."""

import json
import sqlite3
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree
from sqlalchemy import select
from structlog.testing import capture_logs

from gateway.domain.safeguards import ADVICE, Answers, HoldReason
from gateway.errors import (
    BrokerUnavailable,
    DatabaseUnavailable,
    KeyMissing,
    NotFound,
    NotHome,
    Refused,
    StatementInvalid,
    TransitionNotAllowed,
)
from gateway.flow import outbound
from gateway.flow.draft import Held, Sent
from gateway.flow.holding import resume
from gateway.flow.mailbox import fetch
from gateway.flow.outbound import submit
from gateway.flow.statements import make_statement, release_statement, statement_of
from gateway.flow.submissions import describe
from gateway.stages import Submitted
from gateway.store import cases, deadlines, inbox
from gateway.store import tables as t
from gateway.store.columns import metadata
from gateway.store.database import reading, transaction
from gateway.wire.documents import NS, serialize
from gateway.wire.reading import complete_header, header_of, without_header
from tests.forging import (
    NOTHING,
    TO_ORIGIN,
    Scripted,
    application,
    count,
    find,
    hand_in_entry,
    journalled,
    leaving,
    reply,
    row_of,
    stored,
    with_header,
)
from tests.gateways import GOOD_ANSWERS, Gateway, example, exchange
from tests.statements import before_each_statement

pytestmark = pytest.mark.anyio

FILLED = ("MessageId", "CaseReference", "Sequence", "Created")


@pytest.fixture
def west(two_gateways) -> Gateway:
    return two_gateways[0]


@pytest.fixture
async def asked(two_gateways):
    """An application of AT-BMI that RS-MUP has received. Returns (west, east, sent, document)."""
    west, east = two_gateways
    sent, document = hand_in_entry(west)
    await exchange(west, east)
    return west, east, sent, document


def entry_with(at, path: str, value: str) -> bytes:
    document = application(at)
    find(document, path).text = value
    return serialize(document)


def hold(side: Gateway, at, **changes) -> tuple[Held, etree._Element]:
    document = application(at, TO_ORIGIN, **changes)
    held = side.hand_in(serialize(document), authority="BA-MS")
    assert isinstance(held, Held)
    return held, document


# --- refused ----------------------------------------------------------------------------------------------------------

REFUSALS = {
    "empty-document": lambda at: b"",
    "malformed-xml": lambda at: serialize(application(at))[:-30],
    "doctype-forbidden": lambda at: b"<!DOCTYPE x []>" + etree.tostring(application(at)),
    "markup-forbidden": lambda at: etree.tostring(application(at)).replace(b"<Person>", b"<!-- --><Person>"),
    "not-text": lambda at: b"\x00\x01\x02",
    "wrong-encoding": lambda at: etree.tostring(application(at), encoding="UTF-16"),
    "too-large": lambda at: serialize(application(at)) + b" " * 1_048_577,
    "unknown-message-type": lambda at: f'<Parcel xmlns="{NS}"/>'.encode(),
    "unsupported-schema-version": lambda at: (
        serialize(application(at)).replace(b'"1.0"?', b"?").replace(b'Version="1.0"', b'Version="2.0"')
    ),
    "schema-violation": lambda at: entry_with(at, "Person/Sex", "neither"),
    "rule-violation": lambda at: entry_with(at, "Request/Ground", "stateless"),
    "unknown-authority": lambda at: serialize(application(at, Recipient="RS-NOBODY")),
    "unknown-treaty": lambda at: entry_with(at, "Request/Agreement", "xa-xb"),
    "treaty-does-not-bind": lambda at: entry_with(at, "Request/Agreement", "ba-pk"),
    "signer-mismatch": lambda at: serialize(application(at, Sender="BA-MS")),
    "bad-value": lambda at: serialize(application(at, Created="2026-06-01T08:21:00Z")),
    "transition-not-allowed": lambda at: example("Receipt-accepted").replace(b"PK-MOI", b"AT-BMI").replace(b"BA-MS", b"RS-MUP"),
    "missing-field": lambda at: serialize(without_header(reply(_answered(at), at), ("CaseReference",))),
    "unknown-case": lambda at: serialize(reply(_answered(at), at)),
}


def _answered(at):
    return application(at, "ReadmissionApplication-stateless")  # RS-MUP asks AT-BMI


@pytest.mark.parametrize("code", sorted(REFUSALS))
async def test_refusal_leaves_nothing_but_a_row_in_the_journal(west, clock, code) -> None:
    body = REFUSALS[code](clock.now)
    result = west.hand_in(body, authority="AT-BMI")
    assert isinstance(result, Refused)
    assert result.code == code
    assert len(result.message.split()) >= 3
    assert count(west.rt.engine) == NOTHING
    (entry,) = journalled(west.rt.engine)
    assert (entry["event"], entry["actor"], entry["authority"]) == ("message.refused", "officer", "AT-BMI")
    assert entry["detail"]["code"] == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda data: data | {"abkommen": 7}, "schema-violation"),
        (lambda data: data | {"ersuchensgrund": "SONSTIGES"}, "unmapped-code"),
        (lambda data: data | {"unbekannt": "x"}, "schema-violation"),
        (lambda data: [data], "unknown-message-type"),
    ],
    ids=["kind of value", "code not known", "field not known", "a list"],
)
async def test_document_that_is_not_in_the_authoritys_own_format_is_refused(west, clock, change, code) -> None:
    good = west.rt.translators["at/bmi-json"].from_canonical(application(clock.now)).body
    result = west.hand_in(json.dumps(change(json.loads(good))).encode(), authority="AT-BMI", dialect="at/bmi-json")
    assert isinstance(result, Refused)
    assert result.code == code
    assert count(west.rt.engine) == NOTHING
    assert journalled(west.rt.engine)[0]["detail"]["dialect"] == "at/bmi-json"


async def test_unknown_dialect_is_refused(west, clock) -> None:
    result = west.hand_in(b"{}", authority="AT-BMI", dialect="at/fax")
    assert isinstance(result, Refused)
    assert (result.code, count(west.rt.engine)) == ("unknown-dialect", NOTHING)


async def test_authority_that_is_not_home_here_cannot_hand_in(west, clock) -> None:
    with pytest.raises(NotHome):
        west.hand_in(serialize(application(clock.now)), authority="RS-MUP")
    assert count(west.rt.engine) == NOTHING
    assert journalled(west.rt.engine) == []


async def test_refused_message_does_not_touch_the_others_of_its_batch(west, clock) -> None:
    bodies = [serialize(application(clock.now)), b"<", serialize(application(clock.now))]
    batch = [
        Submitted(body=body, authority="AT-BMI", dialect="canonical", submitted_at=clock.now, actor="officer")
        for body in bodies
    ]
    one, two, three = submit(batch, west.rt)
    assert isinstance(one, Sent)
    assert isinstance(two, Refused)
    assert isinstance(three, Sent)
    assert count(west.rt.engine, "cases", "outbox") == {"cases": 2, "outbox": 2}


async def test_same_document_twice_in_one_batch_leaves_once(west, clock) -> None:
    item = Submitted(
        body=serialize(application(clock.now)), authority="AT-BMI", dialect="canonical", submitted_at=clock.now, actor="officer"
    )
    one, two = submit([item, item], west.rt)
    assert one == two
    assert count(west.rt.engine, "cases", "outbox") == {"cases": 1, "outbox": 1}


async def test_authority_without_its_key_does_not_stop_the_others(gateway, clock) -> None:
    class Ring:
        """The key ring of a gateway whose RS-MUP lost its key."""

        @staticmethod
        def signing(authority: str, at: datetime):
            if authority == "RS-MUP":
                raise KeyMissing("there is no signing key of RS-MUP")
            return gateway.rt.ring.signing(authority, at)

    bodies = {"RS-MUP": application(clock.now, "ReadmissionApplication-third-country-permit"), "AT-BMI": application(clock.now)}
    items = [
        Submitted(body=serialize(document), authority=authority, dialect="canonical", submitted_at=clock.now, actor="officer")
        for authority, document in bodies.items()
    ]
    no_key, sent = submit(items, replace(gateway.rt, ring=Ring()))
    assert isinstance(no_key, KeyMissing)
    assert isinstance(sent, Sent)
    assert count(gateway.rt.engine, "cases", "outbox") == {"cases": 1, "outbox": 1}


async def test_database_that_fails_half_way_keeps_nothing(west, clock) -> None:
    def full(statement, _values) -> None:
        if statement.startswith("INSERT INTO journal"):
            raise sqlite3.OperationalError("disk full")

    with before_each_statement(west.rt.engine, full), pytest.raises(DatabaseUnavailable):
        hand_in_entry(west)
    assert count(west.rt.engine) == NOTHING


# --- what the gateway fills -------------------------------------------------------------------------------------------


async def test_gateway_fills_the_header_and_reports_what_it_filled(west, clock) -> None:
    body = west.rt.translators["at/bmi-json"].from_canonical(without_header(application(clock.now), FILLED)).body
    assert "nachrichten_id" not in json.loads(body)["kopf"]
    sent = west.hand_in(body, authority="AT-BMI", dialect="at/bmi-json")

    assert isinstance(sent, Sent)
    (report,) = map(json.loads, stored(west, "report"))
    filled = {field["path"] for field in report["fields"] if field["action"] == "filled"}
    assert filled >= {f"/ReadmissionApplication/Header/{name}" for name in FILLED}
    ((_, document),) = leaving(west, west.rt)
    header = header_of(document)
    assert (header["MessageId"], header["CaseReference"], header["Sequence"]) == (sent.message_id, sent.case_reference, "1")
    assert header["Created"].startswith("2026-06-01T08:15:00")


async def test_what_the_authority_wrote_into_the_header_stays(west, clock) -> None:
    sent, document = hand_in_entry(west)
    ((_, left),) = leaving(west, west.rt)
    assert header_of(left) == header_of(document)
    assert sent.message_id == header_of(document)["MessageId"]


async def test_reply_is_given_its_number_and_the_digest_it_answers(asked, clock) -> None:
    west, east, sent, document = asked
    east.hand_in(serialize(reply(document, clock.now)), authority="RS-MUP")
    ((_, left),) = leaving(east, west.rt)
    header = header_of(left)
    assert (header["InReplyTo/MessageId"], header["InReplyTo/Sha256"]) == (sent.message_id, sent.digest)
    assert header["Sequence"] == "1"


async def test_two_applications_never_share_a_reference_of_the_gateway(west, clock) -> None:
    document = without_header(application(clock.now), FILLED)
    first, second = (west.hand_in(serialize(document), authority="AT-BMI") for _ in range(2))
    assert first.case_reference != second.case_reference


# --- handed in again --------------------------------------------------------------------------------------------------


async def test_same_document_handed_in_twice_gets_the_same_answer(west, clock) -> None:
    sent, document = hand_in_entry(west)
    before, entries = count(west.rt.engine), len(journalled(west.rt.engine))
    clock.move(hours=2)
    assert west.hand_in(serialize(document), authority="AT-BMI") == sent
    assert count(west.rt.engine) == before
    (noted,) = journalled(west.rt.engine)[entries:]
    assert (noted["event"], noted["message_id"], noted["case_id"]) == ("message.repeated", sent.message_id, sent.case_id)


async def test_held_document_handed_in_twice_gets_the_same_answer(west, clock) -> None:
    held, document = hold(west, clock.now)
    before = count(west.rt.engine)
    assert west.hand_in(serialize(document), authority="BA-MS") == held
    assert count(west.rt.engine) == before


async def test_held_document_with_other_bytes_is_refused(west, clock) -> None:
    _, document = hold(west, clock.now)
    find(document, "Observations").text = "changed"
    result = west.hand_in(serialize(document), authority="BA-MS")
    assert isinstance(result, TransitionNotAllowed)
    assert count(west.rt.engine, "cases", "holds") == {"cases": 1, "holds": 1}


@pytest.mark.parametrize("reference", ["same", "other"])
async def test_same_id_with_other_bytes_is_refused(west, clock, reference) -> None:
    sent, document = hand_in_entry(west)
    fields = header_of(application(clock.now)) if reference == "other" else header_of(document)
    changed = application(clock.now, MessageId=sent.message_id, CaseReference=fields["CaseReference"])
    find(changed, "Person/Birth/Place").text = "elsewhere"
    result = west.hand_in(serialize(changed), authority="AT-BMI")
    assert isinstance(result, Refused)
    assert result.code == "message-id-reused"
    assert count(west.rt.engine, "cases", "outbox") == {"cases": 1, "outbox": 1}


async def test_held_message_cannot_take_the_id_of_one_that_left(west, clock) -> None:
    held, document = hold(west, clock.now)
    other = application(clock.now, TO_ORIGIN, MessageId=header_of(document)["MessageId"])
    twin = west.hand_in(serialize(other), authority="BA-MS")
    assert isinstance(west.release(held.case_id), Sent)
    make_statement(twin.case_id, GOOD_ANSWERS, actor="officer.one", rt=west.rt)
    release_statement(twin.case_id, actor="officer.two", rt=west.rt)
    with pytest.raises(Refused) as caught:
        resume(twin.case_id, "officer.two", west.rt)
    assert caught.value.code == "message-id-reused"
    assert count(west.rt.engine, "outbox") == {"outbox": 1}


async def test_retry_sends_the_identical_bytes_until_they_are_confirmed(west, clock) -> None:
    transport = Scripted(west.hub)
    transport.failing["RS-MUP"] = BrokerUnavailable("nobody answers")
    side = replace(west, rt=replace(west.rt, transport=transport))
    sent, _ = hand_in_entry(side)

    def waiting() -> list[bytes]:
        with reading(side.rt.engine) as tx:
            return list(tx.execute(select(t.outbox.c.body)).scalars())

    (first,) = waiting()
    for wait in side.rt.settings.retry_seconds[:2]:
        assert await side.deliver() == 0
        assert waiting() == [first]
        clock.move(seconds=wait)
    transport.failing.clear()
    assert await side.deliver() == 1
    assert waiting() == []
    assert [parcel.body for parcel in transport.given] == [first] * 3
    assert row_of(side, "out", "AT-BMI", sent.message_id).outcome == "sent"


# --- what may leave ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"), [("Sex", "male"), ("Language", "ps")], ids=["sex of the person", "language of the person"]
)
async def test_field_that_is_not_on_the_list_of_its_message_does_not_leave(asked, clock, name, value) -> None:
    _, east, _, document = asked
    answer = reply(document, clock.now)
    person = find(answer, "Person")
    order = ["Name", "MaidenName", "OtherName", "Sex", "Birth", "Nationality"]
    place = (
        len(person)
        if name not in order
        else sum(1 for child in person if etree.QName(child).localname in order[: order.index(name)])
    )
    element = etree.Element(f"{{{NS}}}{name}")
    element.text = value
    person.insert(place, element)
    before = count(east.rt.engine)

    result = east.hand_in(serialize(answer), authority="RS-MUP")
    assert isinstance(result, Refused)
    assert (result.code, result.path) == ("field-not-allowed", f"/ReadmissionReply/Person/{name}")
    assert value not in result.message
    assert count(east.rt.engine) == before


async def test_reply_to_another_digest_than_the_one_received_is_refused(asked, clock) -> None:
    _, east, sent, document = asked
    answer = reply(document, clock.now)
    complete_header(answer, {"InReplyTo/MessageId": sent.message_id, "InReplyTo/Sha256": "0" * 64})
    result = east.hand_in(serialize(answer), authority="RS-MUP")
    assert isinstance(result, Refused)
    assert result.code == "answer-mismatch"
    assert count(east.rt.engine, "outbox") == {"outbox": 0}


async def test_side_that_asked_cannot_answer_itself(asked, clock) -> None:
    west, _, _, document = asked
    own = with_header(reply(document, clock.now), Sender="AT-BMI", Recipient="RS-MUP")
    result = west.hand_in(serialize(own), authority="AT-BMI")
    assert isinstance(result, TransitionNotAllowed)
    assert count(west.rt.engine, "outbox") == {"outbox": 0}


async def test_second_reply_is_refused(asked, clock) -> None:
    _, east, _, document = asked
    assert isinstance(east.hand_in(serialize(reply(document, clock.now)), authority="RS-MUP"), Sent)
    second = east.hand_in(serialize(reply(document, clock.now, agreed=False)), authority="RS-MUP")
    assert isinstance(second, TransitionNotAllowed)
    assert count(east.rt.engine, "outbox") == {"outbox": 1}


async def test_two_officers_who_answer_at_once_do_not_both_win(asked, clock, monkeypatch) -> None:
    west, east, sent, document = asked
    true_seal, between = outbound.seal_drafts, []

    def slow(drafts, now, rt) -> None:
        if not between:  # while the first is sealed, the second is handed in and saved
            between.append(None)
            between.append(east.hand_in(serialize(reply(document, clock.now, agreed=False)), authority="RS-MUP", actor="fast"))
        true_seal(drafts, now, rt)

    monkeypatch.setattr(outbound, "seal_drafts", slow)
    slower = east.hand_in(serialize(reply(document, clock.now)), authority="RS-MUP", actor="slow")
    assert isinstance(between[1], Sent)
    assert isinstance(slower, TransitionNotAllowed)
    await exchange(west, east)
    with reading(west.rt.engine) as tx:
        assert cases.get(tx, sent.case_id).state == "refused"
    assert [entry["actor"] for entry in journalled(east.rt.engine, "message.refused")] == ["slow"]


# --- holds ------------------------------------------------------------------------------------------------------------


async def test_application_without_a_statement_is_held_with_advice(west, clock) -> None:
    held, _ = hold(west, clock.now)
    assert held.reason is HoldReason.STATEMENT_MISSING
    assert held.advice == ADVICE[HoldReason.STATEMENT_MISSING]
    assert count(west.rt.engine) == NOTHING | {"cases": 1, "holds": 1}
    (entry,) = journalled(west.rt.engine)
    assert (entry["event"], entry["detail"]["code"], entry["detail"]["state"]) == ("message.held", "statement-missing", "held")
    assert describe(held)["outcome"] == "held"


async def test_statement_that_is_not_released_still_holds(west, clock) -> None:
    held, _ = hold(west, clock.now)
    make_statement(held.case_id, GOOD_ANSWERS, actor="officer.one", rt=west.rt)
    again = resume(held.case_id, "officer.one", west.rt)
    assert isinstance(again, Held)
    assert again.reason is HoldReason.STATEMENT_NOT_RELEASED
    assert count(west.rt.engine, "outbox", "messages") == {"outbox": 0, "messages": 0}


async def test_officer_who_made_a_statement_cannot_release_it(west, clock) -> None:
    held, _ = hold(west, clock.now)
    make_statement(held.case_id, GOOD_ANSWERS, actor="officer.one", rt=west.rt)
    with pytest.raises(StatementInvalid):
        release_statement(held.case_id, actor="officer.one", rt=west.rt)
    assert isinstance(resume(held.case_id, "officer.one", west.rt), Held)


async def test_release_needs_a_statement(west, clock) -> None:
    held, _ = hold(west, clock.now)
    with pytest.raises(NotFound):
        release_statement(held.case_id, actor="officer.two", rt=west.rt)


async def test_statement_made_again_loses_its_release(west, clock) -> None:
    held, _ = hold(west, clock.now)
    make_statement(held.case_id, GOOD_ANSWERS, actor="officer.one", rt=west.rt)
    release_statement(held.case_id, actor="officer.two", rt=west.rt)
    make_statement(held.case_id, GOOD_ANSWERS, actor="officer.one", rt=west.rt)
    assert resume(held.case_id, "officer.one", west.rt).reason is HoldReason.STATEMENT_NOT_RELEASED


async def test_statement_changed_while_it_was_read_is_not_released(west, clock) -> None:
    held, _ = hold(west, clock.now)
    read = make_statement(held.case_id, GOOD_ANSWERS, actor="officer.one", rt=west.rt).made_at
    clock.move(minutes=1)
    make_statement(held.case_id, replace(GOOD_ANSWERS, no_asylum_claim=False), actor="officer.one", rt=west.rt)
    with pytest.raises(StatementInvalid):
        release_statement(held.case_id, actor="officer.two", rt=west.rt, read=read)


@pytest.mark.parametrize("name", ["return_decision", "no_suspensive_appeal", "no_asylum_claim", "non_refoulement_assessed"])
async def test_answer_that_speaks_against_sending_holds(west, clock, name) -> None:
    held, _ = hold(west, clock.now)
    again = west.release(held.case_id, answers=replace(GOOD_ANSWERS, **{name: False}))
    assert isinstance(again, Held)
    assert again.reason is HoldReason.STATEMENT_NEGATIVE
    assert count(west.rt.engine, "outbox") == {"outbox": 0}


async def test_child_whose_best_interests_are_not_assessed_is_held(west, clock) -> None:
    answers = replace(GOOD_ANSWERS, best_interests_assessed=None)
    document = application(clock.now, "ReadmissionApplication-child-with-guardian")
    held = west.hand_in(serialize(document), authority="BA-MS")
    again = west.release(held.case_id, answers=answers)
    assert isinstance(again, Held)
    assert again.reason is HoldReason.CHILD_NOT_ASSESSED
    assert isinstance(west.release(held.case_id), Sent)  # once it was assessed


async def test_source_that_can_reveal_a_claim_for_protection_never_goes_to_the_country_of_origin(west, clock) -> None:
    document = application(clock.now, TO_ORIGIN)
    find(document, "Evidence/Code").text = "T2-02"
    held = west.hand_in(serialize(document), authority="BA-MS")
    assert held.reason is HoldReason.SOURCE_REVEALS_PROTECTION
    again = west.release(held.case_id)
    assert isinstance(again, Held)
    assert again.reason is HoldReason.SOURCE_REVEALS_PROTECTION
    assert count(west.rt.engine, "outbox", "messages") == {"outbox": 0, "messages": 0}


async def test_released_application_leaves_as_it_was_held(two_gateways, clock) -> None:
    west, east = two_gateways
    body = west.rt.translators["ba/ms-xml"].from_canonical(application(clock.now, TO_ORIGIN)).body
    held = west.hand_in(body, authority="BA-MS", dialect="ba/ms-xml")
    clock.move(days=2)
    sent = west.release(held.case_id)
    assert isinstance(sent, Sent)
    assert (sent.case_id, sent.case_reference) == (held.case_id, held.case_reference)
    assert stored(west, "original") == [body]
    assert json.loads(stored(west, "report")[0])["from"] == "ba/ms-xml"
    await exchange(west, east)
    with reading(east.rt.engine) as tx:
        assert [case.state for case in cases.all_of(tx)] == ["requested"]


async def test_resuming_twice_sends_once(west, clock) -> None:
    held, _ = hold(west, clock.now)
    assert isinstance(west.release(held.case_id), Sent)
    with pytest.raises(TransitionNotAllowed):
        resume(held.case_id, "officer.two", west.rt)
    assert count(west.rt.engine, "outbox", "messages") == {"outbox": 1, "messages": 1}


async def test_statement_cannot_change_after_the_message_left(west, clock) -> None:
    held, _ = hold(west, clock.now)
    west.release(held.case_id)
    with pytest.raises(TransitionNotAllowed):
        make_statement(held.case_id, replace(GOOD_ANSWERS, return_decision=False), actor="officer.one", rt=west.rt)


async def test_application_about_a_third_country_national_leaves_at_once(west, clock) -> None:
    assert isinstance(hand_in_entry(west)[0], Sent)


async def test_statement_never_leaves_the_home_installation(two_gateways, clock) -> None:
    west, east = two_gateways
    held, document = hold(west, clock.now)
    make_statement(held.case_id, GOOD_ANSWERS, actor="ZEUGIN", rt=west.rt)
    release_statement(held.case_id, actor="ZWEITE", rt=west.rt)
    assert isinstance(resume(held.case_id, "ZWEITE", west.rt), Sent)

    ((_, left),) = leaving(west, east.rt)
    with reading(west.rt.engine) as tx:
        sealed_bodies = tx.execute(select(t.outbox.c.body)).scalars().all()
        statement = statement_of(tx, cases.get(tx, held.case_id), west.rt)
    await exchange(west, east)
    answered = east.hand_in(serialize(reply(document, clock.now)), authority="PK-MOI")
    assert isinstance(answered, Sent)
    await exchange(west, east)

    words = [b"ZEUGIN", b"ZWEITE", *(name.encode() for name in Answers.__slots__)]
    papers = [etree.tostring(left), *sealed_bodies]
    papers += [body for side in two_gateways for kind in ("signed", "translated", "report") for body in stored(side, kind)]
    assert len(papers) >= 8
    for word in words:
        assert not any(word in body for body in papers), word
    everything_there = dump(east)
    for word in (b"ZEUGIN", b"ZWEITE", b"non_refoulement_assessed"):
        assert word not in everything_there
    assert statement.made_by == "ZEUGIN"  # it is there, at home


# --- persons ----------------------------------------------------------------------------------------------------------

CANARIES = ("KANARINAC", "КАНАРИНАЦ", "کناری", "9911227654321")


def dump(side: Gateway) -> bytes:
    """Return every column of every table as bytes, and the database files themselves."""
    parts: list[bytes] = []
    with reading(side.rt.engine) as tx:
        for table in metadata.sorted_tables:
            for row in tx.execute(select(table)):
                parts += [value if isinstance(value, bytes) else str(value).encode() for value in row]
    assert len(parts) > 30
    place = Path(side.rt.engine.url.database)
    parts += [path.read_bytes() for path in place.parent.glob(f"{place.name}*")]
    return b"\n".join(parts)


def about_a_canary(at):
    document = application(at, TO_ORIGIN)
    for path, value in (
        ("Person/Name/AsShown", CANARIES[2]),
        ("Person/Name/Latin", CANARIES[0]),
        ("Person/OtherName/Name/AsShown", CANARIES[0]),
        ("Person/Father/AsShown", CANARIES[1]),
        ("Person/Identifier/Value", CANARIES[3]),
        ("Observations", f"seen with {CANARIES[0]}"),
    ):
        find(document, path).text = value
    return document


async def test_no_name_of_a_person_stands_in_clear_in_a_database_a_log_a_journal_or_a_queue(two_gateways, clock) -> None:
    west, east = two_gateways
    with capture_logs() as logs:
        document = about_a_canary(clock.now)
        held = west.hand_in(serialize(document), authority="BA-MS")
        assert isinstance(held, Held), held
        at_hold = dump(west)
        assert isinstance(west.release(held.case_id), Sent)
        await west.deliver()
        queues = repr([(name, [item.parcel.message_id for item in items]) for name, items in west.hub.queues.items()])
        in_the_queue = b"".join(item.parcel.body for items in west.hub.queues.values() for item in items)
        await exchange(west, east)
        with reading(east.rt.engine) as tx:
            (row,) = inbox.waiting(tx, "PK-MOI")
        fetch("PK-MOI", row.id, actor="clerk", rt=east.rt)
        wrong = reply(document, clock.now)
        find(wrong, "Person/Nationality").text = CANARIES[0]
        refused = east.hand_in(serialize(wrong), authority="PK-MOI")
        assert isinstance(refused, Refused)
        assert isinstance(east.hand_in(serialize(reply(document, clock.now)), authority="PK-MOI"), Sent)
        await exchange(west, east)
        bad = about_a_canary(clock.now)
        find(bad, "Person/Sex").text = CANARIES[0]
        assert isinstance(west.hand_in(serialize(bad), authority="BA-MS"), Refused)

    assert "message.refused" in {line["event"] for line in logs}
    places = {
        "log": repr(logs).encode(),
        "held": at_hold,
        "queue": queues.encode() + in_the_queue,
        "west": dump(west),
        "east": dump(east),
        "refusal": json.dumps(refused.as_dict(), ensure_ascii=False).encode(),
    }
    for canary in CANARIES:
        for word in (canary.encode(), canary.encode("utf-16-le"), json.dumps(canary)[1:-1].encode()):
            assert [place for place, text in places.items() if word in text] == []
    assert any(CANARIES[0].encode() in body for body in stored(east, "translated"))  # the reader with the key sees it


async def test_deadline_of_the_reply_is_met_when_it_is_handed_in_in_time(asked, clock) -> None:
    _, east, _, document = asked
    clock.move(days=1)
    answered = east.hand_in(serialize(reply(document, clock.now)), authority="RS-MUP")
    with reading(east.rt.engine) as tx:
        (due,) = deadlines.of_cases(tx, [answered.case_id])
    assert (due.state, due.changed_at) == ("met", clock.now)


async def test_erased_case_takes_no_reply(asked, clock) -> None:
    _, east, _, document = asked
    with reading(east.rt.engine) as tx:
        (case,) = cases.all_of(tx)
    with transaction(east.rt.engine) as tx:
        cases.destroy_key(tx, case.id, clock.now + timedelta(days=1))
    result = east.hand_in(serialize(reply(document, clock.now)), authority="RS-MUP")
    assert isinstance(result, Refused)
    assert result.code == "erased"
    assert count(east.rt.engine, "outbox") == {"outbox": 0}
