"""The last scene of an act: where both sides stand, and the case as one file that a stranger checks offline."""

from pathlib import Path

from gateway.cli.teller import Teller
from gateway.domain.case import Case
from gateway.flow.case_export import export_case
from gateway.flow.case_verdict import verify_case_file
from gateway.flow.evidence import gather
from gateway.flow.ports import Runtime
from gateway.store import cases, journal, roots
from gateway.store.database import reading
from gateway.store.deadlines import DeadlineRow
from gateway.trust.folder import ANCHORS, TIMESTAMP_ANCHORS

CASE_FILE = "case-file.asice"


def tell_record(authority: str, reference: str, reply: DeadlineRow, rt: Runtime, teller: Teller) -> Case:
    """Show the state of the case, and that the journal is whole and timestamped; return the case."""
    gather(rt, at_once=True)
    with reading(rt.engine) as tx:
        (case,) = cases.by_reference(tx, reference, home=authority)
        count, findings = journal.verify(tx)
        newest, stamp = roots.newest(tx), roots.newest_stamp(tx)
    whole = "broken" if findings else "whole"
    teller.step(
        rt.clock(),
        authority,
        f"case {case.state}; reply deadline {reply.state}; journal of {count} entries {whole}",
        f"entries 1 to {newest.root.last} lie under signed roots with a timestamp of {stamp.at:%Y-%m-%d %H:%M:%S} UTC"
        if newest and stamp
        else "no timestamp authority",
        state=str(case.state),
        journal=whole,
        timestamp=stamp.at.isoformat() if stamp else None,
    )
    return case


def leave_case_file(case: Case, folder: Path, rt: Runtime, teller: Teller) -> None:
    """Export the case, and check the file as somebody would who has nothing but the trust anchors."""
    assert case.id is not None
    path = folder / CASE_FILE
    written = export_case(case.id, path, rt, actor=f"officer@{case.home}", purpose="demonstration")
    teller.step(
        rt.clock(),
        case.home,
        f"exports the case as one signed file, {path.name}",
        f"{len(written.index.files)} files, {written.bytes} bytes, sha256 {written.sha256}",
        sha256_case_file=written.sha256,
    )
    keys = rt.settings.keys
    found = verify_case_file(path, keys / ANCHORS, rt.clock(), rt.schemas, timestamp_anchors=keys / TIMESTAMP_ANCHORS)
    teller.step(
        rt.clock(),
        "anybody",
        f"checks the file offline with trust anchors only: {found.verdict}",
        *(f"{item.verdict}: {item.item}" for item in found.items),
        verdict=found.verdict,
        items=len(found.items),
    )
