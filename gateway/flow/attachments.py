"""Files of home authorities: handed in part by part, and read again part by part. At most a few MiB are in memory.

A file is handed in before the message that names it, and waits under a holding key. The message claims it: from then on only
the key of the case opens it (flow/claims.py).
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from gateway.domain.case import Case
from gateway.errors import (
    AttachmentMismatch,
    AttachmentQuota,
    AttachmentType,
    EmptyDocument,
    Erased,
    NotFound,
    StoredDataDamaged,
    TooLarge,
)
from gateway.flow.ports import Runtime
from gateway.stages import MAX_ATTACHMENT_BYTES, PART_BYTES
from gateway.store import attachments, cases, journal
from gateway.store.attachments import AttachmentRow
from gateway.store.database import Tx, reading, transaction
from gateway.trust.attachment_key import AttachmentKey
from gateway.wire.media import SIGNATURES, Sniffer

_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}
DECLARED = frozenset(one.declared for one in SIGNATURES)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """A file that lies here and waits for the message that names it."""

    id: int
    sha256: str
    size: int
    media_type: str


def file_name(row: AttachmentRow) -> str:
    """Return the name under which a file is given out. The sender's own name for it stays in the message."""
    return f"{row.kind}-{(row.sha256 or '')[:16]}.{_ENDINGS.get(row.media_type or '', 'bin')}"


