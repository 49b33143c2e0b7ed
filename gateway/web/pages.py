"""The pages that every signed-in person shares: sign-in, worklist, case, documents."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, TypeAlias
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gateway.errors import NotPermitted, PaperDue
from gateway.partners.formats import suffix_of
from gateway.store import accounts, given_up, paper, views
from gateway.store.accounts import AccountRole
from gateway.store.database import reading, transaction
from gateway.store.messages import DELIVERED
from gateway.store.views import CaseView, DocumentHead, EventLine, MessageLine
from gateway.store.worklist import CaseLine, worklist_page
from gateway.web import access, wording
from gateway.web.access import Me, OurForm, Rt, SignedIn
from gateway.web.dates import authority_name, deadline_tag_of, deadline_view
from gateway.web.forms import FieldError, Form, read_form
from gateway.web.identity import case_label, hold_text, identification_of, person_for
from gateway.web.outline import outline_of
from gateway.web.rendering import Pages
from gateway.web.runtime import WebRuntime

router = APIRouter(include_in_schema=False)

RowId: TypeAlias = Annotated[int, Path(ge=1, le=2**63 - 1)]  # what the database can hold

FILTERS = {"todo": "To do", "waiting": "Waiting for the other side", "all": "All cases"}

# What an act that ended well says on the case page. Keys stand in the address; the sentences do not.
DONE = {
    "delivered": "The delivery is recorded, the receipt is signed, and the time limits run from the time that you gave.",
    "sent-on-paper": "The delivery is recorded. The message is not sent electronically any more; time limits count from then.",
    "answered": "Your answer is signed and on its way. The receipt appears below when the other side's gateway holds it.",
    "made": "The statement is made. A second officer must release it.",
    "released": "The statement is released and the application is on its way.",
    "decided": "Your decision about the two cases is recorded. Nothing else follows from it.",
    "held": "The statement is released. The application is still held; the reason stands below.",
}

PROOF_KINDS = {
    "transmission-report": "Transmission report (fax, e-mail)",
    "courier": "Courier's slip",
    "hand": "Handed over against signature",
}

PURPOSES = {
    "case-work": "Work on this case",
    "legal-review": "Legal review or appeal",
    "data-subject": "Request of the person concerned",
    "complaint": "Complaint or inspection",
}


def pages_of(request: Request) -> Pages:
    """Return the renderer of this application."""
    found: Pages = request.app.state.pages
    return found


Show: TypeAlias = Annotated[Pages, Depends(pages_of)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a page about one case is made with: the request, who asks, and the rest of the gateway."""

    request: Request
    rt: WebRuntime
    me: SignedIn
    show: Pages

    def page(
        self, template: str, line: CaseLine, values: Mapping[str, object], errors: Sequence[FieldError] = ()
    ) -> HTMLResponse:
        """Return a page about a case, its person named; the read is journalled."""
        note_reading(self.rt, self.me, line)
        about = {
            "line": line,
            "person": person_for(self.rt, self.me, line.id),
            "counterparty": authority_name(self.rt.partners, line.counterparty),
            "errors": tuple(errors),
        }
        status = HTTPStatus.BAD_REQUEST if errors else HTTPStatus.OK
        return self.show.page(self.request, template, {**about, **values}, status=status)


def on_paper(rt: WebRuntime, authority: str) -> bool:
    """Whether an authority of this gateway gets its messages on paper."""
    known = rt.partners.authorities.get(authority)
    return known is not None and known.edge == "paper" and authority in rt.settings.home


def for_paper(message: MessageLine) -> bool:
    """Whether a message of ours was set aside to go on paper, since it cannot be delivered before its deadline."""
    return message.direction == "out" and message.outcome == "parked" and message.code == PaperDue.code


def to_prove(rt: WebRuntime, message: MessageLine) -> bool:
    """Whether a message waits for proof of its delivery on paper."""
    unproven = message.receipt_message_id is None and message.outcome not in {"refused", DELIVERED}
    return for_paper(message) or (unproven and on_paper(rt, message.recipient))


