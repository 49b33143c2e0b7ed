"""What the pages about paper need from the rest of the gateway. Wiring builds it."""

from dataclasses import dataclass
from typing import Protocol

from gateway.flow.deliveries import Proof
from gateway.store.worklist import Viewer
from gateway.wire.forms.reply_fields import Filled


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """A filled form that belongs to a case: what it says, and under which digest the PDF is kept until somebody confirms it."""

    filled: Filled
    sha256: str


class PaperDesk(Protocol):
    """One thing each that a person may do with paper. Another authority's case is not found, as an unknown one."""

    def languages(self, case_id: int, viewer: Viewer) -> tuple[str, ...]:
        """Return the languages in which forms of a case can be printed beside English."""
        ...

    def print_view(self, *, case_id: int, message_id: str, language: str, viewer: Viewer, purpose: str) -> str:
        """Return a message as HTML; the reading is journalled."""
        ...

    def pdf(self, *, case_id: int, message_id: str, language: str, viewer: Viewer, purpose: str) -> bytes:
        """Return a message as signed PDF; the reading is journalled."""
        ...

    def reply_form(self, *, case_id: int, language: str, viewer: Viewer, purpose: str) -> bytes:
        """Return the form that answers the application of a case, to be filled in."""
        ...

    def read_reply(self, *, case_id: int, pdf: bytes, viewer: Viewer) -> ReadBack:
        """Read a filled form and keep the PDF for a day. Raises `FormMismatch`, `PdfUnreadable`, `PdfActive`."""
        ...

    def send_reply(self, *, case_id: int, filled: Filled, sha256: str, viewer: Viewer) -> str:
        """Send what a person has confirmed, and keep the PDF with it; return the message id."""
        ...

    def application_page(self, *, case_id: int, viewer: Viewer) -> bytes:
        """Return the canonical application of a case, to be shown beside what was filled in."""
        ...

    def record_delivery(self, *, message_id: str, proof: Proof, viewer: Viewer) -> str | None:
        """Record that a message reached an authority on paper; return the id of its receipt, None if another gateway's."""
        ...
