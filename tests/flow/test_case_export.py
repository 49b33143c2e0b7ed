"""`case export`: what a case file holds, who may write it, and that it is the same for the same case."""

import json
import tracemalloc
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from gateway.errors import ContainerTooLarge, Erased, KeyMissing, MissingField, NotFound, NotHome
from gateway.flow.case_contents import PDF, Contents, Part, contents
from gateway.flow.case_export import export_case, write_case_file
from gateway.flow.case_journal import read_entries
from gateway.store import cases, journal
from gateway.store.database import reading, transaction
from gateway.wire.case_index import NAME, IndexedAttachment, read_index
from gateway.wire.case_summary import write_summary
from gateway.wire.container import CHUNK
from tests.forging import application, journalled, sealed, take
from tests.gateways import example
from tests.packs import SPECIMEN, Sample, judge, row_id, unpack
from tests.steps import ASKED, ASKING, Thread, opened, ruled

pytestmark = pytest.mark.anyio

SIGNATURES = "META-INF/signatures001.xml"


def export(thread: Thread, out: Path, authority: str = ASKING, **more):
    options = {"actor": "officer.one", "purpose": None} | more
    return export_case(row_id(thread, authority), out, thread.side(authority).rt, **options)


def left(folder: Path) -> list[str]:
    """Return what an export has left in a folder, half files too."""
    return [path.name for path in folder.iterdir() if "asice" in path.name]


# --- what is in it ------------------------------------------------------------------------------------------------------


def test_every_message_comes_with_envelope_documents_and_receipt(sample: Sample) -> None:
    lines = sample.index["messages"]
    assert [(line["direction"], line["type"], line["outcome"]) for line in lines] == [
        ("in", "ReadmissionApplication", "accepted"),
        ("out", "ReadmissionReply", "received"),
        ("in", "TransferNotification", "accepted"),
    ]
    assert [sorted(document["kind"] for document in line["documents"]) for line in lines] == [
        ["report", "translated"],
        ["original", "report"],
        ["report", "translated"],
    ]
    assert all(line["envelope"] in sample.files and line["receipt"] in sample.files for line in lines)


def test_index_says_of_every_file_what_it_is(sample: Sample) -> None:
    listed = {line["name"]: line["what"] for line in sample.index["files"]}
    there = {name for name in sample.files if not name.startswith("META-INF/")} - {"mimetype", NAME}
    assert set(listed) == there
    assert all(listed.values())


def test_stranger_finds_what_to_read_first(sample: Sample) -> None:
    assert list(sample.files)[:3] == ["mimetype", "README.txt", "summary.pdf"]
    assert b"gateway verify-case" in sample.files["README.txt"]


def test_deadlines_are_explained_for_programs_and_for_people(sample: Sample) -> None:
    explained = json.loads(sample.files["deadlines/reply.json"])
    assert explained["answer"]["explain"]
    assert explained["counted_from"]["start"] == "2026-06-01T08:15:00+00:00"
    text = sample.files["deadlines/reply.txt"].decode()
    assert all(sentence in text for sentence in explained["answer"]["explain"])


def test_journal_entries_hash_as_the_store_hashes_them(sample: Sample) -> None:
    entries = read_entries(sample.files["journal/entries.jsonl"])
    assert len(entries) == sample.index["journal_entries"] == 3


def test_statement_and_held_message_stay_at_home(sample: Sample) -> None:
    assert not any("statement" in name or "held" in name for name in sample.files)


# --- the summary --------------------------------------------------------------------------------------------------------


def text_of(page: bytes) -> str:
    (only,) = PdfReader(BytesIO(page)).pages
    return only.extract_text()


def summary(sample: Sample, **changes: Any) -> str:
    """Return what the page says of the sample, exported for another purpose."""
    index = read_index(sample.files[NAME])
    return text_of(write_summary(replace(index, exported=replace(index.exported, **changes))))


def test_summary_is_one_page_and_names_no_person(sample: Sample) -> None:
    page = text_of(sample.files["summary.pdf"])
    assert "Purpose: appeal." in page
    assert SPECIMEN not in page


def test_summary_names_every_message_with_its_whole_digest(sample: Sample) -> None:
    page = text_of(sample.files["summary.pdf"])
    assert [message.sha256 in page for message in read_index(sample.files[NAME]).messages] == [True] * 3


