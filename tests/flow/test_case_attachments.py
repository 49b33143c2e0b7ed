"""Attachments in a case file: the files that messages name are in it, and each is proven by the message that names it."""

import tracemalloc
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete

from gateway.errors import StoredDataDamaged
from gateway.flow.case_export import export_case
from gateway.flow.case_verdict import Verdict
from gateway.flow.draft import Held
from gateway.stages import MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS_BYTES, PART_BYTES
from gateway.store.attachment_tables import attachment_parts
from gateway.store.database import transaction
from gateway.wire.container import MAX_FILE_BYTES, MAX_TOTAL_BYTES
from gateway.wire.documents import NS, serialize
from gateway.wire.reading import header_of
from tests.files import ASKED, ASKING, JPEG, OPAQUE, PDF, File, case_id, file, give, kept, naming, sealed_parts, send
from tests.forging import application, row_of, sealed, take
from tests.gateways import Gateway, example, exchange, files_of
from tests.packs import LATER, Change, Sample, forged, judge

pytestmark = pytest.mark.anyio

PHOTOGRAPH, SCAN = file(JPEG, 1000), file(PDF, 2 * PART_BYTES + 100)


@pytest.fixture
async def pack_(two_gateways, keys: Path, tmp_path: Path) -> Sample:
    """A genuine case file of RS-MUP with an application of AT-BMI that brings a photograph and a scan."""
    west, east = two_gateways
    sent = send(west, PHOTOGRAPH, SCAN)
    await exchange(west, east)
    return exported(east, sent.case_reference, tmp_path, keys)


def exported(side: Gateway, reference: str, folder: Path, keys: Path, home: str = ASKED) -> Sample:
    out = folder / f"{home}.asice"
    export_case(case_id(side, reference, home), out, side.rt, actor="officer.one", purpose=None)
    return Sample(path=out, keys=keys)


def verdicts(found: Verdict) -> dict[str, tuple[str, str | None]]:
    return {item.item: (item.verdict, item.code) for item in found.items if item.item.startswith("attachment")}


def names(sample: Sample) -> list[str]:
    return [name for name in sample.files if name.startswith("attachments/")]


# --- genuine ------------------------------------------------------------------------------------------------------------


async def test_files_of_a_message_are_in_the_case_file_as_they_were_handed_in(pack_: Sample) -> None:
    assert names(pack_) == [
        f"attachments/0001-01-photograph-{PHOTOGRAPH.sha256[:16]}.jpg",
        f"attachments/0001-02-document-scan-{SCAN.sha256[:16]}.pdf",
    ]
    assert [pack_.files[name] for name in names(pack_)] == [PHOTOGRAPH.body, SCAN.body]


async def test_index_says_which_message_brought_a_file_and_what_it_is(pack_: Sample) -> None:
    (message,) = pack_.index["messages"]
    assert message["attachments"][1] == {
        "number": 2,
        "kind": "document-scan",
        "media_type": PDF,
        "size": len(SCAN.body),
        "sha256": SCAN.sha256,
        "file": names(pack_)[1],
    }
    listed = {line["name"]: line for line in pack_.index["files"]}
    assert (listed[names(pack_)[0]]["media_type"], listed[names(pack_)[0]]["sha256"]) == (JPEG, PHOTOGRAPH.sha256)


async def test_verdict_says_that_the_file_is_the_one_its_sender_signed_for(pack_: Sample) -> None:
    found = judge(pack_.path, pack_)
    assert found.verdict == "valid"
    assert verdicts(found) == {
        "attachment 1 of message 1": ("valid", None),
        "attachment 2 of message 1": ("valid", None),
        "attachments": ("valid", None),
    }
    says = {item.item: item.says for item in found.items}
    assert says["attachment 1 of message 1"].startswith(
        "The photograph that AT-BMI signed for is the one in this file: 1000 bytes"
    )
    assert says["attachments"].startswith("The messages in this file name 2 attachments; 2 of them are in it.")


async def test_own_name_of_a_file_stands_nowhere_but_in_its_message_and_its_translation(
    two_gateways, clock, keys, tmp_path
) -> None:
    west, east = two_gateways
    give(west, SCAN)
    result = west.hand_in(
        serialize(naming(clock.now, SCAN, FileName="passport of A-PERSON.pdf")), authority=ASKING, files=False
    )
    await exchange(west, east)
    sample = exported(east, result.case_reference, tmp_path, keys)
    assert {name.partition("/")[0] for name, body in sample.files.items() if b"A-PERSON" in body} == {"messages", "documents"}
    assert not any("A-PERSON" in item.says for item in judge(sample.path, sample).items)


async def test_both_sides_export_the_same_files(two_gateways, keys, tmp_path) -> None:
    west, east = two_gateways
    sent = send(west, PHOTOGRAPH, SCAN)
    await exchange(west, east)
    sides = [
        exported(east, sent.case_reference, tmp_path, keys, ASKED),
        exported(west, sent.case_reference, tmp_path, keys, ASKING),
    ]
    one, other = ({name: each.files[name] for name in names(each)} for each in sides)
    assert one == other
    assert len(one) == 2
    assert [judge(each.path, each).verdict for each in sides] == ["valid", "valid"]


