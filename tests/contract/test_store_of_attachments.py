"""Attachments in the store: parts, claims, quotas, and what is swept: the same on SQLite and PostgreSQL."""

from datetime import timedelta
from typing import Any

import pytest

from gateway.errors import StoreConflict
from gateway.stages import Sealed
from gateway.store import attachments, early, messages, outbox, outbox_claims
from gateway.store.attachments import PARTIAL, WHOLE, WRONG, AttachmentRow, Claim
from gateway.store.database import reading, transaction
from tests.contract.test_store_of_early_messages import early_row
from tests.store_rows import NOW, add_case, message_row, new_case

DIGEST = "ab" * 32
CAME = {"sender": "PK-MOI", "message_id": early_row(1).message_id, "sha256": DIGEST, "of": 2}


def begin(tx, **changes: Any) -> int:
    return attachments.begin(tx, **{"authority": "BA-MS", "holding": b"h", "key": b"k", "at": NOW} | changes)


def whole(tx, digest: str = DIGEST, *, size: int = 10, at=NOW, **changes: Any) -> int:
    """Add a file of one part whose digest was checked."""
    row = begin(tx, **{"sha256": digest} | changes, at=at)
    attachments.add_part(tx, row, 1, b"part \x00\xff", size=size, at=at)
    attachments.settle(tx, row, sha256=digest, of=1, media_type="image/png", code=None, at=at)
    return row


def read(engine, row: int) -> AttachmentRow | None:
    with reading(engine) as tx:
        return attachments.get(tx, row)


def claim_of(row: int, **changes: Any) -> Claim:
    return Claim(**{"id": row, "key": b"case's", "kind": "photograph", "number": 1, "message_row": None} | changes)


def test_parts_come_back_as_they_were_written(engine) -> None:
    with transaction(engine) as tx:
        row = begin(tx)
        attachments.add_part(tx, row, 2, b"second \x00\xff", size=7, at=NOW)
        attachments.add_part(tx, row, 1, b"first", size=5, at=NOW + timedelta(seconds=1))
    with reading(engine) as tx:
        assert [attachments.part(tx, row, number) for number in (1, 2, 3)] == [b"first", b"second \x00\xff", None]
        assert [attachments.has_part(tx, row, number) for number in (1, 2, 3)] == [True, True, False]
    found = read(engine, row)
    assert found is not None
    assert (found.state, found.parts, found.size, found.changed_at) == (PARTIAL, 2, 12, NOW + timedelta(seconds=1))


def test_part_is_written_once(engine) -> None:
    with transaction(engine) as tx:
        row = begin(tx)
        attachments.add_part(tx, row, 1, b"first", size=5, at=NOW)
    with pytest.raises(StoreConflict), transaction(engine) as tx:
        attachments.add_part(tx, row, 1, b"other", size=5, at=NOW)
    found = read(engine, row)
    assert found is not None
    assert found.parts == 1


def test_file_that_is_received_is_begun_once(engine) -> None:
    with transaction(engine) as tx:
        row = begin(tx, **CAME)
        begin(tx, **CAME | {"sender": "AT-BMI"})
        begin(tx, **CAME | {"sha256": "cd" * 32})
    with pytest.raises(StoreConflict), transaction(engine) as tx:
        begin(tx, **CAME)
    with transaction(engine) as tx:
        found = attachments.arriving(tx, home="BA-MS", sender="PK-MOI", message_id=str(CAME["message_id"]), sha256=DIGEST)
        assert found is not None
        assert (found.id, found.of) == (row, 2)
        assert attachments.arriving(tx, home="RS-MUP", sender="PK-MOI", message_id="other", sha256=DIGEST) is None


def test_only_whole_unclaimed_files_of_the_authority_itself_may_be_named(engine) -> None:
    case = add_case(engine)
    with transaction(engine) as tx:
        begin(tx, sha256=DIGEST)
        whole(tx, authority="AT-BMI")
        whole(tx, **CAME)
        attachments.claim(tx, case, [claim_of(whole(tx))], NOW)
        assert attachments.handed_in(tx, "BA-MS", [DIGEST]) == {}
        row = whole(tx)
        whole(tx, "cd" * 32)
        assert {digest: one.id for digest, one in attachments.handed_in(tx, "BA-MS", [DIGEST, "ef" * 32]).items()} == {
            DIGEST: row
        }


