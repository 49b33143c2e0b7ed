"""Attachments from one gateway to another: handed in, claimed, carried in parts, put together, read."""

import io
import zipfile
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from gateway.errors import (
    AttachmentMismatch,
    AttachmentMissing,
    AttachmentQuota,
    AttachmentType,
    BrokerUnavailable,
    EmptyDocument,
    Erased,
    NotFound,
    TooLarge,
)
from gateway.flow.attachments import read_attachment
from gateway.flow.chase import ask_again
from gateway.flow.draft import Held, Sent
from gateway.flow.outbound import submit
from gateway.flow.parts import GROUP, next_group, settle_group
from gateway.flow.watch import watch_once
from gateway.stages import MAX_ATTACHMENT_BYTES, PART_BYTES, Submitted
from gateway.store import attachments, outbox
from gateway.store import tables as t
from gateway.store.database import reading, transaction
from gateway.trust.parts import is_part
from gateway.wire.documents import serialize
from gateway.wire.reading import header_of
from tests.files import (
    ASKED,
    ASKING,
    JPEG,
    OPAQUE,
    PDF,
    File,
    case_id,
    file,
    give,
    kept,
    naming,
    sealed_parts,
    send,
    stored_parts,
)
from tests.forging import TO_ORIGIN, journalled, outcomes, row_of, sealed, take
from tests.gateways import example, exchange, files_of
from tests.steps import addressed, lose, on_the_way, write

pytestmark = pytest.mark.anyio

RIGHT = frozenset({ASKED})


def read(side, sent, one, *, homes=RIGHT, home=ASKED) -> bytes:
    case = case_id(side, sent.case_reference, home)
    _, parts = read_attachment(case, one.sha256, homes=homes, actor="officer", purpose="case-work", rt=side.rt)
    return b"".join(parts)


# --- the main path ------------------------------------------------------------------------------------------------------


async def test_files_arrive_as_they_were_handed_in(two_gateways) -> None:
    west, east = two_gateways
    scan, photograph, fingers = file(), file(JPEG, 1000), file(OPAQUE, PART_BYTES)
    sent = send(west, scan, photograph, fingers)
    await exchange(west, east)
    assert row_of(west, "out", ASKING, sent.message_id).outcome == "received"
    for one in (scan, photograph, fingers):
        assert read(east, sent, one) == one.body
        assert read(west, sent, one, homes=frozenset({ASKING}), home=ASKING) == one.body


async def test_message_is_taken_and_proven_only_when_its_files_are_there(two_gateways) -> None:
    west, east = two_gateways
    scan = file()
    sent = send(west, scan)
    assert outcomes(take(east.rt, *on_the_way(west, sent))) == [("waiting", None)]
    assert not journalled(east.rt.engine, "receipt.issued")
    first, second, third = sealed_parts(west.rt, sent.message_id, scan)
    assert outcomes(take(east.rt, first, third)) == [("part", None)] * 2
    assert not journalled(east.rt.engine, "message.received")
    assert outcomes(take(east.rt, second)) == [("part", None)]
    assert len(journalled(east.rt.engine, "message.received")) == 1
    assert row_of(east, "in", ASKING, sent.message_id).outcome == "accepted"
    assert read(east, sent, scan) == scan.body


async def test_files_may_come_before_their_message(two_gateways) -> None:
    west, east = two_gateways
    scan = file()
    sent = send(west, scan)
    take(east.rt, *sealed_parts(west.rt, sent.message_id, scan))
    assert outcomes(take(east.rt, *on_the_way(west, sent))) == [("accepted", None)]
    assert read(east, sent, scan) == scan.body