async def test_files_of_a_held_message_stay_at_home(gateway, keys, tmp_path) -> None:
    document = example("ReadmissionApplication-own-national")
    held = gateway.hand_in(document, authority="BA-MS")
    assert isinstance(held, Held)
    assert [row.case_id for row in kept(gateway)] == [held.case_id] * len(files_of(document, gateway.rt))
    export_case(held.case_id, tmp_path / "x.asice", gateway.rt, actor="officer.one", purpose=None)
    assert names(Sample(path=tmp_path / "x.asice", keys=keys)) == []


async def test_message_without_files_says_so(sample: Sample) -> None:
    says = {item.item: item.says for item in judge(sample.path, sample, LATER).items}
    assert says["attachments"].startswith("The messages in this file name 0 attachments; 0 of them are in it.")


async def test_most_that_messages_may_bring_fits_and_is_never_held_whole(two_gateways, keys, tmp_path) -> None:
    west, _ = two_gateways
    large = [file(PDF, MAX_ATTACHMENT_BYTES, name=f"scan {number}") for number in range(4)]
    sent = send(west, *large)
    digests, whole = {one.sha256 for one in large}, sum(len(one.body) for one in large)
    large.clear()
    assert whole == MAX_ATTACHMENTS_BYTES
    tracemalloc.start()
    sample = exported(west, sent.case_reference, tmp_path, keys, ASKING)
    _, writing = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    found = judge(sample.path, sample)
    _, checking = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.verdict == "valid"
    assert list(verdicts(found).values()) == [("valid", None)] * 5
    assert sample.path.stat().st_size > MAX_ATTACHMENTS_BYTES
    assert max(writing, checking) < 25 * PART_BYTES
    assert {line["sha256"] for line in sample.index["messages"][0]["attachments"]} == digests


def test_limits_of_a_case_file_leave_room_for_many_full_messages() -> None:
    assert MAX_FILE_BYTES > MAX_ATTACHMENT_BYTES
    assert MAX_TOTAL_BYTES > 40 * MAX_ATTACHMENTS_BYTES


# --- missing ------------------------------------------------------------------------------------------------------------


def drop(place: int) -> Change:
    """Leave a file out, and its line."""

    def change(files: dict[str, bytes], index: dict[str, Any]) -> None:
        gone = index["messages"][0]["attachments"].pop(place)
        del files[gone["file"]]

    return change


async def test_file_that_is_missing_is_not_proven(pack_: Sample, tmp_path: Path) -> None:
    found = judge(forged(pack_, tmp_path / "x.asice", drop(0)), pack_)
    assert found.verdict == "valid"
    assert verdicts(found)["attachment 1 of message 1"] == ("not-proven", None)
    says = {item.item: item.says for item in found.items}["attachment 1 of message 1"]
    assert says == "The photograph that AT-BMI signed for (1000 bytes) is not in this file: what it held is not shown."


async def test_files_of_a_message_that_was_refused_are_told_and_not_proven(two_gateways, clock, keys, tmp_path) -> None:
    west, east = two_gateways
    sent = send(west)
    await exchange(west, east)
    wrong = application(clock.now, CaseReference=sent.case_reference, Sequence="2")
    wrong.append(_entry_of(naming(clock.now, SCAN)))
    take(east.rt, sealed(west.rt, wrong, clock.now))
    message_id = header_of(wrong)["MessageId"]
    take(east.rt, *sealed_parts(west.rt, message_id, SCAN))
    assert row_of(east, "in", ASKING, message_id).outcome == "refused"
    assert kept(east) == []
    sample = exported(east, sent.case_reference, tmp_path, keys)
    found = judge(sample.path, sample)
    assert found.verdict == "valid"
    assert verdicts(found) == {"attachments of message 2": ("not-proven", None), "attachments": ("valid", None)}


def _entry_of(document: Any) -> Any:
    return document.find(f"{{{NS}}}Attachment")


# --- lies ---------------------------------------------------------------------------------------------------------------


def line_of(place: int, **values: Any) -> Change:
    return lambda _files, index: index["messages"][0]["attachments"][place].update(values)


def other_photograph(files: dict[str, bytes], index: dict[str, Any]) -> None:
    files[index["messages"][0]["attachments"][0]["file"]] = file(JPEG, 1000, name="somebody else").body


def other_photograph_told(files: dict[str, bytes], index: dict[str, Any]) -> None:
    other_photograph(files, index)
    line = index["messages"][0]["attachments"][0]
    line["sha256"] = sha256(files[line["file"]]).hexdigest()


def longer_scan(files: dict[str, bytes], index: dict[str, Any]) -> None:
    line = index["messages"][0]["attachments"][1]
    files[line["file"]] += b"%"
    line["size"] += 1


