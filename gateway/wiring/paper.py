"""Connects the pages about paper to the walks."""

from dataclasses import dataclass

from gateway.flow.deliveries import Proof, record_delivery
from gateway.flow.forms import Paper, Printable, printable_of
from gateway.flow.paper_replies import application_of, read_reply, send_reply
from gateway.flow.ports import Runtime
from gateway.store import journal
from gateway.store.database import reading, transaction
from gateway.store.worklist import Viewer
from gateway.web.paper_desk import ReadBack
from gateway.wire.documents import serialize
from gateway.wire.forms.reply_fields import Filled


def homes_of(viewer: Viewer, rt: Runtime) -> frozenset[str]:
    """Return the authorities whose cases a person may see."""
    return frozenset(rt.settings.home) if viewer.authority is None else frozenset({viewer.authority})


@dataclass(frozen=True, slots=True)
class Desk:
    """What a person may do with paper through a page."""

    rt: Runtime

    def languages(self, case_id: int, viewer: Viewer) -> tuple[str, ...]:
        with reading(self.rt.engine) as tx:
            case, _ = application_of(tx, case_id, homes_of(viewer, self.rt), self.rt)
        return Paper.of(self.rt).languages((case.counterparty, case.home))

    def print_view(self, *, case_id: int, message_id: str, language: str, viewer: Viewer, purpose: str) -> str:
        message, _ = self._message(case_id, message_id, viewer, purpose)
        return Paper.of(self.rt).html(message, language, style_address="/forms/form.css")

    def pdf(self, *, case_id: int, message_id: str, language: str, viewer: Viewer, purpose: str) -> bytes:
        message, home = self._message(case_id, message_id, viewer, purpose)
        at = self.rt.clock()
        return Paper.of(self.rt).pdf(message, language, key=self.rt.ring.signing(home, at), at=at)

    def _message(self, case_id: int, message_id: str, viewer: Viewer, purpose: str) -> tuple[Printable, str]:
        homes = homes_of(viewer, self.rt)
        return printable_of(message_id, homes=homes, actor=viewer.account, purpose=purpose, rt=self.rt, case_id=case_id)

    def reply_form(self, *, case_id: int, language: str, viewer: Viewer, purpose: str) -> bytes:
        with transaction(self.rt.engine) as tx:
            case, application = application_of(tx, case_id, homes_of(viewer, self.rt), self.rt)
            entry = journal.Entry(
                at=self.rt.clock(),
                event="form.printed",
                actor=viewer.account,
                authority=case.home,
                case_id=case_id,
                digest=application.digest,
                detail={"type": "ReadmissionReply", "purpose": purpose},
            )
            journal.append(tx, [entry])
        return Paper.of(self.rt).reply_pdf(application, language)

    def read_reply(self, *, case_id: int, pdf: bytes, viewer: Viewer) -> ReadBack:
        filled, sha256 = read_reply(case_id, pdf, homes=homes_of(viewer, self.rt), actor=viewer.account, rt=self.rt)
        return ReadBack(filled=filled, sha256=sha256)

    def send_reply(self, *, case_id: int, filled: Filled, sha256: str, viewer: Viewer) -> str:
        homes = homes_of(viewer, self.rt)
        return send_reply(case_id, filled, sha256, homes=homes, actor=viewer.account, rt=self.rt)

    def application_page(self, *, case_id: int, viewer: Viewer) -> bytes:
        with reading(self.rt.engine) as tx:
            _, application = application_of(tx, case_id, homes_of(viewer, self.rt), self.rt)
        return serialize(application.document)

    def record_delivery(self, *, message_id: str, proof: Proof, viewer: Viewer) -> str | None:
        homes = homes_of(viewer, self.rt)
        return record_delivery(message_id, proof, by=viewer.account, homes=homes, rt=self.rt).receipt_message_id