def test_verdict_is_written_once(engine) -> None:
    with transaction(engine) as tx:
        row = begin(tx, **CAME)
        attachments.settle(tx, row, sha256=DIGEST, of=2, media_type=None, code="attachment-mismatch", at=NOW)
        attachments.settle(tx, row, sha256=DIGEST, of=2, media_type="image/png", code=None, at=NOW)
    found = read(engine, row)
    assert found is not None
    assert (found.state, found.code, found.media_type) == (WRONG, "attachment-mismatch", None)


def test_claimed_file_opens_with_the_key_of_its_case_only(engine) -> None:
    case = add_case(engine)
    with transaction(engine) as tx:
        (message,) = messages.add(tx, [message_row(case_id=case)])
        row = whole(tx)
        assert attachments.claim(tx, case, [claim_of(row, message_row=message)], NOW)
    found = read(engine, row)
    assert found is not None
    assert found.state == WHOLE
    assert (found.holding, found.key, found.case_id, found.message_row) == (None, b"case's", case, message)
    with reading(engine) as tx:
        assert [one.id for one in attachments.of_message(tx, message)] == [row]
        assert [one.id for one in attachments.of_case(tx, case)] == [row]
        assert attachments.by_digest(tx, case)[DIGEST].id == row


def test_file_is_claimed_once(engine) -> None:
    case = add_case(engine)
    with transaction(engine) as tx:
        row, partial = whole(tx), begin(tx)
        assert attachments.claim(tx, case, [claim_of(row)], NOW)
        assert not attachments.claim(tx, case, [claim_of(row)], NOW)
        assert not attachments.claim(tx, case, [claim_of(partial)], NOW)


def test_files_of_a_held_message_leave_with_it(engine) -> None:
    case, other = add_case(engine), add_case(engine, reference="X" * 26)
    with transaction(engine) as tx:
        held, elsewhere = whole(tx), whole(tx, "cd" * 32)
        attachments.claim(tx, case, [claim_of(held)], NOW)
        attachments.claim(tx, other, [claim_of(elsewhere)], NOW)
        (message,) = messages.add(tx, [message_row(case_id=case)])
        assert [row.id for row in attachments.leave(tx, case, message)] == [held]
        assert attachments.of_message(tx, message)[0].message_row == message


def test_what_lies_unclaimed_is_counted_by_authority_and_by_sender(engine) -> None:
    case = add_case(engine)
    with transaction(engine) as tx:
        whole(tx, size=1)
        whole(tx, "cd" * 32, size=20)
        whole(tx, size=300, **CAME)
        whole(tx, size=4000, authority="AT-BMI")
        attachments.claim(tx, case, [claim_of(whole(tx, "ef" * 32, size=50_000))], NOW)
        assert attachments.unclaimed_bytes(tx, "BA-MS", None) == 21
        assert attachments.unclaimed_bytes(tx, "BA-MS", "PK-MOI") == 300
        assert attachments.unclaimed_bytes(tx, "BA-MS", "AT-BMI") == 0
        assert attachments.unclaimed_bytes(tx, "AT-BMI", None) == 4000


def test_old_files_nobody_claimed_are_swept_with_their_parts(engine) -> None:
    case = add_case(engine)
    with transaction(engine) as tx:
        claimed = whole(tx)
        attachments.claim(tx, case, [claim_of(claimed)], NOW)
        old, fresh = whole(tx, "cd" * 32), whole(tx, "ef" * 32, at=NOW + timedelta(hours=1))
        again = whole(tx, "01" * 32)
        attachments.touch(tx, again, NOW + timedelta(hours=1))
        assert attachments.sweep(tx, before=NOW + timedelta(seconds=1)) == 1
        assert attachments.sweep(tx, before=NOW + timedelta(seconds=1)) == 0
        assert attachments.part(tx, old, 1) is None
    assert read(engine, old) is None
    assert None not in (read(engine, claimed), read(engine, fresh), read(engine, again))