def exchanged_files(_files: dict[str, bytes], index: dict[str, Any]) -> None:
    one, two = index["messages"][0]["attachments"]
    one["file"], two["file"] = two["file"], one["file"]


def told_twice(_files: dict[str, bytes], index: dict[str, Any]) -> None:
    index["messages"][0]["attachments"].append(dict(index["messages"][0]["attachments"][0]))


def third(files: dict[str, bytes], index: dict[str, Any]) -> None:
    """Give the message a file that it does not name."""
    more: File = file(OPAQUE, 500)
    name = "attachments/0001-03-fingerprints.bin"
    files[name] = more.body
    line = {"number": 3, "kind": "fingerprints", "media_type": OPAQUE, "size": 500, "sha256": more.sha256, "file": name}
    index["messages"][0]["attachments"].append(line)


def beside(name: str) -> Change:
    return lambda files, _index: files.update({name: PHOTOGRAPH.body})


def as_a_document(files: dict[str, bytes], index: dict[str, Any]) -> None:
    """Put a file beside the message as a document of a kind that there is not."""
    files["documents/0001-evidence.pdf"] = SCAN.body
    line = {"kind": "evidence", "file": "documents/0001-evidence.pdf", "sha256": SCAN.sha256}
    index["messages"][0]["documents"].append(line)


def without_envelope(files: dict[str, bytes], index: dict[str, Any]) -> None:
    """Take the message out that names the files, and leave the files."""
    line = index["messages"][0]
    for name in (line["envelope"], line["receipt"], *[document["file"] for document in line["documents"]]):
        del files[name]
    line.update(envelope=None, receipt=None, documents=[], outcome="refused", code="bad-value")


def changed_message(files: dict[str, bytes], index: dict[str, Any]) -> None:
    """Let the message name another file, as if the signature did not matter."""
    name = index["messages"][0]["envelope"]
    files[name] = files[name].replace(PHOTOGRAPH.sha256.encode(), b"0" * 64)


@pytest.mark.parametrize(
    ("item", "code", "change"),
    [
        ("attachment 1 of message 1", "attachment-mismatch", other_photograph),
        ("attachment 1 of message 1", "attachment-mismatch", other_photograph_told),
        ("attachment 2 of message 1", "attachment-mismatch", longer_scan),
        ("attachment 1 of message 1", "attachment-mismatch", exchanged_files),
        ("attachment 1 of message 1", "attachment-mismatch", told_twice),
        ("attachment 1 of message 1", "attachment-mismatch", line_of(0, kind="fingerprints")),
        ("attachment 1 of message 1", "attachment-mismatch", line_of(0, media_type="image/png")),
        ("attachment 1 of message 1", "attachment-mismatch", line_of(0, size=999)),
        ("attachment 9 of message 1", "attachment-unsigned", line_of(0, number=9)),
        ("attachment 3 of message 1", "attachment-unsigned", third),
        ("attachment 1 of message 1", "attachment-unsigned", without_envelope),
        ("attachment 1 of message 1", "attachment-unsigned", changed_message),
        ("attachments", "attachment-unsigned", beside("attachments/0001-03-photograph.jpg")),
        ("attachments", "attachment-unsigned", beside("documents/0001-confession.pdf")),
        ("attachments", "attachment-unsigned", beside("photograph.jpg")),
        ("attachments", "attachment-unsigned", beside("journal/proof-photograph.jpg")),
        ("attachments", "attachment-unsigned", beside("revocation/photograph.jpg")),
        ("attachments", "attachment-unsigned", as_a_document),
        ("container", "case-index-invalid", line_of(0, file="attachments/none.jpg")),
        ("container", "case-index-invalid", lambda _files, index: index["messages"][0].pop("attachments")),
    ],
)
async def test_lie_about_a_file_is_found(pack_: Sample, tmp_path: Path, item: str, code: str, change: Change) -> None:
    found = judge(forged(pack_, tmp_path / "lie.asice", change), pack_)
    assert found.verdict == "refused"
    assert (item, code) in [(each.item, each.code) for each in found.items if each.verdict == "refused"]


async def test_file_changed_after_the_signature_is_refused_with_the_whole(pack_: Sample, tmp_path: Path) -> None:
    data = pack_.path.read_bytes()
    place = data.index(PHOTOGRAPH.body) + 500
    (tmp_path / "x.asice").write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    found = judge(tmp_path / "x.asice", pack_)
    assert [(item.item, item.verdict) for item in found.items] == [("container", "refused")]


async def test_export_of_a_file_that_was_damaged_in_the_store_leaves_no_case_file(two_gateways, keys, tmp_path) -> None:
    west, east = two_gateways
    sent = send(west, SCAN)
    await exchange(west, east)
    with transaction(east.rt.engine) as tx:
        tx.execute(delete(attachment_parts).where(attachment_parts.c.number == 2))
    with pytest.raises(StoredDataDamaged):
        exported(east, sent.case_reference, tmp_path, keys)
    assert [path.name for path in tmp_path.iterdir() if "asice" in path.name] == []