async def test_parts_may_come_twice_and_in_any_order(two_gateways) -> None:
    west, east = two_gateways
    scan = file()
    sent = send(west, scan)
    first, second, third = sealed_parts(west.rt, sent.message_id, scan)
    again = sealed_parts(west.rt, sent.message_id, scan)  # sealed anew: other bytes, the same part
    assert set(again).isdisjoint({first, second, third})
    take(east.rt, third, first, *again[:1], third)
    take(east.rt, *on_the_way(west, sent), second, *again)
    assert row_of(east, "in", ASKING, sent.message_id).outcome == "accepted"
    assert read(east, sent, scan) == scan.body
    assert stored_parts(east) == 3
    assert outcomes(take(east.rt, *again)) == [("part", None)] * 3  # long after the message was taken
    assert stored_parts(east) == 3


async def test_message_that_is_held_brings_its_files_when_it_is_released(two_gateways) -> None:
    west, east = two_gateways
    held = west.hand_in(example(TO_ORIGIN), authority="BA-MS")
    assert isinstance(held, Held)
    assert {row.case_id for row in kept(west)} == {held.case_id}
    sent = west.release(held.case_id)
    assert isinstance(sent, Sent)
    await exchange(west, east)
    assert row_of(west, "out", "BA-MS", sent.message_id).outcome == "received"
    for body in files_of(example(TO_ORIGIN), west.rt):
        one = File(media_type=PDF, body=body)
        assert read(east, sent, one, homes=frozenset({"PK-MOI"}), home="PK-MOI") == body


async def test_what_follows_a_message_waits_with_it_and_asks_for_nothing(two_gateways, clock) -> None:
    west, east = two_gateways
    scan = file()
    sent = send(west, scan)
    letter = addressed(write("InformationRequest-by-requesting"), reference=sent.case_reference, sender=ASKING, recipient=ASKED)
    next_one = west.hand_in(serialize(letter), authority=ASKING)
    assert isinstance(next_one, Sent), next_one
    assert outcomes(take(east.rt, *on_the_way(west, sent, next_one))) == [("waiting", None)] * 2
    assert not journalled(east.rt.engine, "receipt.issued")
    take(east.rt, *sealed_parts(west.rt, sent.message_id, scan))
    assert [row_of(east, "in", ASKING, one.message_id).outcome for one in (sent, next_one)] == ["accepted"] * 2


# --- what is missing ----------------------------------------------------------------------------------------------------


async def test_part_that_is_lost_is_asked_for_and_sent_again(two_gateways, clock) -> None:
    west, east = two_gateways
    scan = file()
    sent = send(west, scan)
    first, second, _ = sealed_parts(west.rt, sent.message_id, scan)
    take(east.rt, *on_the_way(west, sent), first, second)
    lose(west, sent)  # the message and what is left of its attachment: nothing of them is in the outbox any more
    await exchange(west, east)
    assert row_of(west, "out", ASKING, sent.message_id).outcome == "waiting"
    clock.move(minutes=59)
    assert ask_again(east.rt) == 0
    clock.move(minutes=2)
    assert ask_again(east.rt) == 1
    assert ask_again(east.rt) == 0
    await exchange(west, east)
    assert row_of(west, "out", ASKING, sent.message_id).outcome == "received"
    assert read(east, sent, scan) == scan.body


async def test_message_counts_from_when_its_last_file_was_there(two_gateways, clock) -> None:
    west, east = two_gateways
    scan, photograph = file(size=5000), file(JPEG, 5000)
    sent = send(west, scan, photograph)
    take(east.rt, *on_the_way(west, sent))
    clock.move(minutes=20)
    take(east.rt, *sealed_parts(west.rt, sent.message_id, photograph))
    complete = clock.move(minutes=20)
    take(east.rt, *sealed_parts(west.rt, sent.message_id, scan))
    clock.move(minutes=20)
    assert row_of(east, "in", ASKING, sent.message_id).received_at == complete
    await exchange(west, east)
    assert row_of(west, "out", ASKING, sent.message_id).received_at == complete