def test_files_that_a_message_waits_for_are_not_swept(engine) -> None:
    with transaction(engine) as tx:
        early.add(tx, [early_row(1, files=2)])
        row = whole(tx, **CAME)
        assert attachments.sweep(tx, before=NOW + timedelta(days=9)) == 0
        early.remove(tx, [("PK-MOI", early_row(1).message_id)])
        assert attachments.sweep(tx, before=NOW + timedelta(days=9)) == 1
    assert read(engine, row) is None


def test_files_of_a_refused_message_are_dropped(engine) -> None:
    case = add_case(engine)
    with transaction(engine) as tx:
        theirs, others = whole(tx, **CAME), whole(tx, **CAME | {"sender": "AT-BMI"})
        elsewhere = whole(tx, **CAME | {"authority": "RS-MUP"})
        claimed = whole(tx)
        attachments.claim(tx, case, [claim_of(claimed)], NOW)
        attachments.forget(tx, [])
        attachments.forget(tx, [("BA-MS", "PK-MOI", str(CAME["message_id"]))])
    assert read(engine, theirs) is None
    assert None not in (read(engine, others), read(engine, elsewhere), read(engine, claimed))


def test_what_came_of_a_message_is_what_came_for_its_recipient(engine) -> None:
    name = "PK-MOI", str(CAME["message_id"])
    with transaction(engine) as tx:
        theirs = whole(tx, **CAME)
        whole(tx, **CAME | {"authority": "RS-MUP"})
        whole(tx, **CAME | {"sender": "AT-BMI"})
        assert attachments.arrived(tx, {("AT-BMI", "another"): "BA-MS"}) == {}
        found = attachments.arrived(tx, {name: "BA-MS"})
    assert {digest: row.id for digest, row in found[name].items()} == {DIGEST: theirs}


def test_claimed_file_is_never_dropped(engine) -> None:
    case = add_case(engine)
    with transaction(engine) as tx:
        row = whole(tx)
        attachments.claim(tx, case, [claim_of(row)], NOW)
        attachments.drop(tx, row)
    assert read(engine, row) is not None


# --- the message that waits for them --------------------------------------------------------------------------------------


def turn(engine, **more: Any) -> list[int]:
    with reading(engine) as tx:
        return [row.sequence for row in early.ready(tx, most=10, **more)]


def test_turn_of_a_message_has_come_when_its_files_are_there(engine) -> None:
    with transaction(engine) as tx:
        early.add(tx, [early_row(1, files=2)])
    assert turn(engine) == []
    with transaction(engine) as tx:
        whole(tx, **CAME)
        begin(tx, **CAME | {"sha256": "cd" * 32})
    assert turn(engine) == []
    with transaction(engine) as tx:
        wrong = begin(tx, **CAME | {"sha256": "ef" * 32})
        attachments.settle(tx, wrong, sha256="ef" * 32, of=1, media_type=None, code="attachment-mismatch", at=NOW)
    assert turn(engine) == [1]
    with reading(engine) as tx:
        (row,) = early.ready(tx, most=10)
        assert early.count_of_files(tx) == 1
    assert turn(engine, seen=[row.id]) == []


def test_files_of_another_sender_or_authority_count_for_nothing(engine) -> None:
    with transaction(engine) as tx:
        early.add(tx, [early_row(1, files=1)])
        whole(tx, **CAME | {"sender": "AT-BMI"})
        whole(tx, **CAME | {"message_id": early_row(2).message_id})
        whole(tx, **CAME, authority="RS-MUP")
    assert turn(engine) == []


