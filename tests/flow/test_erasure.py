"""Erasure: the person is gone from rows, dumps and backups, what was proven stays, and the other side is not touched."""

import json
import shutil
import subprocess
import sys
import uuid
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from structlog.testing import capture_logs

from gateway.domain.case import State
from gateway.errors import (
    CaseOpen,
    Erased,
    KeyMissing,
    MissingField,
    NotFound,
    SignatureInvalid,
    SignerMismatch,
)
from gateway.flow import parts
from gateway.flow.attachments import read_attachment
from gateway.flow.case_export import export_case
from gateway.flow.deletion_verdict import verify_record_file
from gateway.flow.erasure import RECORDS, erase_case, replay
from gateway.flow.holding import handed_in_before
from gateway.flow.mailbox import fetch, read_document
from gateway.flow.papers import clear
from gateway.flow.watch import watch_once
from gateway.store import attachments, cases, erasure_tables, erasures, inbox, journal, messages
from gateway.store import tables as t
from gateway.store.columns import metadata
from gateway.store.database import open_engine, reading, transaction
from gateway.store.worklist import Viewer
from gateway.transport.memory import MemoryHub
from gateway.trust.algorithms import ECDSA_P256
from gateway.trust.deletion import DeletionRecord, case_digest, read_record, write_record
from gateway.trust.vault import Vault
from gateway.wire.reading import header_of, message_inside
from gateway.wiring.pages import web_runtime
from tests.files import ASKED, ASKING, file, give, kept, naming, sealed_parts, send
from tests.files import case_id as case_of
from tests.forging import answer_to, journalled, sealed, take
from tests.gateways import AUTHORITIES, Gateway, example, exchange, make_gateway
from tests.packs import SPECIMEN

pytestmark = pytest.mark.anyio

OWN_NUMBER = b"08-30-1-1174/26"  # as the example has it
APPLICATION = "ReadmissionApplication-own-national"
BY = {"by": "officer.one@ba-ms", "why": "retention-ended"}


@pytest.fixture
async def gateway(database_url: str, keys: Path, clock, tmp_path: Path):
    """One gateway that is home to all four authorities, on SQLite and on PostgreSQL, with case keys of its own."""
    made = await make_gateway(database_url, keys, clock, home=AUTHORITIES, hub=MemoryHub(clock)).open()
    settings = replace(made.rt.settings, case_keys=tmp_path / "case-keys")
    yield Gateway(rt=replace(made.rt, settings=settings, vault=vault_of(keys, tmp_path)), hub=made.hub)
    made.rt.engine.dispose()


def vault_of(keys: Path, tmp_path: Path) -> Vault:
    """Return the vault as a process that starts now reads it."""
    return Vault.load(keys, tmp_path / "case-keys")


async def exchanged(gateway: Gateway) -> tuple[int, int]:
    """BA-MS asks PK-MOI about a specimen; both sides have a case, which is closed. Return its row at each side."""
    held = gateway.hand_in(example(APPLICATION), authority="BA-MS")
    sent = gateway.release(held.case_id)
    await exchange(gateway)
    close(gateway)
    with reading(gateway.rt.engine) as tx:
        mine, theirs = (cases.by_reference(tx, sent.case_reference, home=home)[0] for home in ("BA-MS", "PK-MOI"))
    assert mine.id is not None
    assert theirs.id is not None
    return mine.id, theirs.id


def close(gateway: Gateway) -> None:
    """Let nothing be left to do in any case."""
    with transaction(gateway.rt.engine) as tx:
        tx.execute(update(t.cases).values(state=str(State.TAKEN_BACK)))
        tx.execute(update(t.deadlines).values(state="moot"))


def dump(gateway: Gateway) -> bytes:
    """Return every value of every row, as a dump of the database would hold it; of SQLite the files themselves too."""
    found = []
    with reading(gateway.rt.engine) as tx:
        for table in metadata.sorted_tables:
            for row in tx.execute(select(table)):
                found += [value if isinstance(value, bytes) else str(value).encode() for value in row]
    url = gateway.rt.engine.url
    if url.get_backend_name() == "sqlite":
        found += [path.read_bytes() for path in Path(str(url.database)).parent.glob(f"{Path(str(url.database)).name}*")]
    return b"\n".join(found)


