"""What kind of file bytes are, told by the bytes at both their ends. Nothing is parsed, unpacked or rendered.

A file is taken only if it begins as one of the kinds below. Readers are forgiving where they should not be: some find a PDF
header anywhere in the first KiB, and any ZIP tool finds the end of an archive behind whatever stands before it. A file that
two readers take for two different things is refused, and so is every archive: what it holds cannot be judged unopened.
"""

from dataclasses import dataclass, field
from typing import Final

from gateway.errors import AttachmentType

JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
PDF: Final = "application/pdf"
OPAQUE: Final = "application/octet-stream"  # for kinds that the schema has no name for; see `Signature.declared`


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """How files of one kind begin, and the media type of the schema that they are declared as."""

    kind: str
    declared: str
    begins: tuple[bytes, ...]


SIGNATURES: Final = (
    Signature(kind="JPEG", declared=JPEG, begins=(b"\xff\xd8\xff",)),
    Signature(kind="PNG", declared=PNG, begins=(b"\x89PNG\r\n\x1a\n",)),
    Signature(kind="PDF", declared=PDF, begins=(b"%PDF-1.", b"%PDF-2.")),
    Signature(kind="TIFF", declared=OPAQUE, begins=(b"II*\x00", b"MM\x00*")),
    Signature(kind="JPEG 2000", declared=OPAQUE, begins=(b"\x00\x00\x00\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")),
    # Wavelet scalar quantization: start of image, then one of its table, frame or comment segments.
    Signature(kind="WSQ", declared=OPAQUE, begins=tuple(b"\xff\xa0\xff" + bytes([segment]) for segment in range(0xA2, 0xA9))),
    # ANSI/NIST-ITL in its traditional form: the type-1 record begins with its own length, field 1.001.
    Signature(kind="ANSI/NIST", declared=OPAQUE, begins=(b"1.001:", b"1.01:")),
)
_PDF_MARK: Final = b"%PDF-"
_PDF_WITHIN: Final = 1024  # bytes; ISO 32000 readers accept a header that begins this late
_ZIP_BEGINS: Final = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_ZIP_ENDS: Final = b"PK\x05\x06"
_ZIP_END_WITHIN: Final = 22 + 65_535  # bytes; the last record of an archive and the longest comment behind it


@dataclass(slots=True)
class Sniffer:
    """Is fed a file from its first byte to its last; keeps both ends, at most 67 KB."""

    _head: bytes = b""
    _tail: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> None:
        """Look at the next bytes."""
        if len(self._head) < _PDF_WITHIN + len(_PDF_MARK):
            self._head += data[: _PDF_WITHIN + len(_PDF_MARK) - len(self._head)]
        if len(data) >= _ZIP_END_WITHIN:
            self._tail = bytearray(data[-_ZIP_END_WITHIN:])
        else:
            self._tail += data
            del self._tail[:-_ZIP_END_WITHIN]

    def media_type(self) -> str:
        """Return the media type that the file must be declared as. Raises `AttachmentType` for what is not taken."""
        if self._head.startswith(_ZIP_BEGINS):
            raise AttachmentType("the file is an archive; archives are not taken, since they are never unpacked here")
        found = next((one for one in SIGNATURES if self._head.startswith(one.begins)), None)
        if found is None:
            raise AttachmentType("the file does not begin as any kind of file that is taken")
        if found.declared != PDF and _PDF_MARK in self._head:
            raise AttachmentType(f"the file begins as {found.kind}, and readers of PDF would take it for theirs")
        if _ZIP_ENDS in self._tail:
            raise AttachmentType(f"the file begins as {found.kind} and ends as an archive")
        return found.declared


def media_type_of(data: bytes) -> str:
    """Return the media type that a whole file must be declared as. Raises `AttachmentType`."""
    sniffer = Sniffer()
    sniffer.feed(data)
    return sniffer.media_type()
