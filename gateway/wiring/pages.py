"""Connects API and pages to the walks: each function here is one thing a person may do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from gateway.domain.case import Case
from gateway.domain.moves import Role
from gateway.domain.safeguards import Answers
from gateway.errors import GatewayError, NotFound
from gateway.flow.applications import application_of
from gateway.flow.attachments import read_attachment
from gateway.flow.draft import Held, Sent
from gateway.flow.evidence import standing
from gateway.flow.holding import resume
from gateway.flow.mailbox import note_answered_on_page, read_document
from gateway.flow.outbound import submit
from gateway.flow.ports import Runtime
from gateway.flow.statements import make_statement, release_statement, statement_of
from gateway.stages import Submitted, Tree
from gateway.store import cases, journal
from gateway.store.attachments import AttachmentRow
from gateway.store.database import Tx, reading, transaction
from gateway.store.worklist import Viewer
from gateway.web.runtime import PersonView, Reason, Signatory, WebRuntime
from gateway.wire.documents import serialize
from gateway.wire.identifiers import warnings
from gateway.wire.reading import text, texts
from gateway.wire.reply import Decision, write_reply
from gateway.wiring.identification import CaseIdentification
from gateway.wiring.paper import Desk, homes_of


def _application(tx: Tx, case_id: int, viewer: Viewer, rt: Runtime) -> tuple[Case, Tree]:
    """Return the case and the application's document. Raises `NotFound` for another authority's case."""
    case = cases.get(tx, case_id)
    if case.home not in homes_of(viewer, rt):
        raise NotFound("there is no such case")
    return case, application_of(tx, case, rt)


@dataclass(frozen=True, slots=True)
class Actions:
    """What a person may do through a page. Another authority's case is not found, as an unknown one."""

    rt: Runtime

    def answer(
        self,
        *,
        case_id: int,
        outcome: str,
        reasons: Sequence[Reason],
        remarks: str | None,
        signatory: Signatory,
        viewer: Viewer,
    ) -> str:
        with reading(self.rt.engine) as tx:
            case, application = _application(tx, case_id, viewer, self.rt)
        if case.role is not Role.REQUESTED:
            raise NotFound("only the requested authority answers")
        decision = Decision(
            agreed=outcome == "agreed",
            on=self.rt.clock().date(),
            reasons=tuple((reason.code, reason.text or "") for reason in reasons),
            remarks=remarks,
            signatory=signatory.name,
            rank=signatory.rank,
        )
        body = serialize(write_reply(application, decision))
        item = Submitted(
            body=body, authority=case.home, dialect="canonical", submitted_at=self.rt.clock(), actor=viewer.account
        )
        (result,) = submit([item], self.rt)
        if isinstance(result, GatewayError):
            raise result
        assert isinstance(result, Sent), "a reply is never held"
        note_answered_on_page(case, actor=viewer.account, rt=self.rt)
        return result.message_id

    def statement(self, *, case_id: int, answers: Answers, viewer: Viewer) -> None:
        with reading(self.rt.engine) as tx:
            _application(tx, case_id, viewer, self.rt)
        make_statement(case_id, answers, actor=viewer.account, rt=self.rt)

    def release(self, *, case_id: int, viewer: Viewer, read: datetime) -> str | None:
        with reading(self.rt.engine) as tx:
            case, _ = _application(tx, case_id, viewer, self.rt)
            statement = statement_of(tx, case, self.rt)
        if statement is None or statement.released_by is None:  # released already: only the sending was interrupted
            release_statement(case_id, actor=viewer.account, rt=self.rt, read=read)
        result = resume(case_id, viewer.account, self.rt)
        if isinstance(result, GatewayError):
            raise result
        return str(result.reason) if isinstance(result, Held) else None

    def read_statement(self, *, case_id: int, viewer: Viewer) -> Answers:
        with reading(self.rt.engine) as tx:
            case, _ = _application(tx, case_id, viewer, self.rt)  # raises `Erased` for a case that was erased
            found = statement_of(tx, case, self.rt)
        if found is None:
            raise NotFound("no statement was made for this case yet")
        return found.answers

    def document(self, *, document_id: int, viewer: Viewer, purpose: str) -> tuple[str, bytes]:
        return read_document(document_id, homes=homes_of(viewer, self.rt), actor=viewer.account, purpose=purpose, rt=self.rt)

    def attachment(self, *, case_id: int, sha256: str, viewer: Viewer, purpose: str) -> tuple[AttachmentRow, Iterator[bytes]]:
        homes = homes_of(viewer, self.rt)
        return read_attachment(case_id, sha256, homes=homes, actor=viewer.account, purpose=purpose, rt=self.rt)

    def person(self, *, case_id: int, viewer: Viewer) -> PersonView | None:
        with reading(self.rt.engine) as tx:
            case = cases.get(tx, case_id)
            if case.wrapped_key is None:
                return None
            _, application = _application(tx, case_id, viewer, self.rt)
        return PersonView(
            name=text(application, "Person/Name/AsShown"),
            script=text(application, "Person/Name/Script"),
            latin=text(application, "Person/Name/Latin"),
            born=text(application, "Person/Birth/Date"),
            nationalities=texts(application, "Person/Nationality"),
            to_ask=tuple(each.message for each in warnings(application)),
        )

    def note(
        self,
        *,
        event: str,
        actor: str,
        authority: str | None = None,
        case_id: int | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        with transaction(self.rt.engine) as tx:
            entry = journal.Entry(
                at=self.rt.clock(), event=event, actor=actor, authority=authority, case_id=case_id, detail=detail or {}
            )
            journal.append(tx, [entry])


def web_runtime(rt: Runtime) -> WebRuntime:
    """Return what the pages may do on this gateway."""
    actions = Actions(rt)
    return WebRuntime(
        engine=rt.engine,
        clock=rt.clock,
        settings=rt.settings,
        known_partners=lambda: rt.partners,
        answer=actions.answer,
        make_statement=actions.statement,
        release_statement=actions.release,
        read_statement=actions.read_statement,
        read_document=actions.document,
        read_attachment=actions.attachment,
        person_of=actions.person,
        identification=CaseIdentification(rt),
        journal=actions.note,
        evidence=partial(standing, rt),
        paper=Desk(rt),
    )
