"""The attachments of a case file: each file that a signed message names must be the one that is there, and no other may be."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from gateway.errors import AttachmentMismatch, AttachmentUnsigned
from gateway.flow.case_words import NOT_PROVEN, VALID, Item, attachment_is_good, attachment_is_missing
from gateway.wire.case_index import CERTIFICATES, JOURNAL, NAME, PROOFS, README, REVOCATION, SUMMARY, CaseIndex, IndexedMessage
from gateway.wire.manifest import Named

_JUDGED_ELSEWHERE = re.compile(rf"{CERTIFICATES}[^/]+\.pem|{REVOCATION}[^/]+\.(crl|ocsp)|{PROOFS}(0|[1-9][0-9]*)\.json")
_DOCUMENTS = {"original", "translated", "report"}


@dataclass(frozen=True, slots=True, kw_only=True)
class There:
    """A file as it is in the container."""

    sha256: str
    size: int  # bytes


def name_of(line: IndexedMessage, number: int) -> str:
    """Return how the verdict calls an attachment."""
    return f"attachment {number} of message {line.number}"


def judge_attachment(line: IndexedMessage, one: Named, there: Mapping[str, There]) -> Item:
    """Judge one file that a message names, whose signature holds. Raises `AttachmentMismatch`."""
    listed = [each for each in line.attachments if each.number == one.number]
    if not listed:
        return Item(item=name_of(line, one.number), verdict=NOT_PROVEN, says=attachment_is_missing(line, one))
    told = {(each.kind, each.media_type, each.size, each.sha256) for each in listed}
    if len(listed) > 1 or told != {(one.kind, one.media_type, one.size, one.sha256)}:
        raise AttachmentMismatch("the index tells an attachment otherwise than the message that names it", path=one.path)
    if there[listed[0].file] != There(sha256=one.sha256, size=one.size):
        raise AttachmentMismatch("the file is not the one that the signed message names", path=one.path)
    return Item(item=name_of(line, one.number), verdict=VALID, says=attachment_is_good(line, one))


def nobody_signed_for_it() -> NoReturn:
    """Raise `AttachmentUnsigned` for a file that the index gives to a message that does not name it."""
    raise AttachmentUnsigned("the case file holds a file as an attachment that no signed message in it names")


def judge_rest(index: CaseIndex, names: Mapping[str, There], named: int) -> Item:
    """Check that no file stands in the case file but those that an item of the verdict speaks of.

    `named` is the number of attachments that the messages name. Raises `AttachmentUnsigned`.
    """
    spoken = {README, SUMMARY, JOURNAL, NAME}
    for line in index.messages:
        spoken |= {file for file in (line.envelope, line.receipt) if file is not None}
        spoken |= {document.file for document in line.documents if document.kind in _DOCUMENTS}
        spoken |= {attachment.file for attachment in line.attachments}
    for deadline in index.deadlines:
        spoken |= {deadline.file, deadline.text}
    for name in names:
        if name not in spoken and not _JUDGED_ELSEWHERE.fullmatch(name):
            raise AttachmentUnsigned("the case file holds a file that belongs to no message of it", path=name)
    brought = sum(len(line.attachments) for line in index.messages)
    says = (
        f"The messages in this file name {named} attachment{'' if named == 1 else 's'}; {brought} of them "
        f"{'is' if brought == 1 else 'are'} in it. No file is in it that belongs to nothing judged here."
    )
    return Item(item="attachments", verdict=VALID, says=says)