async def test_sender_is_not_asked_while_parts_are_coming(two_gateways, clock) -> None:
    west, east = two_gateways
    scan = file()
    sent = send(west, scan)
    first, *_ = sealed_parts(west.rt, sent.message_id, scan)
    take(east.rt, *on_the_way(west, sent))
    clock.move(minutes=50)
    take(east.rt, first)
    clock.move(minutes=50)
    assert ask_again(east.rt) == 0


async def test_part_that_could_not_be_sent_leaves_later_with_all_after_it(two_gateways, clock) -> None:
    west, east = two_gateways
    scan = file(size=6 * PART_BYTES)
    sent = send(west, scan)
    group = next_group(west.rt, by="test")
    assert group is not None
    assert len(group.parcels) == GROUP
    assert settle_group(group, [None, None, BrokerUnavailable("away"), None], west.rt) == 2
    assert next_group(west.rt, by="test") is None
    clock.move(seconds=west.rt.settings.retry_seconds[0])
    again = next_group(west.rt, by="test")
    assert again is not None
    assert (again.row.part, len(again.parcels), again.last) == (3, 4, True)
    assert settle_group(again, await west.rt.transport.send(again.parcels), west.rt) == 4
    await exchange(west, east)
    assert row_of(west, "out", ASKING, sent.message_id).outcome == "sent"  # its first two parts went nowhere
    take(east.rt, *sealed_parts(west.rt, sent.message_id, scan)[:2])
    await exchange(west, east)
    assert row_of(west, "out", ASKING, sent.message_id).outcome == "received"


async def test_attachment_that_can_never_be_sent_is_parked_and_shown(two_gateways, clock) -> None:
    west, _ = two_gateways
    sent = send(west, file(size=100))
    for _ in range(len(west.rt.settings.retry_seconds) + 1):
        group = next_group(west.rt, by="test")
        assert group is not None
        settle_group(group, [BrokerUnavailable("away")], west.rt)
        clock.move(days=1)
    assert next_group(west.rt, by="test") is None
    with reading(west.rt.engine) as tx:
        (state,) = outbox.states(tx)
    assert (state.waiting, state.parked, state.codes) == (1, 1, ("broker-unavailable",))
    assert row_of(west, "out", ASKING, sent.message_id).outcome == "parked"


async def test_messages_leave_before_the_parts_that_wait(two_gateways) -> None:
    west, east = two_gateways
    send(west, file(size=3 * PART_BYTES))
    await west.deliver()
    deliveries = await east.rt.transport.take(50, 0.0)
    assert not is_part(deliveries[0].body)
    assert all(is_part(one.body) for one in deliveries[1:])


# --- what is wrong ------------------------------------------------------------------------------------------------------


def refused(west, east, document, *parts: bytes) -> str | None:
    """Let a message arrive that a lawful sender signed, with these parts; return the code of its refusal."""
    message = sealed(west.rt, document, west.rt.clock())
    answers = take(east.rt, message, *parts)
    assert not journalled(east.rt.engine, "message.received")
    row = row_of(east, "in", ASKING, message.message_id)
    assert row.outcome == "refused"
    assert all(row.case_id is None for row in kept(east))
    assert stored_parts(east) == 0, "what came with a refused message is dropped"
    del answers
    return row.code


async def test_file_with_another_digest_than_the_signed_one_is_refused(two_gateways, clock) -> None:
    west, east = two_gateways
    scan, other = file(size=5000), file(size=5000, name="other")
    document = naming(clock.now, scan)
    message_id = header_of(document)["MessageId"]
    parts = sealed_parts(west.rt, message_id, other, sha256=scan.sha256)
    assert refused(west, east, document, *parts) == "attachment-mismatch"
    assert [row["detail"]["code"] for row in journalled(east.rt.engine, "attachment.refused")] == ["attachment-mismatch"]


