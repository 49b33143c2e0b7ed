"""The child process that reads foreign bytes first: `python -m gateway.wire.screening SCHEMAS MEGABYTES`.

It is asked over standard input (length in four bytes, then the document) and answers over standard output with one line:
empty if the form is in order, otherwise the code of the refusal. It is started and watched by gateway/wire/screen.py.
"""

import sys
from pathlib import Path
from typing import BinaryIO

from gateway.errors import Refused
from gateway.stages import MAX_MESSAGE_BYTES
from gateway.wire.documents import MAX_DEPTH, canonicalize, parse_json, parse_xml
from gateway.wire.lockdown import lock_down
from gateway.wire.namespaces import ENVELOPE_NS
from gateway.wire.schema import SchemaSet
from gateway.wire.workbook import EMPTY, parse_parts

READY = b"ready\n"
LENGTH_BYTES = 4
_ENVELOPE = f"{{{ENVELOPE_NS}}}Envelope"


def examine(body: bytes, schemas: SchemaSet) -> str:
    """Put a document through everything that libxml2 does with it later; return the code of the refusal, or nothing."""
    try:
        if body.lstrip()[:1] in {b"{", b"["}:
            parse_json(body)
            return ""
        if body.startswith(b"PK"):
            parse_parts(body)
            return ""
        document = parse_xml(body, deepest=MAX_DEPTH + 1)
        canonicalize(document)
    except Refused as refusal:
        return refusal.code
    for message in document if document.tag == _ENVELOPE else (document,):
        schemas.xsd.validate(message)  # what it says is found out again; here it is only made to happen
    return ""


def serve(asked: BinaryIO, answers: BinaryIO, schemas: SchemaSet) -> None:
    """Answer until the other side closes."""
    while len(head := asked.read(LENGTH_BYTES)) == LENGTH_BYTES:
        length = int.from_bytes(head, "big")
        if length > MAX_MESSAGE_BYTES + 1:
            return
        answers.write(examine(asked.read(length), schemas).encode() + b"\n")
        answers.flush()


def main() -> None:
    """Load what is needed, lock this process down, answer."""
    folder, megabytes = sys.argv[1:]
    schemas = SchemaSet.load(Path(folder))
    for body in (b"<a>x</a>", b"<a", b'{"a": 1}', b'{"a": ', b"\xff", b"<!DOCTYPE a><a/>", b'<a xmlns:x=" "/>', b"PK", EMPTY):
        examine(body, schemas)  # whatever Python loads on first use is loaded now: afterwards no file can be opened
    lock_down(int(megabytes))
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    serve(sys.stdin.buffer, sys.stdout.buffer, schemas)


if __name__ == "__main__":
    main()
