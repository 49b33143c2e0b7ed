"""The child process that reads the fields of a PDF: `python -m gateway.wire.forms.pdf_fields MEGABYTES`.

It loads what it needs, takes memory, files and network from itself (lockdown.py), reads one PDF from standard input and answers
one JSON object: `{"fields": {...}}` or `{"refused": code}`. Nothing in the PDF is run, opened or followed, and what
asks for it is refused. filled.py starts and watches it.
"""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

from gateway.errors import PdfActive, PdfUnreadable, Refused
from gateway.wire.forms.reply_fields import NAMES
from gateway.wire.lockdown import lock_down, supported

MOST_BYTES = 8_388_608
MOST_PAGES = 40
MOST_OBJECTS = 20_000
MOST_TEXT = 20_000  # characters of one field, before it is looked at
NO_LIBRARY = 3
# Keys and names that make a reader of PDF act. They are looked for in every object, also in those that nothing refers to.
_ACTS = frozenset({"/JavaScript", "/JS", "/AA", "/Launch", "/RichMedia", "/XFA", "/GoToE", "/SubmitForm", "/ImportData"})
_ACTIONS = frozenset(
    {"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToE", "/GoToR", "/URI", "/Rendition", "/Movie"}
)


def read_fields(body: bytes) -> dict[str, str]:
    """Return the fields of our form in a PDF. Raises `PdfUnreadable`, `PdfActive`."""
    if not body.startswith(b"%PDF-") or len(body) > MOST_BYTES:
        raise PdfUnreadable(f"this is no PDF, or it is larger than {MOST_BYTES} bytes")
    try:
        return _fields(body)
    except Refused:
        raise
    except Exception as error:
        raise PdfUnreadable("the PDF cannot be read") from error


def _fields(body: bytes) -> dict[str, str]:
    from pypdf import PdfReader  # noqa: PLC0415 - extra `pdf`; loaded before this process is locked down

    reader = PdfReader(io.BytesIO(body), strict=False)
    if reader.is_encrypted:
        raise PdfUnreadable("the PDF is encrypted")
    if len(reader.pages) > MOST_PAGES:
        raise PdfUnreadable(f"the PDF has more than {MOST_PAGES} pages")
    _require_still(reader)
    fields = reader.get_fields() or {}
    return {name: _value(field.get("/V")) for name, field in fields.items() if name in NAMES}


def _require_still(reader: Any) -> None:
    """Refuse a PDF that acts. Files inside it are left where they are: nobody opens them."""
    for seen, found in enumerate(_objects(reader), 1):
        if seen > MOST_OBJECTS:
            raise PdfUnreadable(f"the PDF has more than {MOST_OBJECTS} objects")
        for each in _dictionaries(found):
            if _ACTS & each.keys() or str(each.get("/S")) in _ACTIONS:
                raise PdfActive("the PDF holds a script or an action; a form holds fields and nothing that acts")


def _objects(reader: Any) -> Iterator[Any]:
    """Yield every object of the file, by the table of its objects."""
    numbers = {number for table in reader.xref.values() for number in table} | set(reader.xref_objStm)
    yield reader.trailer
    for number in sorted(numbers):
        yield reader.get_object(number)


def _dictionaries(found: Any, depth: int = 0) -> Iterator[Any]:
    """Yield a dictionary and those that stand in it directly."""
    if depth > 20:  # noqa: PLR2004 - nothing of a form is nested deeper
        raise PdfUnreadable("the PDF is nested too deeply")
    if isinstance(found, dict):
        yield found
        inner: Any = list(dict.values(found))
    else:
        inner = list(list.__iter__(found)) if isinstance(found, list) else []
    for each in inner:
        yield from _dictionaries(each, depth + 1)


def _value(value: Any) -> str:
    said = "" if value is None else str(value)
    if len(said) > MOST_TEXT:
        raise PdfUnreadable("a field holds too much text")
    return said


def _answer(body: bytes) -> dict[str, Any]:
    try:
        return {"fields": read_fields(body)}
    except Refused as refusal:
        return {"refused": refusal.code}
    except RecursionError:
        return {"refused": PdfUnreadable.code}


def main() -> None:
    """Load, lock down, read one PDF, answer."""
    logging.disable(logging.CRITICAL)
    body = sys.stdin.buffer.read(MOST_BYTES + 1)
    try:
        import pypdf  # noqa: PLC0415
        import pypdf.filters  # noqa: F401, PLC0415
    except ImportError:
        sys.exit(NO_LIBRARY)
    for small in _SMALL:
        _answer(small)  # whatever is loaded on first use is loaded now: afterwards no file can be opened
    if supported():
        lock_down(int(sys.argv[1]))
    sys.stdout.write(json.dumps(_answer(body)))


_FORM = (
    b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]>>>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Annots[4 0 R]>>endobj\n"
    b"4 0 obj<</FT/Tx/T(case)/V(\xfe\xff\x06\x27)/Type/Annot/Subtype/Widget/Rect[0 0 1 1]>>endobj\n"
    b"trailer<</Root 1 0 R/Size 5>>\n%%EOF\n"
)
_SMALL = (_FORM, b"%PDF-1.7\nbroken")

if __name__ == "__main__":
    main()