async def test_refusal_is_signed_and_reaches_the_sender(two_gateways) -> None:
    west, east = two_gateways
    scan, other = file(size=5000), file(size=5000, name="other")
    sent = send(west, scan)
    take(east.rt, *sealed_parts(west.rt, sent.message_id, other, sha256=scan.sha256))
    await exchange(west, east)
    row = row_of(west, "out", ASKING, sent.message_id)
    assert (row.outcome, row.code) == ("refused", "attachment-mismatch")


@pytest.mark.parametrize("size", [4999, 5001], ids=["one byte less", "one byte more"])
async def test_file_of_another_size_than_the_signed_one_is_refused(two_gateways, clock, size: int) -> None:
    west, east = two_gateways
    scan = file(size=5000)
    document = naming(clock.now, scan, Size=str(size))
    parts = sealed_parts(west.rt, header_of(document)["MessageId"], scan)
    assert refused(west, east, document, *parts) == "attachment-mismatch"


async def test_file_of_another_type_than_the_signed_one_is_refused(two_gateways, clock) -> None:
    west, east = two_gateways
    scan = file(JPEG, 5000)
    document = naming(clock.now, scan, MediaType=PDF)
    parts = sealed_parts(west.rt, header_of(document)["MessageId"], scan)
    assert refused(west, east, document, *parts) == "attachment-mismatch"


@pytest.mark.parametrize("tail", [b"", b"%%EOF\n"])
async def test_archive_that_is_declared_as_a_pdf_is_refused_unopened(two_gateways, clock, monkeypatch, tail: bytes) -> None:
    west, east = two_gateways
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(20_000_000))
    monkeypatch.setattr(zipfile, "ZipFile", None)  # whoever unpacks it fails
    bomb = File(media_type=PDF, body=made.getvalue() + tail)
    document = naming(clock.now, bomb)
    parts = sealed_parts(west.rt, header_of(document)["MessageId"], bomb)
    assert refused(west, east, document, *parts) == "attachment-type"


async def test_parts_that_changed_places_do_not_make_the_file(two_gateways, clock) -> None:
    west, east = two_gateways
    scan = file(size=2 * PART_BYTES)
    swapped = File(media_type=PDF, body=b"".join(reversed(scan.parts)))
    document = naming(clock.now, scan)
    parts = sealed_parts(west.rt, header_of(document)["MessageId"], swapped, sha256=scan.sha256)
    assert refused(west, east, document, *parts) == "attachment-mismatch"


async def test_part_of_another_message_counts_for_nothing(two_gateways) -> None:
    west, east = two_gateways
    scan = file(size=5000)
    sent, other = send(west, scan), send(west, file(size=6000))
    take(east.rt, *on_the_way(west, sent), *sealed_parts(west.rt, other.message_id, scan))
    with pytest.raises(KeyError):
        row_of(east, "in", ASKING, sent.message_id)


async def test_part_whose_line_was_changed_is_refused_and_recorded(two_gateways) -> None:
    west, east = two_gateways
    scan = file()
    sent = send(west, scan)
    first, *_ = sealed_parts(west.rt, sent.message_id, scan)
    moved = first.replace(b'"number":1', b'"number":2')
    assert outcomes(take(east.rt, moved)) == [("refused", "cannot-open")]
    assert kept(east) == []
    assert [row["detail"]["code"] for row in journalled(east.rt.engine, "part.refused")] == ["cannot-open"]


async def test_part_for_an_authority_of_another_gateway_is_refused(two_gateways) -> None:
    west, east = two_gateways
    scan = file(size=100)
    sent = send(west, scan)
    (part,) = sealed_parts(west.rt, sent.message_id, scan, recipient="BA-MS")
    assert outcomes(take(east.rt, part)) == [("refused", "wrong-recipient")]


async def test_parts_that_disagree_on_their_number_are_refused(two_gateways) -> None:
    west, east = two_gateways
    scan = file()
    sent = send(west, scan)
    first, *_ = sealed_parts(west.rt, sent.message_id, scan)
    _, second, _ = sealed_parts(west.rt, sent.message_id, scan, of=4)
    assert outcomes(take(east.rt, first, second)) == [("part", None), ("refused", "cannot-open")]