def note_reading(rt: WebRuntime, me: SignedIn, line: CaseLine, event: str = "case.read") -> None:
    """Journal that somebody reads a page about a case, with the purpose that goes with the role."""
    purpose = "inspection" if me.viewer.role is AccountRole.AUDITOR else "case-work"
    rt.journal(event=event, actor=me.viewer.account, authority=line.home, case_id=line.id, detail={"purpose": purpose})


def desk_of(request: Request, rt: Rt, me: Me, show: Show) -> Desk:
    """Return the desk of whoever is signed in."""
    return Desk(request=request, rt=rt, me=me, show=show)


AtDesk: TypeAlias = Annotated[Desk, Depends(desk_of)]


@router.get("/sign-in")
def sign_in_form(request: Request, rt: Rt, show: Show) -> HTMLResponse:
    """Show the sign-in form. Nobody is signed in yet, so its token is kept in a cookie of its own."""
    values = {"next": access.local_page(request.query_params.get("next", "/")), "ended": "ended" in request.query_params}
    return _sign_in_page(request, rt, show, values)


def _sign_in_page(
    request: Request, rt: WebRuntime, show: Pages, values: Mapping[str, object], status: int = HTTPStatus.OK
) -> HTMLResponse:
    token = secrets.token_urlsafe(32)
    page = show.page(request, "sign_in.html", {"form_token": token, "given_name": "", "errors": (), **values}, status=status)
    access.set_cookie(page, rt, "form", token)
    return page


@router.post("/sign-in")
def sign_in(request: Request, rt: Rt, show: Show, form: Annotated[Form, Depends(read_form)]) -> Response:
    """Open a session, or say that name or password are wrong: one sentence for every cause."""
    expected = request.cookies.get(access.cookie_name(rt, "form"))
    if not expected:
        raise NotPermitted("this form does not come from a page of this session; open the page again")
    access.require_ours(request, form, expected)
    checker: access.SignIn = request.app.state.sign_in
    wanted, name = access.local_page(form.one("next")), form.one("name")
    account = checker.check(rt, name, (form.values.get("password") or [""])[0])
    if account is None:
        sentence = "Account name or password is wrong, or there were too many attempts in the last 15 minutes"
        values = {"next": wanted, "given_name": name, "errors": (FieldError(field="name", text=sentence),)}
        return _sign_in_page(request, rt, show, values, HTTPStatus.BAD_REQUEST)
    with transaction(rt.engine) as tx:
        before = request.cookies.get(access.cookie_name(rt, "session"))
        token, _ = accounts.open_session(tx, account, now=rt.clock(), replaces=before)
    answer = RedirectResponse(wanted, status_code=HTTPStatus.SEE_OTHER)
    access.set_cookie(answer, rt, "session", token)
    access.drop_cookie(answer, rt, "form")
    return answer


@router.post("/sign-out")
def sign_out(rt: Rt, me: Me, form: OurForm) -> Response:
    """End the session, here and in the database."""
    del form
    with transaction(rt.engine) as tx:
        accounts.close_session(tx, me.token)
    rt.journal(event="session.closed", actor=me.viewer.account, authority=me.viewer.authority)
    answer = RedirectResponse("/sign-in?ended=1", status_code=HTTPStatus.SEE_OTHER)
    access.drop_cookie(answer, rt, "session")
    return answer


@router.get("/")
def first_page(me: Me) -> Response:
    """Go to the page that this role works from."""
    return RedirectResponse("/work" if me.viewer.sees_cases else "/flow", status_code=HTTPStatus.SEE_OTHER)


