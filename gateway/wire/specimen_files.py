"""The files that the examples name as attachments. They are made up, and made anew wherever they are needed.

A file follows from its name, media type and size alone, so that whoever has an example has its attachments too: the
demonstration, a partner that tries the interface, and the tests. Nothing can be seen on them.
"""

import hashlib
from collections.abc import Iterator
from typing import Final

from gateway.stages import Tree
from gateway.wire.documents import NS

_BEGINS: Final = {
    "image/jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "application/pdf": b"%PDF-1.4\n",
    "application/octet-stream": b"1.001:15360\x1d1.002:0500\x1d",
}


def specimen_file(file_name: str, media_type: str, size: int) -> bytes:
    """Return the made-up file of this name, at least 64 bytes long."""
    seed = hashlib.sha256(f"specimen {file_name} {media_type} {size}".encode()).hexdigest().encode()
    begin = _BEGINS[media_type] + b"% invented specimen\n"
    return (begin + seed * (size // len(seed) + 1))[:size]


def specimen_files(document: Tree) -> Iterator[bytes]:
    """Yield the files that an example names."""
    for element in document.iterfind(f"{{{NS}}}Attachment"):
        name, media_type, size = (element.findtext(f"{{{NS}}}{part}") for part in ("FileName", "MediaType", "Size"))
        yield specimen_file(name, media_type, int(size))