@pytest.mark.parametrize("messages", [0, 1, 18, 19, 36, 37, 500])
@pytest.mark.parametrize("code", [None, "transition-not-allowed"])
def test_summary_stays_one_page_however_long_the_case_is(sample: Sample, messages: int, code: str | None) -> None:
    index = read_index(sample.files[NAME])
    longest = replace(index.messages[0], code=code, type="TransferNotificationReply")
    many = replace(index, messages=(longest,) * messages, deadlines=index.deadlines * 4)
    page = write_summary(many)
    assert "what is proven is in the signed files beside it" in text_of(page)
    assert page == write_summary(many)


def test_summary_gives_the_whole_code_of_a_refused_message(sample: Sample) -> None:
    index = read_index(sample.files[NAME])
    refused = replace(index.messages[0], outcome="refused", code="second-signature-missing")
    page = text_of(write_summary(replace(index, messages=(refused,))))
    assert f"refused by {refused.recipient}: second-signature-missing" in page


@pytest.mark.parametrize("purpose", ["жалба пред Управниот суд", "žalba Upravnom sudu, Đorđe Čć", "ankesë në gjykatë"])
def test_summary_says_what_it_is_for_in_the_letters_it_was_written_in(sample: Sample, purpose: str) -> None:
    assert f"Purpose: {purpose}." in summary(sample, purpose=purpose)


@pytest.mark.parametrize("purpose", ["استئناف", "გასაჩივრება"])
def test_summary_shows_no_question_marks_for_letters_that_its_font_lacks(sample: Sample, purpose: str) -> None:
    page = summary(sample, purpose=purpose)
    assert "Purpose: see case.json." in page
    assert "?" not in page


def test_purpose_of_many_lines_takes_few_on_the_page(sample: Sample) -> None:
    page = summary(sample, purpose="for the court\n" * 150)
    assert "Purpose: for the court for the court" in page
    assert "... (see case.json)." in page


# --- the file -----------------------------------------------------------------------------------------------------------


async def test_same_case_at_the_same_time_gives_the_same_bytes_but_for_the_signature(case: Thread, tmp_path: Path) -> None:
    with reading(case.west.rt.engine) as tx:
        found = contents(tx, row_id(case, ASKING), case.west.rt, by=ASKING, purpose="appeal")
        for name in ("one", "two"):
            with (tmp_path / name).open("w+b") as file:
                write_case_file(file, found, case.west.rt.ring.signing(ASKING))
    one, two = unpack(tmp_path / "one"), unpack(tmp_path / "two")
    assert list(one) == list(two)
    assert {name for name in one if one[name] != two[name]} <= {SIGNATURES}


async def test_both_sides_export_the_same_envelopes_and_receipts(case: Thread, tmp_path: Path) -> None:
    await case.answered()
    for authority in (ASKING, ASKED):
        export(case, tmp_path / authority, authority)
    west, east = (unpack(tmp_path / authority) for authority in (ASKING, ASKED))
    envelopes = [{body for name, body in side.items() if name.startswith("messages/")} for side in (west, east)]
    receipts = [{name: body for name, body in side.items() if name.startswith("receipts/")} for side in (west, east)]
    assert envelopes[0] == envelopes[1]
    assert receipts[0] == receipts[1]


async def test_message_without_a_receipt_yet_is_exported_as_not_proven(two_gateways, clock, tmp_path, sample) -> None:
    thread = opened(*ruled(two_gateways), clock)
    export(thread, tmp_path / "x.asice")
    items = {item.item: item.verdict for item in judge(tmp_path / "x.asice", sample).items}
    assert (items["message 1"], items["receipt of message 1"]) == ("valid", "not-proven")


async def test_message_that_was_refused_is_exported_as_it_came(case: Thread, clock, tmp_path, sample) -> None:
    wrong = application(clock.now, CaseReference=case.opening.case_reference, Sequence="2")
    (answer,) = take(case.east.rt, sealed(case.west.rt, wrong, clock.now))
    assert (answer.outcome, answer.code) == ("refused", "transition-not-allowed")
    export(case, tmp_path / "x.asice", ASKED)
    found = judge(tmp_path / "x.asice", sample)
    says = {item.item: item.says for item in found.items}
    assert found.verdict == "valid"
    assert says["message 2"].startswith("RS-MUP refused a message of AT-BMI")


async def test_case_that_is_held_is_exported_without_messages(gateway, tmp_path, sample) -> None:
    held = gateway.hand_in(example("ReadmissionApplication-own-national"), authority="BA-MS")
    written = export_case(held.case_id, tmp_path / "x.asice", gateway.rt, actor="officer.one", purpose=None)
    assert written.index.messages == ()
    assert judge(tmp_path / "x.asice", sample).verdict == "valid"


