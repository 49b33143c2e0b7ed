"""`gateway case export`: one case as a signed container that can be checked without this gateway."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from gateway.errors import ContainerTooLarge, MissingField
from gateway.flow.case_contents import Contents, contents
from gateway.flow.ports import Runtime
from gateway.partners.formats import JSON
from gateway.stages import MAX_MESSAGE_BYTES
from gateway.store import cases, journal
from gateway.store.database import reading, transaction
from gateway.trust.authorities import obtain
from gateway.trust.container_profile import SignedFile
from gateway.trust.container_signature import sign_container, signed_file
from gateway.trust.keys import SigningKey
from gateway.trust.timestamps import Stamp
from gateway.wire.case_index import NAME, CaseIndex, IndexedFile, write_index
from gateway.wire.container import CHUNK, ContainerWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What was written."""

    index: CaseIndex
    sha256: str  # of the container
    bytes: int


def export_case(case_id: int, out: Path, rt: Runtime, *, actor: str, purpose: str | None, by: str | None = None) -> Export:
    """Write the file of a case to `out`, signed by `by` (the case's own authority if None). It appears whole or not at all.

    Journalled as `case.exported` with its digest before it appears. Raises `MissingField` without an actor, `NotFound`,
    `Erased`, `NotHome`, `KeyMissing`, `TimestampUnavailable` where the settings name an authority and none answers, and
    `OSError` where nothing can be written.
    """
    if not actor.strip():
        raise MissingField("a case is exported by somebody", path="by")
    with reading(rt.engine) as tx:
        home = cases.get(tx, case_id).home
        authority = by or home
        rt.require_home(authority)
        found = contents(tx, case_id, rt, by=authority, purpose=purpose)
        handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")  # mode 0600: it holds personal data
        try:
            with os.fdopen(handle, "w+b") as file:
                index = write_case_file(file, found, rt.ring.signing(authority), stamp=_stamping(rt))
                file.flush()
                os.fsync(file.fileno())
                digest, size = _digest(file), file.tell()
            written = Export(index=index, sha256=digest, bytes=size)
            _note(rt, case_id, home, written, actor)
            Path(name).replace(out)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    return written


def write_case_file(
    file: BinaryIO, found: Contents, key: SigningKey, *, stamp: Callable[[bytes], Stamp] | None = None
) -> CaseIndex:
    """Write the container; return its index with the list of files. Nothing but one chunk is held at a time.

    Raises `ContainerTooLarge` for a case of so many files that nobody would read their list.
    """
    writer = ContainerWriter(file)
    signed: list[SignedFile] = []
    listed: list[IndexedFile] = []
    for part in found.parts:
        whole = sha256()
        writer.add(part.name, _digesting(part.chunks(), whole))
        signed.append(signed_file(part.name, part.media_type, whole.digest()))
        listed.append(IndexedFile(name=part.name, media_type=part.media_type, sha256=whole.hexdigest(), what=part.what))
    index = replace(found.index, files=tuple(listed))
    body = write_index(index)
    writer.add(NAME, _listing(body))
    signed.append(signed_file(NAME, JSON, sha256(body).digest()))
    for name, content in sign_container(signed, key, found.index.exported.at, stamp=stamp):
        writer.add(name, _listing(content))
    writer.close()
    return index


def _listing(body: bytes) -> list[bytes]:
    """Return a file that lists all others as it is written; whoever checks a case file reads no larger one."""
    if len(body) > MAX_MESSAGE_BYTES:
        raise ContainerTooLarge("the case has more files than the lists of a case file may name")
    return [body]


def _stamping(rt: Runtime) -> Callable[[bytes], Stamp] | None:
    """Return how to have something timestamped, None where the settings name no authority."""
    if not rt.authorities:
        return None
    return lambda data: obtain(data, rt.authorities, rt.trust.timestamp_anchors, rt.clock)


def _digesting(chunks: Iterable[bytes], whole: "sha256") -> Iterator[bytes]:  # type: ignore[valid-type]
    for chunk in chunks:
        whole.update(chunk)  # type: ignore[attr-defined]
        yield chunk


def _digest(file: BinaryIO) -> str:
    found = sha256()
    file.seek(0)
    while chunk := file.read(CHUNK):
        found.update(chunk)
    return found.hexdigest()


def _note(rt: Runtime, case_id: int, home: str, written: Export, actor: str) -> None:
    exported = written.index.exported
    with transaction(rt.engine) as tx:
        entry = journal.Entry(
            at=exported.at,
            event="case.exported",
            actor=actor,
            authority=home,
            case_id=case_id,
            digest=written.sha256,
            detail={"signed_by": exported.by, "purpose": exported.purpose, "count": len(written.index.files)},
        )
        journal.append(tx, [entry])