def readings(gateway: Gateway, case_id: int) -> list[str]:
    """Read all there is of a case by every way there is; return the codes of the refusals, "read" where it was read."""
    rt = gateway.rt
    with reading(rt.engine) as tx:
        home = cases.get(tx, case_id).home
        rows = messages.of_case(tx, case_id)
        documents = messages.documents_of(tx, [row.id for row in rows if row.id])
        waiting = [row for row in inbox.waiting(tx, home) if row.case_id == case_id]
    web, viewer = web_runtime(rt), Viewer(account="officer", role="officer", authority=home)
    ways = [
        lambda: web.person_of(case_id=case_id, viewer=viewer),
        lambda: export_case(case_id, Path(str(rt.settings.case_keys)) / "export", rt, actor="x", purpose=None),
        *(lambda row=row: fetch(home, row.id, actor="x", rt=rt) for row in waiting),
        *(
            lambda one=one: read_document(one.id, homes=frozenset({home}), actor="x", purpose="x", rt=rt)
            for one in documents
            if one.kind != "receipt"
        ),
    ]
    if home == "BA-MS":
        ways.append(lambda: web.read_statement(case_id=case_id, viewer=viewer))
    codes = []
    for way in ways:
        try:
            codes.append("read" if way() is not None else "erased")
        except (Erased, NotFound) as error:
            codes.append(error.code)
    return codes


# --- before and after ---------------------------------------------------------------------------------------------------


async def test_person_stands_nowhere_in_clear_before_an_erasure(gateway) -> None:
    await exchanged(gateway)
    assert SPECIMEN.encode() not in dump(gateway)


async def test_everything_can_be_read_before_and_nothing_after(gateway) -> None:
    mine, _ = await exchanged(gateway)
    assert set(readings(gateway, mine)) == {"read"}
    erase_case(mine, **BY, rt=gateway.rt)
    assert set(readings(gateway, mine)) == {"erased"}


async def test_other_sides_case_is_not_touched(gateway) -> None:
    mine, theirs = await exchanged(gateway)
    erase_case(mine, **BY, rt=gateway.rt)
    assert set(readings(gateway, theirs)) == {"read"}
    with reading(gateway.rt.engine) as tx:
        assert len(inbox.waiting(tx, "PK-MOI")) == 1


async def test_what_stands_in_clear_beside_the_documents_is_cleared(gateway) -> None:
    mine, _ = await exchanged(gateway)
    assert OWN_NUMBER in dump(gateway)
    erase_case(mine, **BY, rt=gateway.rt)
    assert OWN_NUMBER not in dump(gateway)


async def test_pages_that_stay_in_the_log_of_the_database_are_told_of(gateway, monkeypatch) -> None:
    mine, _ = await exchanged(gateway)
    monkeypatch.setattr(erasures, "sweep", lambda _engine: False)
    with capture_logs() as logs:
        erase_case(mine, rt=gateway.rt, **BY)
    assert [one["event"] for one in logs if one["log_level"] == "warning"] == ["erasure.pages_remain"]


async def test_what_would_still_be_handed_out_is_removed(gateway) -> None:
    _, theirs = await exchanged(gateway)
    done = erase_case(theirs, **BY, rt=gateway.rt)
    with reading(gateway.rt.engine) as tx:
        assert inbox.waiting(tx, "PK-MOI") == []
    assert done.record.destroyed["inbox"] == 1
    assert done.record.destroyed["documents"] == 3  # signed, translated, report


# --- attachments --------------------------------------------------------------------------------------------------------


def bodies(gateway: Gateway, case_id: int) -> list[bytes]:
    """Return the parts of the files of a case, as they are stored."""
    with reading(gateway.rt.engine) as tx:
        rows = attachments.of_case(tx, case_id)
        return [attachments.part(tx, row.id, number) or b"" for row in rows for number in range(1, row.parts + 1)]


