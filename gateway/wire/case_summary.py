"""summary.pdf of a case file: one page for a clerk, without personal data of the person, the same bytes for the same case."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fpdf import FPDF

from gateway.wire.case_index import CaseIndex, IndexedDeadline, IndexedMessage

_WIDTH = 190.0  # mm between the margins of A4
_MOST_MESSAGES = 36  # rows; with the deadlines and the instructions they fill one page
_MOST_DEADLINES = 8
_LINE = 4.6  # mm
_SMALL = 3.9
_MESSAGE_COLUMNS = (
    ("no.", 7.0),
    ("from", 15.0),
    ("message", 37.0),
    ("signed (UTC)", 25.0),
    ("received (UTC)", 25.0),
    ("SHA-256", 81.0),
)
_DEADLINE_COLUMNS = (
    ("limit", 38.0),
    ("counted from (UTC)", 36.0),
    ("last day", 26.0),
    ("silence counts from (UTC)", 44.0),
    ("state", 46.0),
)
_HOW = (
    "How to check this file: install the program readmission-gateway, put the root certificates you trust into a folder, run",
    "gateway verify-case FILE --anchors FOLDER",
    "It needs no network and no database. It says for every message, receipt and deadline whether it is authentic.",
    "This page was made by the exporting authority; what is proven is in the signed files beside it (see README.txt).",
)


@dataclass(frozen=True, slots=True)
class _Page:
    """A sheet that is written from top to bottom."""

    pdf: Any

    def text(self, text: str, *, size: float = 9, bold: bool = False, height: float = _LINE) -> None:
        self.pdf.set_font("Helvetica", "B" if bold else "", size)
        self.pdf.multi_cell(_WIDTH, height, _latin(text), new_x="LMARGIN", new_y="NEXT")

    def row(self, columns: Sequence[tuple[str, float]], values: Sequence[str], *, bold: bool = False) -> None:
        self.pdf.set_font("Helvetica", "B" if bold else "", 6.3)
        for (_, width), value in zip(columns, values, strict=True):
            self.pdf.cell(width, _SMALL, _fitting(self.pdf, _latin(value), width - 1.5), border="B")
        self.pdf.ln(_SMALL)

    def space(self) -> None:
        self.pdf.ln(2.2)


def write_summary(index: CaseIndex) -> bytes:
    """Return the page as PDF. `index` without its list of files will do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the library's own, about later versions of itself
        pdf = FPDF(format="A4")
    pdf.set_creation_date(index.exported.at.astimezone(UTC))
    pdf.set_auto_page_break(False)
    pdf.set_margin(10)
    pdf.set_title("Case file summary")
    pdf.set_producer("readmission-gateway")
    pdf.add_page()
    page, case = _Page(pdf), index.case
    page.text("Case file", size=15, bold=True, height=8)
    page.text(f"Reference {case.reference}", size=10, bold=True)
    asks, asked = (case.home, case.counterparty) if case.role == "requesting" else (case.counterparty, case.home)
    page.text(f"{asks} asks {asked} to readmit a person ({case.category}, {case.procedure} procedure).")
    page.text(f"Treaty: {case.treaty}, rules of version {case.treaty_version}.")
    page.text(f"Opened {_at(case.opened_at)} UTC. Outcome on the day of export: {_words(case.state)}.")
    purpose = f" Purpose: {index.exported.purpose}." if index.exported.purpose else ""
    page.text(f"Exported by {index.exported.by} on {_at(index.exported.at)} UTC.{purpose[:150]}")
    page.space()
    page.text("Messages", size=10, bold=True)
    page.row(_MESSAGE_COLUMNS, [name for name, _ in _MESSAGE_COLUMNS], bold=True)
    for message in index.messages[:_MOST_MESSAGES]:
        page.row(_MESSAGE_COLUMNS, _message(message))
    _more(page, len(index.messages) - _MOST_MESSAGES, "message")
    proven = sum(1 for message in index.messages if message.receipt)
    brought = sum(len(message.attachments) for message in index.messages)
    says = f"{proven} of {len(index.messages)} messages have a signed receipt in this file. Attachments in it: {brought}."
    page.text(says, size=8, height=_SMALL)
    page.space()
    page.text("Deadlines", size=10, bold=True)
    if index.deadlines:
        page.row(_DEADLINE_COLUMNS, [name for name, _ in _DEADLINE_COLUMNS], bold=True)
    else:
        page.text("No deadline has been started.", size=8, height=_SMALL)
    for deadline in index.deadlines[:_MOST_DEADLINES]:
        page.row(_DEADLINE_COLUMNS, _deadline(deadline))
    _more(page, len(index.deadlines) - _MOST_DEADLINES, "deadline")
    page.space()
    for number, sentence in enumerate(_HOW):
        page.text(sentence, size=8, bold=number == 1, height=_SMALL)
    return bytes(pdf.output())


def _message(message: IndexedMessage) -> tuple[str, ...]:
    received = _at(message.received_at) if message.received_at else "no receipt"
    refused = f" (refused: {message.code})" if message.code else ""
    return (
        str(message.number),
        message.sender,
        message.type + refused,
        _at(message.signed_at) if message.signed_at else "",
        received,
        message.sha256,
    )


def _deadline(deadline: IndexedDeadline) -> tuple[str, ...]:
    return (
        deadline.limit,
        _at(deadline.started_at),
        deadline.due_on or "not known, ask",
        _at(deadline.lapses_at) if deadline.lapses_at else "never by itself",
        deadline.state,
    )


def _more(page: _Page, count: int, what: str) -> None:
    if count > 0:
        page.text(f"and {count} more {what}{'s' if count > 1 else ''}: see case.json", size=8, height=_SMALL)


def _at(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _words(state: str) -> str:
    return state.replace("-", " ")


def _latin(text: str) -> str:
    """Return what the fonts that every PDF reader has can show; the files beside it hold the full text."""
    return text.encode("latin-1", "replace").decode("latin-1")


def _fitting(pdf: Any, text: str, width: float) -> str:
    while text and pdf.get_string_width(text) > width:
        text = text[:-1]
    return text