@router.get("/work")
def worklist(request: Request, rt: Rt, me: Me, show: Show) -> HTMLResponse:
    """Show the cases by what is due next."""
    access.require_role(me, AccountRole.OFFICER, AccountRole.LIAISON, AccountRole.AUDITOR)
    wanted = request.query_params.get("show", "todo")
    wanted = wanted if wanted in FILTERS else "todo"
    number = request.query_params.get("page", "1")
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 7 else 1  # noqa: PLR2004 - sane page numbers
    now = rt.clock()
    with reading(rt.engine) as connection:
        found = worklist_page(connection, me.viewer, now=now, show=wanted, page=page)
    rows = [_work_row(line, rt) for line in found.lines]
    return show.page(request, "worklist.html", {"list": found, "rows": rows, "show": wanted, "filters": FILTERS})


def _work_row(line: CaseLine, rt: WebRuntime) -> dict[str, object]:
    due = line.due
    return {
        "line": line,
        "short": case_label(line),
        "counterparty": authority_name(rt.partners, line.counterparty),
        "state": wording.state_tag(line.role, line.state),
        "hold": hold_text(line),
        "for_paper": wording.FOR_PAPER if line.for_paper else None,
        "tag": deadline_tag_of(due, line, rt.partners, rt.clock()) if due else None,
        "limit": wording.limit_text(due.limit_id) if due else "",
        "ours": bool(due and due.must_act == line.role),
    }


@router.get("/cases/{case_id}")
def case_page(request: Request, rt: Rt, me: Me, show: Show, case_id: RowId) -> HTMLResponse:
    """Show one case: what is due and why, what was exchanged, who did what."""
    now = rt.clock()
    with reading(rt.engine) as connection:
        found = views.case_view(connection, me.viewer, case_id, now=now)
        proofs = paper.of_messages(connection, [message.id for message in found.messages])
        lost = given_up.of_case(connection, case_id)
    line = found.line
    note_reading(rt, me, line)
    deadlines = [deadline_view(deadline, line, rt.partners, now=now, zone=me.zone) for deadline in found.deadlines]
    types = {message.message_id: message.type for message in found.messages}
    values = {
        "case": found,
        "label": case_label(line),
        "person": person_for(rt, me, case_id),
        "counterparty": authority_name(rt.partners, line.counterparty),
        "state": wording.state_tag(line.role, line.state),
        "hold": hold_text(line),
        "open_deadlines": [deadline for deadline in deadlines if deadline.open],
        "settled_deadlines": [deadline for deadline in deadlines if not deadline.open],
        "actions": _actions(found, me, rt),
        "messages": [_message(message, rt) | {"proof": proofs.get(message.id)} for message in found.messages],
        "lost": [(_message(message, rt), lost[message.id]) for message in found.messages if message.id in lost],
        "proof_kinds": PROOF_KINDS,
        "attachments": found.attachments,
        "may_read": me.viewer.sees_persons and not found.erased,
        "timeline": [_event(event, types, rt) for event in found.timeline],
        "for_paper": [message for message in reversed(found.messages) if for_paper(message)],
        "done": DONE.get(request.query_params.get("done", "")),
        **(identification_of(rt, me, case_id) if not found.erased else {"numbers": [], "hints": []}),
    }
    return show.page(request, "case.html", values)


def _actions(found: CaseView, me: SignedIn, rt: WebRuntime) -> list[dict[str, str]]:
    """Return what this person can do next in this case, the most likely first."""
    line, role = found.line, me.viewer.role
    here = f"/cases/{line.id}"
    if line.role == "requested" and line.state == "requested" and me.viewer.sees_persons:
        actions = [{"text": "Answer the application", "href": f"{here}/answer"}]
        if on_paper(rt, line.home):
            actions.append({"text": "Read a filled reply form", "href": f"{here}/paper-reply"})
        application = next((message for message in found.messages if message.type == "ReadmissionApplication"), None)
        readable = application.documents if application else ()
        kept = next((document for document in readable if document.kind == "translated"), None)
        return [*actions, {"text": "Read the application", "href": f"/documents/{kept.id}"}] if kept else actions
    if line.state != "held" or role is not AccountRole.OFFICER:
        return []
    make = {"text": "Make the due diligence statement", "href": f"{here}/statement"}
    if found.statement is None:
        return [make]
    again = {"text": "Make the statement again", "href": make["href"]}
    release = {"text": "Read and release the statement", "href": f"{here}/statement/release"}
    return [again] if found.statement.released_by else [release, again]