def file_names(gateway: Gateway, case_id: int) -> list[str]:
    with reading(gateway.rt.engine) as tx:
        return [row.sha256 or "" for row in attachments.of_case(tx, case_id)]


async def test_files_of_the_case_are_removed_byte_for_byte_and_counted(gateway) -> None:
    mine, theirs = await exchanged(gateway)
    here, there, digest = bodies(gateway, mine), bodies(gateway, theirs), file_names(gateway, mine)[0]
    assert here
    assert all(body in dump(gateway) for body in here + there)
    done = erase_case(mine, **BY, rt=gateway.rt)
    left = dump(gateway)
    assert not any(body in left or body[100:400] in left for body in here)
    assert (done.record.destroyed["attachments"], done.record.destroyed["attachment_parts"]) == (2, len(here))
    assert bodies(gateway, theirs) == there, "the other side's case is its own"
    with pytest.raises(Erased):
        read_attachment(mine, digest, homes=frozenset({"BA-MS"}), actor="officer", purpose="case-work", rt=gateway.rt)


async def test_file_that_belongs_to_no_case_is_not_touched(gateway) -> None:
    mine, _ = await exchanged(gateway)
    give(gateway, file(size=300), authority="BA-MS")
    erase_case(mine, **BY, rt=gateway.rt)
    assert [(row.case_id, row.size) for row in kept(gateway) if row.authority == "BA-MS"] == [(None, 300)]


async def test_parts_of_a_message_of_the_case_that_waits_for_the_others_are_removed(gateway, clock) -> None:
    scan, other = file(), file(name="of another case")
    sent = send(gateway, file(size=300))
    await exchange(gateway)
    further = naming(clock.now, scan)
    further.find("{*}Header/{*}CaseReference").text = sent.case_reference
    further.find("{*}Header/{*}Sequence").text = "2"
    (answer,) = take(gateway.rt, sealed(gateway.rt, further, clock.now))
    assert answer.outcome == "waiting"
    take(gateway.rt, sealed_parts(gateway.rt, header_of(further)["MessageId"], scan)[0])
    take(gateway.rt, sealed_parts(gateway.rt, str(uuid.uuid4()), other)[0])
    partial = [row for row in kept(gateway) if row.case_id is None]
    assert [row.sha256 for row in partial] == [scan.sha256, other.sha256]
    theirs = case_of(gateway, sent.case_reference, ASKED)
    done = erase_case(theirs, **BY, rt=gateway.rt, although_open=True)
    assert (done.record.destroyed["early"], done.record.destroyed["attachments"]) == (1, 2)
    assert [row.sha256 for row in kept(gateway) if row.case_id is None] == [other.sha256]


async def test_file_that_was_about_to_leave_does_not(gateway, monkeypatch) -> None:
    sent = send(gateway, file(size=300))
    mine, seal = case_of(gateway, sent.case_reference, ASKING), parts._sealed

    def late(row, attachment_id, rt):
        erase_case(mine, **BY, rt=rt, although_open=True)
        return seal(row, attachment_id, rt)

    monkeypatch.setattr(parts, "_sealed", late)
    assert parts.next_group(gateway.rt, by="one") is None
    with reading(gateway.rt.engine) as tx:
        assert tx.execute(select(t.outbox)).all() == []


# --- after an erasure ---------------------------------------------------------------------------------------------------


async def test_row_of_a_backup_is_of_no_use(gateway, keys, tmp_path) -> None:
    mine, _ = await exchanged(gateway)
    with reading(gateway.rt.engine) as tx:
        wrapped = cases.get(tx, mine).wrapped_key
        (document, *_) = messages.documents_of(tx, [row.id for row in messages.of_case(tx, mine) if row.id])
    erase_case(mine, **BY, rt=gateway.rt)
    assert wrapped is not None
    with pytest.raises(Erased):
        vault_of(keys, tmp_path).decrypt(wrapped, document.body, f"{document.kind}:{document.sha256}".encode())