async def test_sender_cannot_fill_the_gateway_with_parts_of_nothing(two_gateways) -> None:
    west, east = two_gateways
    east = replace(east, rt=replace(east.rt, settings=replace(east.rt.settings, unclaimed_megabytes=2)))
    scan = file(size=2 * PART_BYTES)
    sent = send(west, scan)
    answers = take(east.rt, *sealed_parts(west.rt, sent.message_id, scan))
    assert outcomes(answers) == [("part", None), ("refused", "attachment-quota")]


@given(body=st.binary(max_size=300))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_bytes_that_begin_like_a_part_are_refused(gateway, body: bytes) -> None:
    (answer,) = take(gateway.rt, b'{"part":1,' + body)
    assert (answer.outcome, answer.code) == ("refused", "cannot-open")


# --- handing in ---------------------------------------------------------------------------------------------------------


def hand_in_naming(side, *files: File, **changes: str):
    return side.hand_in(serialize(naming(side.rt.clock(), *files, **changes)), authority=ASKING, files=False)


async def test_message_without_its_file_is_refused_and_names_it(two_gateways) -> None:
    west, _ = two_gateways
    scan, other, third = file(size=100), file(size=200), file(size=300)
    give(west, scan)
    result = hand_in_naming(west, scan, other, third)
    assert isinstance(result, AttachmentMissing)
    assert [one.sha256 in result.message for one in (scan, other, third)] == [False, True, True]
    assert result.path == "Attachment[2]/Sha256"
    assert [row.case_id for row in kept(west)] == [None]


@pytest.mark.parametrize(("name", "value"), [("Size", "99"), ("Size", "101"), ("MediaType", JPEG)])
async def test_message_that_tells_its_file_otherwise_is_refused(two_gateways, name: str, value: str) -> None:
    west, _ = two_gateways
    scan = file(size=100)
    give(west, scan)
    result = hand_in_naming(west, scan, **{name: value})
    assert isinstance(result, AttachmentMismatch)
    assert result.path == f"Attachment[1]/{name}"


async def test_file_goes_with_one_message_only(two_gateways) -> None:
    west, _ = two_gateways
    scan = file(size=100)
    give(west, scan)
    assert isinstance(hand_in_naming(west, scan), Sent)
    assert isinstance(hand_in_naming(west, scan), AttachmentMissing)
    give(west, scan)
    assert isinstance(hand_in_naming(west, scan), Sent)


async def test_two_messages_of_one_batch_do_not_share_a_file(two_gateways) -> None:
    west, _ = two_gateways
    scan = file(size=100)
    give(west, scan)
    batch = [
        Submitted(
            body=serialize(naming(west.rt.clock(), scan)),
            authority=ASKING,
            dialect="canonical",
            submitted_at=west.rt.clock(),
            actor="officer",
        )
        for _ in range(2)
    ]
    first, second = submit(batch, west.rt)
    assert isinstance(first, Sent)
    assert isinstance(second, AttachmentMissing)


async def test_file_of_another_authority_cannot_be_named(two_gateways) -> None:
    west, _ = two_gateways
    scan = file(size=100)
    give(west, scan, authority="BA-MS")
    assert isinstance(hand_in_naming(west, scan), AttachmentMissing)


async def test_same_file_handed_in_twice_is_kept_once(two_gateways) -> None:
    west, _ = two_gateways
    scan = file()
    give(west, scan, scan)
    assert len(kept(west)) == 1
    assert stored_parts(west) == 3


async def test_file_is_encrypted_where_it_lies(two_gateways) -> None:
    west, _ = two_gateways
    give(west, file(size=5000))
    with reading(west.rt.engine) as tx:
        stored = attachments.part(tx, kept(west)[0].id, 1)
    assert stored is not None
    assert b"specimen" not in stored