def _message(message: MessageLine, rt: WebRuntime) -> dict[str, object]:
    return {
        "line": message,
        "title": wording.type_text(message.type),
        "other": authority_name(rt.partners, message.sender if message.direction == "in" else message.recipient),
        "outcome": wording.outcome_text(message.outcome),
        "documents": (*message.documents, *message.receipt_documents),
        "prints": any(document.kind == "signed" for document in message.documents),
        "for_paper": for_paper(message),
        "to_prove": to_prove(rt, message),
    }


def _event(event: EventLine, types: Mapping[str, str], rt: WebRuntime) -> dict[str, object]:
    code = next((event.detail[key] for key in ("code", "reason", "purpose") if isinstance(event.detail.get(key), str)), None)
    # An actor is an account of ours, with its organisation beside it, or the other side's authority itself.
    by = authority_name(rt.partners, event.actor)
    if by == event.actor and event.authority:
        by = f"{by}, {authority_name(rt.partners, event.authority)}"
    return {"at": event.at, "title": wording.event_text(event.event, types.get(event.message_id or "")), "by": by, "code": code}


def _document_title(head: DocumentHead) -> str:
    return f"{wording.type_text(head.message_type)}: document"


def _document_page(request: Request, me: SignedIn, show: Pages, head: DocumentHead, *, purpose_missing: bool) -> HTMLResponse:
    errors = (FieldError(field="purpose", text="Select what you need the document for"),) if purpose_missing else ()
    values = {"head": head, "title": _document_title(head), "purposes": PURPOSES, "back": _back(head), "errors": errors}
    del me
    return show.page(request, "document.html", values, status=HTTPStatus.BAD_REQUEST if purpose_missing else HTTPStatus.OK)


def _back(head: DocumentHead) -> str:
    return f"/cases/{head.case_id}" if head.case_id else "/work"


def _head(rt: WebRuntime, me: SignedIn, document_id: int) -> DocumentHead:
    """Return what the document is. Raises `NotFound`, then `NotPermitted` for a role that reads no documents."""
    with reading(rt.engine) as connection:
        head = views.document_head(connection, me.viewer, document_id)
    access.require_role(me, AccountRole.OFFICER, AccountRole.LIAISON)
    return head


@router.get("/documents/{document_id}")
def document(request: Request, rt: Rt, me: Me, show: Show, document_id: RowId) -> Response:
    """Ask for the purpose; with one, hand out the document exactly as it was exchanged."""
    head = _head(rt, me, document_id)
    purpose = request.query_params.get("purpose")
    if purpose not in PURPOSES:
        return _document_page(request, me, show, head, purpose_missing=purpose is not None)
    media_type, body = rt.read_document(document_id=document_id, viewer=me.viewer, purpose=purpose)
    name = quote(f"{head.message_type}-{head.message_id}-{head.kind}{suffix_of(media_type)}")
    return Response(body, media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}"'})


@router.get("/documents/{document_id}/read")
def read_document(request: Request, rt: Rt, me: Me, show: Show, document_id: RowId) -> Response:
    """Show a document as a page, for reading and printing."""
    head = _head(rt, me, document_id)
    purpose = request.query_params.get("purpose")
    if purpose not in PURPOSES:
        return _document_page(request, me, show, head, purpose_missing=True)
    media_type, body = rt.read_document(document_id=document_id, viewer=me.viewer, purpose=purpose)
    values = {
        "head": head,
        "title": wording.type_text(head.message_type),
        "purpose": PURPOSES[purpose],
        "back": _back(head),
        "outline": outline_of(body, media_type),
    }
    return show.page(request, "reading.html", values)