async def test_journal_stays_whole_and_says_who_erased_and_why(gateway) -> None:
    mine, _ = await exchanged(gateway)
    done = erase_case(mine, **BY, rt=gateway.rt)
    with reading(gateway.rt.engine) as tx:
        count, findings = journal.verify(tx)
    (entry,) = journalled(gateway.rt.engine, "case.erased")
    assert findings == []
    assert entry["id"] == count
    assert (entry["actor"], entry["detail"]["why"], entry["case_id"]) == (BY["by"], BY["why"], mine)
    assert done.record.journal_entry == count - 1


async def test_messages_that_come_later_are_refused_and_the_others_taken(gateway, clock) -> None:
    mine, theirs = await exchanged(gateway)
    with reading(gateway.rt.engine) as tx:
        row = messages.of_case(tx, theirs)[0]
    application_ = gateway_document(gateway, theirs)
    erase_case(mine, **BY, rt=gateway.rt)
    late = sealed(gateway.rt, answer_to(application_, row.digest, clock.now), clock.now)
    (answer,) = take(gateway.rt, late)
    assert (answer.outcome, answer.code) in {("refused", "erased"), ("refused", "transition-not-allowed")}


def gateway_document(gateway: Gateway, case_id: int):
    with reading(gateway.rt.engine) as tx:
        row = messages.of_case(tx, case_id)[0]
        paper = messages.document(tx, row.id or 0, "signed")
        assert paper is not None
        return message_inside(clear(gateway.rt, cases.get(tx, case_id), paper))


# --- the record ---------------------------------------------------------------------------------------------------------


async def test_record_is_signed_and_names_no_person_and_no_reference(gateway) -> None:
    mine, _ = await exchanged(gateway)
    with reading(gateway.rt.engine) as tx:
        reference = cases.get(tx, mine).reference
    done = erase_case(mine, **BY, rt=gateway.rt)
    record = read_record(done.document, gateway.rt.trust)
    assert record == done.record
    assert record.case == case_digest("BA-MS", reference)
    assert (record.by, record.why, record.although_open, record.key_destroyed) == (BY["by"], BY["why"], False, True)
    for secret in (reference.encode(), SPECIMEN.encode(), OWN_NUMBER):
        assert secret not in done.document


async def test_record_stands_in_the_table_and_beside_the_keys(gateway) -> None:
    mine, _ = await exchanged(gateway)
    done = erase_case(mine, **BY, rt=gateway.rt)
    with reading(gateway.rt.engine) as tx:
        assert erasures.of_case(tx, mine) == [done.document]
    (file,) = (gateway.rt.settings.case_key_folder / RECORDS).glob("*.json")
    assert file.read_bytes() == done.document


async def test_record_names_the_case_files_that_were_handed_out(gateway, tmp_path) -> None:
    mine, _ = await exchanged(gateway)
    written = export_case(mine, tmp_path / "x.asice", gateway.rt, actor="officer.one", purpose=None)
    assert erase_case(mine, **BY, rt=gateway.rt).record.exports == (written.sha256,)


async def test_stranger_checks_a_record_with_anchors_alone(gateway, keys, tmp_path) -> None:
    mine, _ = await exchanged(gateway)
    done = erase_case(mine, **BY, rt=gateway.rt)
    (tmp_path / "record.json").write_bytes(done.document)
    found = verify_record_file(tmp_path / "record.json", keys / "anchors")
    assert found.verdict == "valid"
    assert found.items[0].says.startswith("BA-MS erased a case on 1 June 2026, 08:15:00 UTC. officer.one@ba-ms decided it")


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (b"retention-ended", b"court-order", SignatureInvalid),
        (b"officer.one", b"officer.two", SignatureInvalid),
        (b'"home": "BA-MS"', b'"home": "PK-MOI"', SignatureInvalid),
        (b'"record"', b'"recort"', SignatureInvalid),
        (b'"certificates": [', b'"certificates": [], "others": [', SignatureInvalid),
        (b'"signature"', b'"note": "all is well", "signature"', SignatureInvalid),
        (b"{", b"[", SignatureInvalid),
    ],
)
async def test_changed_record_is_refused(gateway, keys, tmp_path, old, new, error) -> None:
    mine, _ = await exchanged(gateway)
    document = erase_case(mine, **BY, rt=gateway.rt).document
    assert old in document
    changed = document.replace(old, new, 1)
    with pytest.raises((error, SignerMismatch)):
        read_record(changed, gateway.rt.trust)
    (tmp_path / "record.json").write_bytes(changed)
    assert verify_record_file(tmp_path / "record.json", keys / "anchors").verdict == "refused"