def test_message_is_stalled_once_nothing_has_come_for_a_while(engine) -> None:
    def stalled(minutes: int) -> list[int]:
        with reading(engine) as tx:
            return [row.sequence for row in early.stalled(tx, before=NOW + timedelta(minutes=minutes), most=10)]

    with transaction(engine) as tx:
        early.add(tx, [early_row(1, files=1), early_row(5)])
        begin(tx, **CAME, at=NOW + timedelta(minutes=30))
    assert stalled(30) == []
    assert stalled(31) == [1]
    with transaction(engine) as tx:
        ((_, row),) = early.known(tx, [early_row(1).message_id]).items()
        early.asked(tx, [row.id or 0], NOW + timedelta(minutes=40))
        early.asked(tx, [], NOW)
    assert stalled(40) == []
    assert stalled(41) == [1]
    with transaction(engine) as tx:
        whole(tx, "cd" * 32, **CAME | {"sha256": "cd" * 32})
    assert stalled(99) == [], "it waits for an earlier message only"


def test_messages_that_wait_for_files_are_known_by_number(engine) -> None:
    place = {"home": "BA-MS", "sender": "PK-MOI", "reference": new_case().reference}
    with transaction(engine) as tx:
        early.add(tx, [early_row(1, files=1), early_row(3), early_row(4, files=2, sender="AT-BMI")])
        assert early.here(tx, **place) == {1}
        assert early.here(tx, **place | {"home": "RS-MUP"}) == set()


# --- the outbox ---------------------------------------------------------------------------------------------------------


def queued(engine) -> tuple[int, int]:
    """Queue a message and its attachment; return their rows."""
    case = add_case(engine)
    row = message_row(case_id=case)
    with transaction(engine) as tx:
        (message,) = messages.add(tx, [row])
        file = whole(tx)
        attachments.claim(tx, case, [claim_of(file, message_row=message)], NOW)
        sealed = Sealed(body=b"s", message_id=row.message_id, sender="BA-MS", recipient="PK-MOI", digest="0" * 64)
        outbox.add(tx, [(message, sealed)], NOW)
        outbox.add_attachments(tx, message, sealed, [file], NOW)
    return message, file


def test_message_and_attachment_leave_apart(engine) -> None:
    message, file = queued(engine)
    with transaction(engine) as tx:
        (letter,) = outbox_claims.claim(tx, now=NOW, most=10, lease_seconds=60, by="one")
        assert (letter.body, letter.attachment_id) == (b"s", None)
        parts = outbox_claims.claim_attachment(tx, now=NOW, lease_seconds=60, by="one", recipient="PK-MOI")
        assert parts is not None
        assert (parts.body, parts.attachment_id, parts.part, parts.message_row) == (b"", file, 1, message)
        assert outbox_claims.claim_attachment(tx, now=NOW, lease_seconds=60, by="two", recipient="PK-MOI") is None
        assert outbox_claims.attachments_due(tx, NOW) == []
        outbox.done(tx, [letter.id])
        assert outbox.waits(tx, message)


def test_progress_is_kept_and_the_row_is_free_again(engine) -> None:
    queued(engine)
    with transaction(engine) as tx:
        assert outbox_claims.attachments_due(tx, NOW) == ["PK-MOI"]
        parts = outbox_claims.claim_attachment(tx, now=NOW, lease_seconds=60, by="one", recipient="PK-MOI")
        assert parts is not None
        outbox.left(tx, parts.id, part=5, at=NOW)
        again = outbox_claims.claim_attachment(tx, now=NOW, lease_seconds=60, by="two", recipient="PK-MOI")
        assert again is not None
        assert (again.id, again.part) == (parts.id, 5)


def test_attachment_that_is_set_back_waits(engine) -> None:
    queued(engine)
    with transaction(engine) as tx:
        parts = outbox_claims.claim_attachment(tx, now=NOW, lease_seconds=60, by="one", recipient="PK-MOI")
        assert parts is not None
        outbox.retry(tx, parts.id, next_at=NOW + timedelta(seconds=30), code="broker-unavailable")
        assert outbox_claims.attachments_due(tx, NOW + timedelta(seconds=29)) == []
        assert outbox_claims.attachments_due(tx, NOW + timedelta(seconds=30)) == ["PK-MOI"]
