"""summary.pdf of a case file: one page for a clerk, without personal data of the person, the same bytes for the same case.

Its font is that of the printed forms, since the fonts that every PDF reader has know neither Cyrillic letters nor č and đ.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fpdf import FPDF

from gateway.wire.case_index import CaseIndex, IndexedDeadline, IndexedMessage

_FOLDER = Path(__file__).parent / "forms" / "fonts"
_WIDTH = 190.0  # mm between the margins of A4
_MOST_MESSAGES = 36  # rows; a refused message takes two. With the deadlines and the instructions they fill one page
_MOST_DEADLINES = 8
_LINE = 4.6  # mm
_SMALL = 3.9
_FONT = "NotoSans"
_FACES = (("", "NotoSans-Regular.ttf"), ("B", "NotoSans-Bold.ttf"))
_MOST_PURPOSE = 150  # characters
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

    def text(self, text: str, *, size: float = 8.5, bold: bool = False, height: float = _LINE) -> None:
        self.pdf.set_font(_FONT, "B" if bold else "", size)
        self.pdf.multi_cell(_WIDTH, height, self._shown(text), align="L", new_x="LMARGIN", new_y="NEXT")

    def row(self, columns: Sequence[tuple[str, float]], values: Sequence[str], *, bold: bool = False) -> None:
        self.pdf.set_font(_FONT, "B" if bold else "", 5.9)
        for (_, width), value in zip(columns, values, strict=True):
            self.pdf.cell(width, _SMALL, _fitting(self.pdf, self._shown(value), width - 1.5), border="B")
        self.pdf.ln(_SMALL)

    def knows(self, text: str) -> bool:
        """Tell whether the font has every letter."""
        return all(ord(letter) in self.pdf.fonts[_FONT.lower()].cmap for letter in text)

    def _shown(self, text: str) -> str:
        return "".join(letter if self.knows(letter) else "?" for letter in text)

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
    for style, name in _FACES:
        pdf.add_font(_FONT, style, _FOLDER / name)
    pdf.add_page()
    page, case = _Page(pdf), index.case
    page.text("Case file", size=15, bold=True, height=8)
    page.text(f"Reference {case.reference}", size=10, bold=True)
    asks, asked = (case.home, case.counterparty) if case.role == "requesting" else (case.counterparty, case.home)
    page.text(f"{asks} asks {asked} to readmit a person ({case.category}, {case.procedure} procedure).")
    page.text(f"Treaty: {case.treaty}, rules of version {case.treaty_version}.")
    page.text(f"Opened {_at(case.opened_at)} UTC. Outcome on the day of export: {_words(case.state)}.")
    page.text(f"Exported by {index.exported.by} on {_at(index.exported.at)} UTC.{_purpose(page, index.exported.purpose)}")
    page.space()
    page.text("Messages", size=10, bold=True)
    page.row(_MESSAGE_COLUMNS, [name for name, _ in _MESSAGE_COLUMNS], bold=True)
    shown, rows = 0, 0
    for message in index.messages:
        rows += 2 if message.code else 1
        if rows > _MOST_MESSAGES:
            break
        shown += 1
        page.row(_MESSAGE_COLUMNS, _message(message))
        if message.code:
            page.row((("", 7.0), ("", _WIDTH - 7.0)), ("", f"{_verdict(message)}: {message.code}"))
    _more(page, len(index.messages) - shown, "message")
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
    return (
        str(message.number),
        message.sender,
        message.noun,
        _at(message.signed_at) if message.signed_at else "",
        _at(message.received_at) if message.received_at else "no receipt",
        message.sha256,
    )


def _verdict(message: IndexedMessage) -> str:
    return f"refused by {message.recipient}" if message.outcome == "refused" else _words(message.outcome)


def _purpose(page: _Page, purpose: str | None) -> str:
    """Return what the file is for, in one line; what this page cannot show stands in the index."""
    if not purpose:
        return ""
    line = " ".join(purpose.split())
    if not page.knows(line):
        return " Purpose: see case.json."
    if len(line) > _MOST_PURPOSE:
        return f" Purpose: {line[:_MOST_PURPOSE]} ... (see case.json)."
    return f" Purpose: {line}."


def _deadline(deadline: IndexedDeadline) -> tuple[str, ...]:
    return (
        _words(deadline.limit),
        _at(deadline.started_at),
        deadline.due_on or "not known, ask",
        _at(deadline.lapses_at) if deadline.lapses_at else "never by itself",
        _words(deadline.state),
    )


def _more(page: _Page, count: int, what: str) -> None:
    if count > 0:
        page.text(f"and {count} more {what}{'s' if count > 1 else ''}: see case.json", size=8, height=_SMALL)


def _at(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _words(code: str) -> str:
    return code.replace("-", " ")


def _fitting(pdf: Any, text: str, width: float) -> str:
    while text and pdf.get_string_width(text) > width:
        text = text[:-1]
    return text
