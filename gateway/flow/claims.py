"""A message and the files it names: compared, and claimed for its case. From then on only the key of the case opens them."""

from collections.abc import Mapping, Sequence

from gateway.domain.case import Case
from gateway.errors import AttachmentMismatch, AttachmentMissing, AttachmentType, StoreConflict
from gateway.flow.attachments import file_key
from gateway.flow.draft import Draft
from gateway.flow.ports import Runtime
from gateway.store import attachments
from gateway.store.attachments import PARTIAL, WRONG, AttachmentRow, Claim
from gateway.store.database import Tx
from gateway.wire.manifest import Named


def find_handed_in(tx: Tx, authority: str, named: Sequence[Named]) -> dict[str, AttachmentRow]:
    """Return the files that a message names, by digest, from those its authority handed in.

    Raises `AttachmentMissing`, which names all that are not there, `AttachmentMismatch` for one that the message tells wrongly.
    """
    found = attachments.handed_in(tx, authority, [one.sha256 for one in named]) if named else {}
    if missing := [one for one in named if one.sha256 not in found]:
        digests = ", ".join(one.sha256 for one in missing)
        raise AttachmentMissing(f"no files with these digests were handed in: {digests}", path=f"{missing[0].path}/Sha256")
    check_as_named(named, found)
    return found


def lacking(named: Sequence[Named], arrived: Mapping[str, AttachmentRow]) -> int:
    """Return how many of the named files have not come as a whole yet."""
    return sum(1 for one in named if one.sha256 not in arrived or arrived[one.sha256].state == PARTIAL)


def check_as_named(named: Sequence[Named], found: Mapping[str, AttachmentRow]) -> None:
    """Raise `AttachmentMismatch` or `AttachmentType` for the first file that is not what the message says it is."""
    for one in named:
        row = found[one.sha256]
        if row.state == WRONG and row.code == AttachmentType.code:
            raise AttachmentType("the file is of no kind that is taken, or of two at once", path=f"{one.path}/MediaType")
        if row.state == WRONG:
            raise AttachmentMismatch("the file has not the digest that the message names", path=f"{one.path}/Sha256")
        if row.size != one.size:
            raise AttachmentMismatch(f"the file has {row.size} bytes, the message says {one.size}", path=f"{one.path}/Size")
        if row.media_type != one.media_type:
            text = f"the file is {row.media_type}, the message says {one.media_type}"
            raise AttachmentMismatch(text, path=f"{one.path}/MediaType")


def claim(
    tx: Tx, case: Case, message_row: int | None, named: Sequence[Named], found: Mapping[str, AttachmentRow], rt: Runtime
) -> None:
    """Give the files of a message to its case. Raises `StoreConflict` when one was claimed or swept meanwhile."""
    if not named:
        return
    assert case.id is not None
    assert case.wrapped_key is not None
    claims = [
        Claim(
            id=found[one.sha256].id,
            key=file_key(found[one.sha256], None, rt).keep(rt.vault, case.wrapped_key),
            kind=one.kind,
            number=one.number,
            message_row=message_row,
        )
        for one in named
    ]
    if not attachments.claim(tx, case.id, claims, rt.clock()):
        raise StoreConflict("a file was claimed by another message, or swept, meanwhile")


def leave_with(tx: Tx, draft: Draft, message_row: int, rt: Runtime) -> list[int]:
    """Give a message that leaves its files, which it claims now or claimed when it was held; return their row ids."""
    assert draft.after is not None
    assert draft.after.id is not None
    if draft.released:
        return [row.id for row in attachments.leave(tx, draft.after.id, message_row)]
    claim(tx, draft.after, message_row, draft.named, draft.files, rt)
    return [draft.files[one.sha256].id for one in draft.named]
