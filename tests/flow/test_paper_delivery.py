"""An authority on paper has a message when somebody proves that it was carried there; no clock starts earlier."""

from dataclasses import replace
from datetime import datetime, timedelta
from zipfile import ZipFile

import pytest

from gateway.errors import AlreadyDelivered, AttachmentType, BadValue, NotFound, TransitionNotAllowed
from gateway.flow.case_export import export_case
from gateway.flow.case_verdict import verify_case_file
from gateway.flow.deliveries import KINDS, Proof, record_delivery, reference_of
from gateway.flow.draft import Held, Sent
from gateway.flow.forms import Paper, printable_of
from gateway.flow.mailbox import read_document
from gateway.flow.paper_tasks import to_send
from gateway.flow.receipts import proof_of
from gateway.store import cases, deadlines, journal, messages, paper
from gateway.store.database import reading
from gateway.trust.verify import verify
from gateway.wire.case_index import NAME, read_index
from gateway.wire.documents import serialize
from gateway.wire.forms.reply_fields import filled
from tests.gateways import Gateway, example, exchange
from tests.packs import SCHEMAS
from tests.paper import on_paper

pytestmark = pytest.mark.anyio

PK = frozenset({"PK-MOI"})
SCAN = b"%PDF-1.7\nspecimen of a slip\n%%EOF\n"


def proof(at: datetime, **changes: object) -> Proof:
    return replace(Proof(kind="courier", at=at, reference="RX 000 000 000 PK"), **changes)  # type: ignore[arg-type]


@pytest.fixture
def pair(two_gateways) -> tuple[Gateway, Gateway]:
    west, east = two_gateways
    return west, replace(east, rt=on_paper(east.rt))


async def sent_to_paper(pair: tuple[Gateway, Gateway]) -> Sent:
    west, _ = pair
    held = west.hand_in(example("ReadmissionApplication-own-national"), authority="BA-MS")
    assert isinstance(held, Held)
    sent = west.release(held.case_id)
    assert isinstance(sent, Sent)
    await exchange(*pair)
    return sent


def of_case(gateway: Gateway) -> tuple[list[deadlines.DeadlineRow], messages.MessageRow]:
    with reading(gateway.rt.engine) as tx:
        (case,) = cases.all_of(tx)
        return deadlines.of_cases(tx, [case.id]), messages.of_case(tx, case.id)[0]


async def test_message_for_an_authority_on_paper_has_no_receipt_and_starts_no_clock_before_it_is_delivered(pair) -> None:
    await sent_to_paper(pair)
    for side in pair:
        found, row = of_case(side)
        assert (found, row.receipt_message_id) == ([], None)


async def test_proof_of_delivery_starts_the_same_clock_on_both_sides_at_the_time_that_it_says(pair, clock) -> None:
    west, east = pair
    sent = await sent_to_paper(pair)
    at = clock() + timedelta(days=2)
    clock.move(days=3)
    record_delivery(sent.message_id, proof(at), by="liaison.one", homes=PK, rt=east.rt)
    await exchange(*pair)

    (ours, row), (theirs, received) = of_case(west), of_case(east)
    assert row.received_at == received.received_at == at
    assert row.outcome == "received"
    assert [(each.limit_id, each.started_at, each.due_on) for each in ours] == [
        (each.limit_id, each.started_at, each.due_on) for each in theirs
    ]
    assert {each.started_at for each in ours} == {at}


async def test_message_is_a_task_to_print_and_send_until_its_delivery_is_recorded(pair, clock) -> None:
    _, east = pair
    sent = await sent_to_paper(pair)
    assert [task.message_id for task in to_send(east.rt, homes=PK)] == [sent.message_id]
    record_delivery(sent.message_id, proof(clock()), by="liaison.one", homes=PK, rt=east.rt)
    assert to_send(east.rt, homes=PK) == []


async def test_receipt_of_a_delivery_is_signed_by_the_authority_and_says_what_proves_it(pair, clock) -> None:
    west, east = pair
    sent = await sent_to_paper(pair)
    record_delivery(sent.message_id, proof(clock()), by="liaison.one", homes=PK, rt=east.rt)
    await exchange(*pair)

    with reading(west.rt.engine) as tx:
        receipt = proof_of(tx, of_case(west)[1])
    assert receipt is not None
    opened = verify(receipt, west.rt.trust)
    assert opened.signer == "PK-MOI"
    assert opened.document.findtext("{*}Item/{*}Text") == "on paper: courier; recorded by PK-MOI"


async def test_receipt_says_so_when_the_senders_officer_records_the_delivery(pair, clock) -> None:
    _, east = pair
    sent = await sent_to_paper(pair)
    record_delivery(sent.message_id, proof(clock()), by="officer.one", homes=frozenset({"BA-MS"}), rt=east.rt)
    with reading(east.rt.engine) as tx:
        (case,) = cases.all_of(tx)
        (message,) = [row for row in messages.of_case(tx, case.id) if row.direction == "in"]
        assert paper.of_messages(tx, [message.id])[message.id].recorded_for == "BA-MS"


async def test_proof_keeps_kind_reference_and_scan_and_the_reference_is_encrypted(pair, clock) -> None:
    _, east = pair
    sent = await sent_to_paper(pair)
    record_delivery(sent.message_id, proof(clock(), scan=SCAN), by="liaison.one", homes=PK, rt=east.rt)

    with reading(east.rt.engine) as tx:
        (case,) = cases.all_of(tx)
        (message,) = [row for row in messages.of_case(tx, case.id) if row.direction == "in"]
        kept = paper.of_messages(tx, [message.id])[message.id]
        scan = messages.document(tx, message.id, "delivery")
    assert (kept.kind, kept.recorded_by, kept.recorded_for) == ("courier", "liaison.one", "PK-MOI")
    assert b"RX 000" not in kept.reference
    assert reference_of(kept, case, east.rt) == "RX 000 000 000 PK"
    assert read_document(scan.id, homes=PK, actor="a", purpose="case-work", rt=east.rt) == ("application/pdf", SCAN)