class HandIn:
    """One file on its way in, from its first byte to its last. An error in its `with` block drops what came so far.

    What a process leaves behind that ends in between is swept.
    """

    def __init__(self, rt: Runtime, *, authority: str, actor: str, media_type: str | None, sha256: str | None = None) -> None:
        """Begin to take a file. What is declared of it must prove true; None: only the message will say it.

        Raises `AttachmentType`, `AttachmentQuota`, `DatabaseUnavailable`.
        """
        rt.require_home(authority)
        if media_type is not None and media_type not in DECLARED:
            raise AttachmentType(f"an attachment is declared as one of: {', '.join(sorted(DECLARED))}")
        self._rt, self._authority, self._actor = rt, authority, actor
        self._declared, self._expected = media_type, sha256
        self._digest, self._sniffer = hashlib.sha256(), Sniffer()
        self._buffer = bytearray()
        self._size = self._parts = 0
        self._key = AttachmentKey.new()
        holding = rt.vault.new_case_key()
        with transaction(rt.engine) as tx:
            check_quota(attachments.unclaimed_bytes(tx, authority, None), rt)
            self._row = attachments.begin(
                tx, authority=authority, holding=holding, key=self._key.keep(rt.vault, holding), at=rt.clock()
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is not None:
            self.give_up()

    def add(self, data: bytes) -> None:
        """Take the next bytes. Raises `TooLarge`, `AttachmentQuota`, `DatabaseUnavailable`."""
        self._size += len(data)
        if self._size > MAX_ATTACHMENT_BYTES:
            raise TooLarge(f"the file has more than {MAX_ATTACHMENT_BYTES} bytes")
        self._digest.update(data)
        self._sniffer.feed(data)
        self._buffer += data
        while len(self._buffer) >= PART_BYTES:
            self._write(bytes(self._buffer[:PART_BYTES]))
            del self._buffer[:PART_BYTES]

    def _write(self, data: bytes) -> None:
        body = self._key.encrypt(self._parts + 1, data)
        with transaction(self._rt.engine) as tx:
            check_quota(attachments.unclaimed_bytes(tx, self._authority, None) + len(data), self._rt)
            attachments.add_part(tx, self._row, self._parts + 1, body, size=len(data), at=self._rt.clock())
        self._parts += 1

    def finish(self) -> HandedIn:
        """Take the file as complete; the same file handed in twice is kept once.

        Raises `EmptyDocument`, `AttachmentType`, `AttachmentMismatch`, and what `add` raises.
        """
        if not self._size:
            raise EmptyDocument("the file has no content")
        if self._buffer:
            self._write(bytes(self._buffer))
        found, digest = self._sniffer.media_type(), self._digest.hexdigest()
        if self._declared not in {None, found}:
            raise AttachmentMismatch(f"the file is declared as {self._declared}, but its bytes are {found}")
        if self._expected not in {None, digest}:
            raise AttachmentMismatch("the file has not the digest that was declared for it")
        now = self._rt.clock()
        with transaction(self._rt.engine) as tx:
            twin = attachments.handed_in(tx, self._authority, [digest]).get(digest)
            if twin is not None:
                attachments.drop(tx, self._row)
                attachments.touch(tx, twin.id, now)
            else:
                attachments.settle(tx, self._row, sha256=digest, of=self._parts, media_type=found, code=None, at=now)
            entry = journal.Entry(
                at=now,
                event="attachment.handed_in",
                actor=self._actor,
                authority=self._authority,
                digest=digest,
                detail={"size": self._size, "type": found},
            )
            journal.append(tx, [entry])
        return HandedIn(id=twin.id if twin else self._row, sha256=digest, size=self._size, media_type=found)

    def give_up(self) -> None:
        """Drop what came so far."""
        with transaction(self._rt.engine) as tx:
            attachments.drop(tx, self._row)


def check_quota(unclaimed: int, rt: Runtime) -> None:
    """Raise `AttachmentQuota` when more lies here unclaimed than an authority may leave lying."""
    most = rt.settings.unclaimed_megabytes * 1_000_000
    if unclaimed > most:
        raise AttachmentQuota(f"files of {rt.settings.unclaimed_megabytes} MB lie here that no message has named yet")


def hand_in(body: bytes, rt: Runtime, *, authority: str, actor: str, media_type: str) -> HandedIn:
    """Hand in a file that is in memory anyway."""
    with HandIn(rt, authority=authority, actor=actor, media_type=media_type) as file:
        file.add(body)
        return file.finish()


def file_key(row: AttachmentRow, case_key: bytes | None, rt: Runtime) -> AttachmentKey:
    """Return the key of a file. Raises `Erased` once the key of its case is destroyed."""
    under = row.holding if row.case_id is None else case_key
    if not under:
        raise Erased("the contents of this case were erased")
    return AttachmentKey.kept(rt.vault, under, row.key)


def stored_part(row: AttachmentRow, key: AttachmentKey, number: int, rt: Runtime) -> bytes:
    """Return the clear bytes of one part. Raises `StoredDataDamaged`, `DatabaseUnavailable`."""
    with reading(rt.engine) as tx:
        return part_within(tx, row, key, number)


def part_within(tx: Tx, row: AttachmentRow, key: AttachmentKey, number: int) -> bytes:
    """Return the clear bytes of one part as an open transaction sees it. Raises `StoredDataDamaged`."""
    body = attachments.part(tx, row.id, number)
    if body is None:
        raise StoredDataDamaged("a part of a stored file is missing")
    return key.decrypt(number, body)


def stored_bytes(row: AttachmentRow, key: AttachmentKey, rt: Runtime) -> Iterator[bytes]:
    """Yield the clear bytes of a file, part by part."""
    for number in range(1, (row.of or 0) + 1):
        yield stored_part(row, key, number, rt)


def read_attachment(
    case_id: int, sha256: str, *, homes: frozenset[str], actor: str, purpose: str, rt: Runtime
) -> tuple[AttachmentRow, Iterator[bytes]]:
    """Return an attachment of a case of `homes`, and its bytes part by part; journalled with its purpose before the first byte.

    Raises `NotFound` for a case of another authority as for an unknown one, `Erased` for one that was erased.
    """
    with transaction(rt.engine) as tx:
        case: Case = cases.get(tx, case_id)
        if case.home not in homes:
            raise NotFound("there is no such case")
        if case.wrapped_key is None:
            raise Erased("the contents of this case were erased")
        row = attachments.by_digest(tx, case_id).get(sha256)
        if row is None:
            raise NotFound("there is no such attachment")
        key = file_key(row, case.wrapped_key, rt)
        entry = journal.Entry(
            at=rt.clock(),
            event="attachment.read",
            actor=actor,
            authority=case.home,
            case_id=case_id,
            digest=sha256,
            detail={"kind": row.kind, "purpose": purpose},
        )
        journal.append(tx, [entry])
    return row, stored_bytes(row, key, rt)