def _signed(gateway, record: DeletionRecord, *, with_the_other_s: bool = False, **values: object) -> bytes:
    """Return a record with values of any kind, signed by its own authority as a careless or dishonest one would."""
    whole = json.loads(write_record(record, gateway.rt.ring.signing("BA-MS")))
    whole["record"] |= values
    key = gateway.rt.ring.signing("BA-MS")
    text = json.dumps(whole["record"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    raw = key.algorithm.to_only_form(key.sign(b"readmission-gateway deletion record 1\n" + text.encode()))
    if with_the_other_s:
        raw = raw[:32] + (ECDSA_P256.order - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    return json.dumps(whole | {"signature": b64encode(raw).decode()}).encode()


@pytest.mark.parametrize(
    "values",
    [
        {"destroyed": ["documents"]},
        {"destroyed": {"documents": "all"}},
        {"why": ["person-request"]},
        {"why": "because"},
        {"by": ["A. Specimen"]},
        {"exports": "abc"},
        {"journal_entry": True},
        {"erased_at": "2026-06-01T08:15:00"},
        {"with_the_other_s": True},
    ],
)
async def test_signed_record_of_another_form_is_refused(gateway, keys, tmp_path, values) -> None:
    mine, _ = await exchanged(gateway)
    record = read_record(erase_case(mine, **BY, rt=gateway.rt).document, gateway.rt.trust)
    assert read_record(_signed(gateway, record), gateway.rt.trust) == record  # as it is, it holds
    changed = _signed(gateway, record, **values)
    with pytest.raises(SignatureInvalid):
        read_record(changed, gateway.rt.trust)
    (tmp_path / "record.json").write_bytes(changed)
    assert verify_record_file(tmp_path / "record.json", keys / "anchors").code == "signature-invalid"


# --- what is refused ----------------------------------------------------------------------------------------------------


async def test_case_in_which_a_side_must_act_is_not_erased(gateway) -> None:
    held = gateway.hand_in(example(APPLICATION), authority="BA-MS")
    with pytest.raises(CaseOpen, match="requesting side must act"):
        erase_case(held.case_id, **BY, rt=gateway.rt)


async def test_case_with_a_running_limit_is_not_erased(gateway) -> None:
    mine, _ = await exchanged(gateway)
    with transaction(gateway.rt.engine) as tx:
        tx.execute(update(t.deadlines).where(t.deadlines.c.case_id == mine).values(state="open"))
    with pytest.raises(CaseOpen, match="'reply'"):
        erase_case(mine, **BY, rt=gateway.rt)


async def test_case_with_a_message_on_its_way_is_not_erased(gateway) -> None:
    held = gateway.hand_in(example(APPLICATION), authority="BA-MS")
    gateway.release(held.case_id)
    close(gateway)
    with pytest.raises(CaseOpen, match="on its way"):
        erase_case(held.case_id, **BY, rt=gateway.rt)


async def test_person_may_take_an_open_case_upon_them_and_the_record_says_so(gateway) -> None:
    held = gateway.hand_in(example(APPLICATION), authority="BA-MS")
    gateway.release(held.case_id)
    done = erase_case(held.case_id, **BY, rt=gateway.rt, although_open=True)
    assert done.record.although_open
    assert done.record.destroyed["outbox"] == 3  # the message and its two files
    await exchange(gateway)
    with reading(gateway.rt.engine) as tx:
        assert [case.home for case in cases.all_of(tx)] == ["BA-MS"]  # nothing of it left
    assert watch_once(gateway.rt) == 0


@pytest.mark.parametrize("lacking", [{"by": " "}, {"why": ""}, {"why": "because the person, A. Specimen, asked"}])
async def test_nothing_is_erased_without_a_person_and_a_reason_of_the_list(gateway, lacking) -> None:
    mine, _ = await exchanged(gateway)
    with pytest.raises(MissingField):
        erase_case(mine, **BY | lacking, rt=gateway.rt)
    assert set(readings(gateway, mine)) == {"read"}


async def test_case_is_erased_once(gateway) -> None:
    mine, _ = await exchanged(gateway)
    erase_case(mine, **BY, rt=gateway.rt)
    with pytest.raises(Erased):
        erase_case(mine, **BY, rt=gateway.rt)
    assert len(journalled(gateway.rt.engine, "case.erased")) == 1


async def test_unknown_case_is_not_found(gateway) -> None:
    with pytest.raises(NotFound):
        erase_case(99, **BY, rt=gateway.rt)


async def test_nothing_is_erased_when_the_record_cannot_be_kept(gateway, tmp_path) -> None:
    mine, _ = await exchanged(gateway)
    (tmp_path / "case-keys" / RECORDS).write_bytes(b"a file where the folder should be")
    with pytest.raises(KeyMissing, match="nothing was erased"):
        erase_case(mine, **BY, rt=gateway.rt)
    assert set(readings(gateway, mine)) == {"read"}
    assert journalled(gateway.rt.engine, "case.erased") == []


async def test_erasure_that_broke_off_before_its_commit_can_be_given_again(gateway, monkeypatch) -> None:
    mine, _ = await exchanged(gateway)
    destroy = Vault.destroy

    def broken(self, wrapped):
        destroy(self, wrapped)
        raise OSError("the machine went down here")

    monkeypatch.setattr(Vault, "destroy", broken)
    with pytest.raises(KeyMissing):
        erase_case(mine, **BY, rt=gateway.rt)
    assert set(readings(gateway, mine)) == {"erased"}
    monkeypatch.undo()
    erase_case(mine, **BY, rt=gateway.rt)
    with reading(gateway.rt.engine) as tx:
        assert cases.get(tx, mine).wrapped_key is None


# --- backups ------------------------------------------------------------------------------------------------------------


def restored(gateway: Gateway, mine: int, keys: Path, tmp_path: Path) -> Gateway:
    """Erase a case after a backup was made; return a gateway that starts on the backup, SQLite's file or PostgreSQL's row."""
    rt = gateway.rt
    url, engine = rt.engine.url, rt.engine
    if url.get_backend_name() == "sqlite":
        rt.engine.dispose()
        engine = open_engine(f"sqlite:///{shutil.copy(str(url.database), tmp_path / 'backup.sqlite3')}")
    with reading(rt.engine) as tx:
        before = dict(tx.execute(select(t.cases).where(t.cases.c.id == mine)).mappings().one())
    erase_case(mine, **BY, rt=rt)
    if engine is rt.engine:
        with transaction(engine) as tx:
            tx.execute(update(t.cases).where(t.cases.c.id == mine).values(**before))
            tx.execute(delete(erasure_tables.erasures))
    return Gateway(rt=replace(rt, engine=engine, vault=vault_of(keys, tmp_path)), hub=gateway.hub)


async def test_restored_copy_cannot_be_read_even_before_the_replay(gateway, keys, tmp_path, clock) -> None:
    mine, _ = await exchanged(gateway)
    old = restored(gateway, mine, keys, tmp_path)
    with reading(old.rt.engine) as tx:
        assert cases.get(tx, mine).wrapped_key is not None
    assert set(readings(old, mine)) == {"erased"}


async def test_replay_takes_out_of_a_restored_copy_what_came_back(gateway, keys, tmp_path, clock) -> None:
    mine, _ = await exchanged(gateway)
    old = restored(gateway, mine, keys, tmp_path)
    assert OWN_NUMBER in dump(old)
    assert bodies(old, mine) or old.rt.engine.dialect.name == "postgresql"  # there only the row of the case came back
    assert replay(old.rt) == [mine]
    assert OWN_NUMBER not in dump(old)
    assert bodies(old, mine) == []
    (entry,) = journalled(old.rt.engine, "case.erased_again")
    assert entry["case_id"] == mine
    with reading(old.rt.engine) as tx:
        assert read_record(erasures.of_case(tx, mine)[0], old.rt.trust).by == BY["by"]
        assert journal.verify(tx)[1] == []
    assert replay(old.rt) == []


async def test_restored_case_does_not_hinder_other_documents(gateway, keys, tmp_path, clock) -> None:
    held = gateway.hand_in(example(APPLICATION), authority="BA-MS")
    gateway.rt.vault.destroy(_key(gateway, held.case_id))
    assert handed_in_before(b"another document", "BA-MS", gateway.rt) is None


async def test_record_alone_erases_nothing(gateway) -> None:
    mine, _ = await exchanged(gateway)
    with reading(gateway.rt.engine) as tx:
        digest = case_digest("BA-MS", cases.get(tx, mine).reference)
    folder = gateway.rt.settings.case_key_folder / RECORDS
    folder.mkdir()
    (folder / f"{digest}.json").write_text(json.dumps({"record": "planted"}))
    assert replay(gateway.rt) == []
    assert set(readings(gateway, mine)) == {"read"}


async def test_process_that_runs_forgets_what_another_destroyed_at_its_next_watch(gateway, keys, tmp_path, clock) -> None:
    mine, _ = await exchanged(gateway)
    running = replace(gateway.rt, vault=vault_of(keys, tmp_path))
    with reading(gateway.rt.engine) as tx:
        wrapped = cases.get(tx, mine).wrapped_key or b""
    body = running.vault.encrypt(wrapped, b"x", b"y")
    erase_case(mine, **BY, rt=gateway.rt)
    assert running.vault.decrypt(wrapped, body, b"y") == b"x"  # by what it remembers; the row has no key any more
    clock.move(minutes=1)
    watch_once(running)
    with pytest.raises(Erased):
        running.vault.decrypt(wrapped, body, b"y")


def _key(gateway: Gateway, case_id: int) -> bytes:
    with reading(gateway.rt.engine) as tx:
        return cases.get(tx, case_id).wrapped_key or b""


@pytest.mark.postgres
async def test_dump_of_postgresql_holds_no_person(migrated_postgres_url, keys, clock, tmp_path) -> None:
    made = await make_gateway(migrated_postgres_url, keys, clock, home=AUTHORITIES, hub=MemoryHub(clock)).open()
    rt = replace(made.rt, settings=replace(made.rt.settings, case_keys=tmp_path / "case-keys"), vault=vault_of(keys, tmp_path))
    side = Gateway(rt=rt, hub=made.hub)
    mine, _ = await exchanged(side)
    with rt.engine.raw_connection() as connection, connection.driver_connection.cursor() as cursor:
        assert SPECIMEN.encode() not in _copied(cursor)
        connection.rollback()
    erase_case(mine, **BY, rt=rt)
    with rt.engine.raw_connection() as connection, connection.driver_connection.cursor() as cursor:
        assert OWN_NUMBER not in _copied(cursor)
    rt.engine.dispose()


def _copied(cursor) -> bytes:
    """Return all tables as COPY writes them, which is what pg_dump does."""
    found = b""
    for table in metadata.sorted_tables:
        with cursor.copy(f"COPY {table.name} TO STDOUT") as copy:
            found += b"".join(copy)
    return found


def test_nothing_of_the_store_is_needed_to_check_a_record() -> None:
    code = "import sys, gateway.flow.deletion_verdict; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