async def test_recording_a_delivery_is_journalled_with_codes_and_without_the_reference(pair, clock) -> None:
    _, east = pair
    sent = await sent_to_paper(pair)
    done = record_delivery(sent.message_id, proof(clock()), by="liaison.one", homes=PK, rt=east.rt)

    with reading(east.rt.engine) as tx:
        (case,) = cases.all_of(tx)
        (entry,) = [one for one in journal.of_case(tx, case.id) if one.event == "message.delivered"]
    assert entry.actor == "liaison.one"
    assert entry.detail["kind"] == "courier"
    assert entry.detail["receipt"] == done.receipt_message_id
    assert "RX" not in str(entry.detail)


async def test_reply_that_was_entered_before_the_proof_meets_the_clock_that_the_proof_starts(pair, clock) -> None:
    west, east = pair
    sent = await sent_to_paper(pair)
    at = clock()
    message, _ = printable_of(sent.message_id, homes=PK, actor="liaison.one", purpose="case-work", rt=east.rt)
    fields = {"case": sent.case_reference, "digest": sent.digest, "outcome": "agreed", "decision_date": "1.6.2026", "name": "S"}
    draft = Paper.of(east.rt).reply_draft(message, filled(fields))
    assert isinstance(east.hand_in(serialize(draft), authority="PK-MOI"), Sent)
    await exchange(*pair)
    record_delivery(sent.message_id, proof(at), by="liaison.one", homes=PK, rt=east.rt)
    await exchange(*pair)
    states = {each.limit_id: each.state for each in of_case(east)[0]}
    assert states["reply"] == "met"
    assert {each.limit_id: each.state for each in of_case(west)[0]}["reply"] == "met"


async def test_delivery_is_recorded_once(pair, clock) -> None:
    _, east = pair
    sent = await sent_to_paper(pair)
    record_delivery(sent.message_id, proof(clock()), by="liaison.one", homes=PK, rt=east.rt)
    with pytest.raises(AlreadyDelivered):
        record_delivery(sent.message_id, proof(clock()), by="liaison.two", homes=PK, rt=east.rt)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"kind": "hearsay"}, BadValue),
        ({"reference": " "}, BadValue),
        ({"reference": "x" * 251}, BadValue),
        ({"scan": b"PK\x03\x04 an archive"}, AttachmentType),
        ({"scan": b"x" * 8_388_609}, BadValue),
    ],
)
async def test_proof_that_proves_nothing_is_refused(pair, clock, changes, error) -> None:
    _, east = pair
    sent = await sent_to_paper(pair)
    with pytest.raises(error):
        record_delivery(sent.message_id, proof(clock(), **changes), by="liaison.one", homes=PK, rt=east.rt)
    assert of_case(east)[1].receipt_message_id is None


@pytest.mark.parametrize("hours", [-1, 1])
async def test_message_is_delivered_neither_before_it_was_signed_nor_in_the_future(pair, clock, hours) -> None:
    _, east = pair
    sent = await sent_to_paper(pair)
    with pytest.raises(BadValue):
        record_delivery(sent.message_id, proof(clock() + timedelta(hours=hours)), by="a", homes=PK, rt=east.rt)


async def test_delivery_of_another_authoritys_message_is_not_found(pair, clock) -> None:
    _, east = pair
    sent = await sent_to_paper(pair)
    with pytest.raises(NotFound):
        record_delivery(sent.message_id, proof(clock()), by="a", homes=frozenset({"RS-MUP"}), rt=east.rt)
    with pytest.raises(NotFound):
        record_delivery("019ab4d2-7c40-7a11-8f02-000000000000", proof(clock()), by="a", homes=PK, rt=east.rt)


async def test_authority_that_is_not_on_paper_any_more_is_not_delivered_to_on_paper(two_gateways, clock) -> None:
    west, east = two_gateways
    sent = await sent_to_paper((west, replace(east, rt=on_paper(east.rt))))
    with pytest.raises(TransitionNotAllowed):
        record_delivery(sent.message_id, proof(clock()), by="a", homes=PK, rt=east.rt)


async def test_case_file_says_that_a_message_waits_for_delivery_and_then_holds_the_scan(pair, clock, tmp_path, keys) -> None:
    _, east = pair
    sent = await sent_to_paper(pair)
    with reading(east.rt.engine) as tx:
        (case,) = cases.all_of(tx)
    export_case(case.id, tmp_path / "before.asice", east.rt, actor="clerk", purpose="appeal")
    record_delivery(sent.message_id, proof(clock(), scan=SCAN), by="liaison.one", homes=PK, rt=east.rt)
    export_case(case.id, tmp_path / "after.asice", east.rt, actor="clerk", purpose="appeal")

    outcomes = {}
    for name in ("before", "after"):
        with ZipFile(tmp_path / f"{name}.asice") as file:
            (message,) = read_index(file.read(NAME)).messages
            outcomes[name] = message.outcome, message.receipt is not None
            scans = [file.read(one.file) for one in message.documents if one.kind == "delivery"]
        found = verify_case_file(tmp_path / f"{name}.asice", keys / "anchors", clock(), SCHEMAS)
        assert [(item.item, item.code) for item in found.items if item.verdict == "refused"] == []
    assert outcomes == {"before": ("waiting", False), "after": ("accepted", True)}
    assert scans == [SCAN]


def test_kinds_of_proof_are_those_that_the_documentation_names() -> None:
    assert KINDS == ("transmission-report", "courier", "hand")
