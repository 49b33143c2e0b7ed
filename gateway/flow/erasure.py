"""Erasure of a case: its key is destroyed, for the rows, sealed exports and every backup; a signed record stays.

In this order, so that a crash at any place leaves a case that is either whole or unreadable and the command can be given
again: rows and record in an open transaction, the record as a file beside the keys, the leaf of the case's key, the commit.
"""

from dataclasses import dataclass
from hashlib import sha256

from gateway.domain.case import Case
from gateway.errors import CaseOpen, DatabaseUnavailable, Erased, KeyMissing, MissingField
from gateway.flow.ports import Runtime
from gateway.log import logger
from gateway.store import cases, deadlines, erasures, journal
from gateway.store.database import Tx, reading, transaction
from gateway.trust.deletion import WHY, DeletionRecord, case_digest, write_record
from gateway.trust.folder import write_file

log = logger("erasure")

RECORDS = "erasures"  # folder of the signed records, beside the keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What was done."""

    record: DeletionRecord
    document: bytes  # the record, signed


def erase_case(case_id: int, *, by: str, why: str, rt: Runtime, although_open: bool = False) -> Erasure:
    """Destroy the key of a case; return the signed record.

    Raises `MissingField` without a person or a reason of the list, `NotFound`, `Erased` for a case that was erased before,
    `CaseOpen` for one in which something is still to be done, unless a person takes that upon them (`although_open`), and
    `KeyMissing` where the folder of the case keys cannot be written.
    """
    if not by.strip():
        raise MissingField("a case is erased by a named person", path="by")
    if why not in WHY:
        raise MissingField(f"a case is erased for one of these reasons: {', '.join(WHY)}", path="why")
    now = rt.clock()
    with transaction(rt.engine) as tx:
        case = cases.get(tx, case_id, lock=True)
        if case.wrapped_key is None:
            raise Erased("the case was erased before")
        if not although_open:
            _check_closed(tx, case)
        entry, hash_ = erasures.last_entry(tx)
        record = DeletionRecord(
            case=case_digest(case.home, case.reference),
            home=case.home,
            erased_at=now,
            by=by,
            why=why,
            although_open=although_open,
            key_destroyed=rt.vault.destroyable(case.wrapped_key),
            exports=tuple(erasures.handed_out(tx, case_id)),
            destroyed=erasures.erase(tx, case_id, now),
            journal_entry=entry,
            journal_hash=hash_,
        )
        document = write_record(record, rt.ring.signing(case.home))
        _write(tx, case, record, document, rt)
        try:
            write_file(rt.settings.case_key_folder / RECORDS / f"{record.case}.json", document)
            rt.vault.destroy(case.wrapped_key)
        except OSError as error:
            raise KeyMissing("nothing was erased: the folder of the case keys cannot be written") from error
    _sweep(rt)
    return Erasure(record=record, document=document)


def _sweep(rt: Runtime) -> None:
    """Take the removed pages out of the database's log too; what stood in them in clear must not lie there for long."""
    if not erasures.sweep(rt.engine):
        log.warning("erasure.pages_remain", code=DatabaseUnavailable.code)


def _check_closed(tx: Tx, case: Case) -> None:
    """Raise `CaseOpen` while a side must act, a deadline runs, or a message is on its way."""
    assert case.id is not None
    if case.waits_for is not None:
        raise CaseOpen(f"the case is {case.state}, and the {case.waits_for} side must act: it is not erased while it is open")
    running = [row.limit_id for row in deadlines.of_cases(tx, [case.id]) if row.state == "open"]
    if running:
        raise CaseOpen(f"the limit '{running[0]}' of the case still runs: it is not erased before that is settled")
    if erasures.waits_to_leave(tx, case.id):
        raise CaseOpen("a message of the case is still on its way out: it is not erased before that has left")


def _write(tx: Tx, case: Case, record: DeletionRecord, document: bytes, rt: Runtime) -> None:
    """Keep the record in its table and in the journal."""
    assert case.id is not None
    erasures.add(tx, case.id, record.case, record.erased_at, document)
    entry = journal.Entry(
        at=rt.clock(),
        event="case.erased",
        actor=record.by,
        authority=case.home,
        case_id=case.id,
        digest=sha256(document).hexdigest(),
        detail={"why": record.why, "although_open": record.although_open, "count": sum(record.destroyed.values())},
    )
    journal.append(tx, [entry])


def replay(rt: Runtime) -> list[int]:
    """Erase again what a restored database brought back; return the row ids of the cases.

    Their contents cannot be read either way: the leaves of their keys are gone. This takes out of the rows what stands there in
    clear or would still be carried, and puts the records back. A record alone erases nothing: the case's key must be gone.
    """
    folder = rt.settings.case_key_folder / RECORDS
    kept = {path.stem: path for path in folder.glob("*.json")}
    with reading(rt.engine) as tx:
        missing = kept.keys() - erasures.known(tx)
        found = [
            (case_id, case_digest(home, reference))
            for case_id, home, reference, key in (erasures.with_key(tx) if missing else ())
            if case_digest(home, reference) in missing and rt.vault.is_destroyed(key)
        ]
    for case_id, digest in found:
        _erase_again(case_id, digest, kept[digest].read_bytes(), rt)
    if found:
        _sweep(rt)
    return [case_id for case_id, _ in found]


def _erase_again(case_id: int, digest: str, document: bytes, rt: Runtime) -> None:
    now = rt.clock()
    with transaction(rt.engine) as tx:
        case = cases.get(tx, case_id, lock=True)
        if case.wrapped_key is None:
            return  # another process was faster
        touched = erasures.erase(tx, case_id, now)
        erasures.add(tx, case_id, digest, now, document)
        entry = journal.Entry(
            at=now,
            event="case.erased_again",
            actor="gateway",
            authority=case.home,
            case_id=case_id,
            digest=sha256(document).hexdigest(),
            detail={"count": sum(touched.values())},
        )
        journal.append(tx, [entry])