@pytest.mark.parametrize("size", [MAX_ATTACHMENT_BYTES, MAX_ATTACHMENT_BYTES + 1], ids=["25 MiB", "one byte over"])
async def test_file_may_have_25_mib(two_gateways, size: int) -> None:
    west, _ = two_gateways
    if size > MAX_ATTACHMENT_BYTES:
        with pytest.raises(TooLarge):
            give(west, file(size=size))
        assert kept(west) == []
        assert stored_parts(west) == 0
    else:
        give(west, file(size=size))
        assert (kept(west)[0].size, stored_parts(west)) == (size, 25)


@pytest.mark.parametrize(
    ("media_type", "body", "error"),
    [
        (JPEG, b"%PDF-1.4\n", AttachmentMismatch),
        (PDF, b"MZ program", AttachmentType),
        ("application/zip", b"PK\x03\x04", AttachmentType),
        (PDF, b"", EmptyDocument),
    ],
)
async def test_file_that_is_not_what_it_is_declared_as_leaves_nothing(two_gateways, media_type, body, error) -> None:
    west, _ = two_gateways
    with pytest.raises(error):
        give(west, File(media_type=media_type, body=body))
    assert kept(west) == []
    assert stored_parts(west) == 0


async def test_authority_cannot_fill_the_gateway_with_files_of_nothing(two_gateways) -> None:
    west, _ = two_gateways
    west = replace(west, rt=replace(west.rt, settings=replace(west.rt.settings, unclaimed_megabytes=2)))
    give(west, file(size=1_900_000))
    with pytest.raises(AttachmentQuota):
        give(west, file(size=1_100_000))
    assert len(kept(west)) == 1
    give(west, file(size=100), authority="BA-MS")


async def test_file_that_no_message_names_is_swept_after_a_day(two_gateways, clock) -> None:
    west, _ = two_gateways
    give(west, file(size=100))
    clock.move(hours=24)
    assert watch_once(west.rt) == 0
    assert len(kept(west)) == 1
    clock.move(seconds=1)
    watch_once(west.rt)
    assert kept(west) == []
    assert [row["detail"] for row in journalled(west.rt.engine, "attachment.swept")] == [{"count": 1}]


# --- reading ------------------------------------------------------------------------------------------------------------


async def test_every_reading_is_journalled_with_its_purpose(two_gateways) -> None:
    west, east = two_gateways
    scan = file(size=100)
    sent = send(west, scan)
    await exchange(west, east)
    read(east, sent, scan)
    (row,) = journalled(east.rt.engine, "attachment.read")
    assert (row["actor"], row["digest"], row["detail"]) == (
        "officer",
        scan.sha256,
        {"kind": "document-scan", "purpose": "case-work"},
    )


async def test_file_of_another_authority_is_not_there(two_gateways) -> None:
    west, east = two_gateways
    scan = file(size=100)
    sent = send(west, scan)
    await exchange(west, east)
    with pytest.raises(NotFound) as theirs:
        read(east, sent, scan, homes=frozenset({"PK-MOI"}))
    with pytest.raises(NotFound) as nobodys:
        read_attachment(999, scan.sha256, homes=RIGHT, actor="officer", purpose="case-work", rt=east.rt)
    assert theirs.value.message == nobodys.value.message
    with pytest.raises(NotFound):
        read(east, sent, file(size=200))
    assert not journalled(east.rt.engine, "attachment.read")


async def test_without_the_key_of_its_case_a_file_is_gone(two_gateways) -> None:
    west, east = two_gateways
    scan = file(size=100)
    sent = send(west, scan)
    await exchange(west, east)
    with transaction(east.rt.engine) as tx:
        tx.execute(update(t.cases).values(wrapped_key=None))
    assert [row.holding for row in kept(east)] == [None], "no other key opens it"
    with pytest.raises(Erased):
        read(east, sent, scan)
