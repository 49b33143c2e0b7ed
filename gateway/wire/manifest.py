"""The attachments that a message names, each with kind, media type, size and digest. The list is signed with the message."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.errors import AttachmentMismatch, TooLarge
from gateway.stages import MAX_ATTACHMENTS_BYTES, Tree
from gateway.wire.documents import NS

_ATTACHMENT = f"{{{NS}}}Attachment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """One attachment as a message names it. Its file name stays in the document: it may say who the person is."""

    number: int  # place in the message, from 1
    kind: str  # photograph | document-scan | fingerprints | other
    media_type: str
    size: int  # bytes
    sha256: str  # lower-case hex

    @property
    def path(self) -> str:
        """Where in the document it stands."""
        return f"Attachment[{self.number}]"


def digests(document: Tree) -> list[str]:
    """Return the digests of the attachments of a document that may still be anything; None is no document."""
    if document is None:
        return []
    return [element.findtext(f"{{{NS}}}Sha256") or "" for element in document.iterchildren(_ATTACHMENT)]


def manifest(document: Tree) -> tuple[Named, ...]:
    """Return what a checked document names; nothing for most messages.

    Raises `TooLarge` when it is more than a message may bring, `AttachmentMismatch` when one file is named twice.
    """
    found = tuple(_named(number, element) for number, element in enumerate(document.iterchildren(_ATTACHMENT), 1))
    return _within_limits(found) if found else found


def _named(number: int, element: Tree) -> Named:
    def text(name: str) -> str:
        value: str = element.findtext(f"{{{NS}}}{name}")
        return value

    return Named(
        number=number, kind=text("Kind"), media_type=text("MediaType"), size=int(text("Size")), sha256=text("Sha256").lower()
    )


def _within_limits(found: Sequence[Named]) -> tuple[Named, ...]:
    total = sum(one.size for one in found)
    if total > MAX_ATTACHMENTS_BYTES:
        raise TooLarge(f"the attachments have {total} bytes together; at most {MAX_ATTACHMENTS_BYTES} travel with one message")
    seen: set[str] = set()
    for one in found:
        if one.sha256 in seen:
            raise AttachmentMismatch("the message names the same file twice", path=f"{one.path}/Sha256")
        seen.add(one.sha256)
    return tuple(found)