async def test_large_files_are_never_held_whole(case: Thread, tmp_path: Path) -> None:
    with reading(case.west.rt.engine) as tx:
        found = contents(tx, row_id(case, ASKING), case.west.rt, by=ASKING, purpose=None)
    large = tuple(
        Part(
            name=f"attachments/{number}.bin",
            media_type="application/octet-stream",
            what="scan",
            chunks=lambda: (bytes(CHUNK) for _ in range(25)),
        )
        for number in range(4)
    )
    tracemalloc.start()
    with (tmp_path / "large").open("w+b") as file:
        write_case_file(file, Contents(index=found.index, parts=large), case.west.rt.ring.signing(ASKING))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (tmp_path / "large").stat().st_size > 100 * CHUNK
    assert peak < 10 * CHUNK


def write_many(case: Thread, out: Path, files: int) -> None:
    """Write a case file with so many attachments, which nobody signed for."""
    what = "attachment 1 (document-scan) of message 1, whose sender AT-BMI signed its digest"
    line = {"number": 1, "kind": "document-scan", "media_type": PDF, "size": 4, "sha256": sha256(b"scan").hexdigest()}
    names = [f"attachments/{one:04}-01-document-scan-0123456789abcdef.pdf" for one in range(files)]
    more = [Part(name=name, media_type=PDF, what=what, chunks=lambda: [b"scan"]) for name in names]
    with reading(case.west.rt.engine) as tx, out.open("w+b") as file:
        found = contents(tx, row_id(case, ASKING), case.west.rt, by=ASKING, purpose=None)
        told = replace(found.index.messages[0], attachments=tuple(IndexedAttachment(**line, file=name) for name in names))
        many = Contents(index=replace(found.index, messages=(told,)), parts=(*found.parts, *more))
        write_case_file(file, many, case.west.rt.ring.signing(ASKING))


async def test_lists_of_a_case_file_with_a_thousand_files_can_be_read(case: Thread, tmp_path: Path, sample) -> None:
    write_many(case, tmp_path / "many", 1_000)
    assert {item.item: item.verdict for item in judge(tmp_path / "many", sample).items}["container"] == "valid"


async def test_case_file_whose_lists_nobody_would_read_is_not_written(case: Thread, tmp_path: Path) -> None:
    with pytest.raises(ContainerTooLarge, match="lists"):
        write_many(case, tmp_path / "many", 1_950)


async def test_file_can_be_read_by_its_owner_alone(case: Thread, tmp_path: Path) -> None:
    export(case, tmp_path / "x.asice")
    assert (tmp_path / "x.asice").stat().st_mode & 0o777 == 0o600


# --- who may ------------------------------------------------------------------------------------------------------------


async def test_export_is_journalled_with_who_what_for_and_the_digest(case: Thread, tmp_path: Path) -> None:
    export(case, tmp_path / "x.asice", purpose="appeal")
    (entry,) = journalled(case.west.rt.engine, "case.exported")
    assert entry["actor"] == "officer.one"
    assert entry["detail"]["purpose"] == "appeal"
    assert entry["digest"] == sha256((tmp_path / "x.asice").read_bytes()).hexdigest()
    with reading(case.west.rt.engine) as tx:
        assert journal.verify(tx)[1] == []


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"actor": " "}, MissingField),
        ({"by": "RS-MUP"}, NotHome),
        ({"by": "XX-NONE"}, NotHome),
    ],
)
async def test_nothing_is_written_or_journalled_by_who_may_not(case: Thread, tmp_path: Path, more, error) -> None:
    with pytest.raises(error):
        export(case, tmp_path / "x.asice", **more)
    assert left(tmp_path) == []
    assert journalled(case.west.rt.engine, "case.exported") == []


async def test_missing_key_leaves_no_half_file(case: Thread, tmp_path: Path, monkeypatch) -> None:
    def missing(*_, **__):
        raise KeyMissing("no key")

    monkeypatch.setattr("gateway.flow.case_export.sign_container", missing)
    with pytest.raises(KeyMissing):
        export(case, tmp_path / "x.asice")
    assert left(tmp_path) == []


async def test_unknown_case_is_not_found(case: Thread, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        export_case(99, tmp_path / "x", case.west.rt, actor="officer.one", purpose=None)


async def test_case_whose_key_is_gone_is_not_exported(case: Thread, tmp_path: Path, clock) -> None:
    with transaction(case.west.rt.engine) as tx:
        cases.destroy_key(tx, row_id(case, ASKING), clock.now)
    with pytest.raises(Erased):
        export(case, tmp_path / "x.asice")
