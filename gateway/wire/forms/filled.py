"""A filled reply form that came back as PDF: read by a child process under limits, then looked at as what it says."""

import json
import subprocess
import sys
from typing import Final

from gateway.errors import PaperToolsMissing, ParserOverwhelmed, PdfActive, PdfUnreadable
from gateway.wire.forms.pdf_fields import MOST_BYTES, NO_LIBRARY
from gateway.wire.forms.reply_fields import Filled, filled

SECONDS: Final = 20
MEGABYTES: Final = 300  # the child may grow by so much
_MOST_ANSWER: Final = 1_048_576
# What the child found wrong with a PDF, in words of ours: it read hostile bytes, and its own words are not passed on.
_REFUSALS: Final = {
    PdfUnreadable.code: PdfUnreadable(
        f"this is no PDF that can be read: broken, encrypted, larger than {MOST_BYTES} bytes, or too long", path="/"
    ),
    PdfActive.code: PdfActive("the PDF holds a script or an action; a form holds fields and nothing that acts", path="/"),
}


def read_filled(body: bytes) -> Filled:
    """Return what a filled form says. Nothing of it is believed: its case, its digest and its sense are checked by the caller.

    Raises `PdfUnreadable`, `PdfActive`, `ParserOverwhelmed`, and `PaperToolsMissing` where the extra `pdf` is not installed.
    """
    if len(body) > MOST_BYTES:
        raise PdfUnreadable(f"the PDF is larger than {MOST_BYTES} bytes")
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter, words of our own
            [sys.executable, "-P", "-m", "gateway.wire.forms.pdf_fields", str(MEGABYTES)],
            input=body,
            capture_output=True,
            check=False,
            timeout=SECONDS,
            env={},
            cwd="/",
        )
    except subprocess.TimeoutExpired as error:
        raise ParserOverwhelmed("the PDF overwhelmed the process that reads it", path="/") from error
    if done.returncode == NO_LIBRARY:
        raise PaperToolsMissing("reading PDF forms needs the extra 'pdf': pip install 'readmission-gateway[pdf]'")
    return filled(_fields(done.stdout, done.returncode))


def _fields(answer: bytes, code: int) -> dict[str, str]:
    """Return the fields that the child found; what it says is no more trusted than the PDF."""
    try:
        found = json.loads(answer) if code == 0 and len(answer) <= _MOST_ANSWER else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ParserOverwhelmed("the PDF overwhelmed the process that reads it", path="/")
    if "refused" in found:
        named = str(found["refused"])
        refusal = _REFUSALS.get(named, _REFUSALS[PdfUnreadable.code])
        raise type(refusal)(refusal.message, path=refusal.path)
    fields = found.get("fields")
    if not isinstance(fields, dict) or not all(isinstance(value, str) for value in fields.values()):
        raise ParserOverwhelmed("the process that reads PDFs gave no sensible answer", path="/")
    return fields
