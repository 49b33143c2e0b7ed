"""Pages about paper: print a message, read a filled reply form back, prove that a message was delivered."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gateway.errors import NotFound, Refused, TransitionNotAllowed
from gateway.flow.deliveries import KINDS, Proof
from gateway.store import views
from gateway.store.accounts import AccountRole
from gateway.store.database import reading
from gateway.store.views import MessageLine
from gateway.store.worklist import CaseLine, case_line
from gateway.web import access, wording
from gateway.web.access import SECURITY_HEADERS, OurForm
from gateway.web.forms import FieldError, Form
from gateway.web.liaison import REASONS, Given, given_in
from gateway.web.outline import outline_of
from gateway.web.pages import PROOF_KINDS, PURPOSES, AtDesk, Desk, RowId, for_paper, to_prove
from gateway.web.upload import OurUpload, Upload
from gateway.wire.forms.page import font, screen_style
from gateway.wire.forms.reply_fields import MEANS, Filled

router = APIRouter(include_in_schema=False)

MessageId: TypeAlias = Annotated[str, Path(pattern="^[0-9a-f-]{36}$")]
STYLE = "/forms/form.css"
FONT_FOLDER = "/forms/fonts/"
# The print view is the one page with fonts of its own; everything else is as on every page.
PRINT_POLICY = SECURITY_HEADERS["content-security-policy"] + "; font-src 'self'"
WAYS = ("view", "pdf", "reply")


@router.get(STYLE)
def style() -> Response:
    """Return the style sheet of the print view. It is the same for everybody."""
    return Response(screen_style(FONT_FOLDER), media_type="text/css", headers={"cache-control": "public, max-age=3600"})


@router.get(FONT_FOLDER + "{name}")
def font_file(name: str) -> Response:
    """Return a font of the print view."""
    return Response(font(name), media_type="font/ttf", headers={"cache-control": "public, max-age=86400"})


def _message(desk: Desk, case_id: int, message_id: str) -> tuple[CaseLine, MessageLine]:
    """Return a message of a case that this person may read. Raises `NotFound`, `NotPermitted`."""
    with reading(desk.rt.engine) as connection:
        found = views.case_view(connection, desk.me.viewer, case_id, now=desk.rt.clock())
    access.require_role(desk.me, AccountRole.OFFICER, AccountRole.LIAISON)
    message = next((one for one in found.messages if one.message_id == message_id), None)
    if message is None:
        raise NotFound("there is no such message in this case")
    return found.line, message


@router.get("/cases/{case_id}/print/{message_id}")
def print_form(desk: AtDesk, case_id: RowId, message_id: MessageId) -> Response:
    """Ask for language and purpose; with both, hand out the print view, the PDF, or the form that answers."""
    line, message = _message(desk, case_id, message_id)
    query = desk.request.query_params
    purpose, way = query.get("purpose"), query.get("way", "view")
    languages = desk.rt.paper.languages(case_id, desk.me.viewer)
    language = query.get("language", languages[0])
    if purpose not in PURPOSES or way not in WAYS or language not in languages:
        wrong = purpose is not None
        errors = (FieldError(field="purpose", text="Select the language, and what you need the form for"),) if wrong else ()
        values = {
            "message": message,
            "title": wording.type_text(message.type),
            "languages": languages,
            "purposes": PURPOSES,
            "answers": message.type == "ReadmissionApplication",
        }
        return desk.page("print.html", line, values, errors)
    about = {"case_id": case_id, "language": language, "viewer": desk.me.viewer, "purpose": purpose}
    if way == "view":
        page = desk.rt.paper.print_view(message_id=message_id, **about)  # type: ignore[arg-type]  # named as asked
        return HTMLResponse(page, headers={"content-security-policy": PRINT_POLICY})
    if way == "pdf":
        return _pdf(desk.rt.paper.pdf(message_id=message_id, **about), message.type, message_id)  # type: ignore[arg-type]
    return _pdf(desk.rt.paper.reply_form(**about), "ReadmissionReply", message_id)  # type: ignore[arg-type]


def _pdf(body: bytes, kind: str, message_id: str) -> Response:
    name = f"{kind}-{message_id}.pdf"
    return Response(body, media_type="application/pdf", headers={"content-disposition": f'attachment; filename="{name}"'})


# --- a filled form comes back -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class OnPaper:
    """What a filled form says beside the answer itself, as the check page shows and takes it."""

    decided_on: str = ""
    interview: str = ""
    transfer_on: str = ""
    transfer_place: str | None = None
    transfer_means: str = ""


def _answerable(desk: Desk, case_id: int) -> CaseLine:
    """Return the case if this person may answer it. Raises `NotFound`, `NotPermitted` or `TransitionNotAllowed`."""
    with reading(desk.rt.engine) as connection:
        line = case_line(connection, desk.me.viewer, case_id, now=desk.rt.clock())
    access.require_role(desk.me, AccountRole.OFFICER, AccountRole.LIAISON)
    if line.role != "requested" or line.state != "requested":
        raise TransitionNotAllowed("this case does not wait for an answer of your authority")
    return line


@router.get("/cases/{case_id}/paper-reply")
def paper_reply(desk: AtDesk, case_id: RowId) -> HTMLResponse:
    """Ask for the filled form."""
    return desk.page("paper_reply.html", _answerable(desk, case_id), {})


@router.post("/cases/{case_id}/paper-reply")
def read_back(desk: AtDesk, upload: OurUpload, case_id: RowId) -> Response:
    """Read the form, and show what it says beside the application."""
    line = _answerable(desk, case_id)
    if upload.file is None:
        upload.form.wrong("file", "Select the filled form, a PDF")
        return desk.page("paper_reply.html", line, {}, upload.form.errors)
    try:
        found = desk.rt.paper.read_reply(case_id=case_id, pdf=upload.file, viewer=desk.me.viewer)
    except Refused as error:
        upload.form.wrong("file", f"The form cannot be used: {error.message} ({error.code})")
        return desk.page("paper_reply.html", line, {}, upload.form.errors)
    filled = found.filled
    given = Given(
        outcome=filled.outcome,
        reasons=filled.reasons,
        reason_text=filled.reason_text or None,
        remarks=filled.remarks or None,
        signatory=filled.name or None,
        rank=filled.rank or None,
    )
    paper = OnPaper(
        decided_on=filled.decided_on.isoformat() if filled.decided_on else "",
        interview={None: "", True: "true", False: "false"}[filled.interview_proposed],
        transfer_on=filled.transfer_on.isoformat() if filled.transfer_on else "",
        transfer_place=filled.transfer_place or None,
        transfer_means=filled.transfer_means,
    )
    return _check_page(desk, line, given, paper, sha256=found.sha256, digest=filled.digest)


def _check_page(
    desk: Desk, line: CaseLine, given: Given, paper: OnPaper, *, sha256: str, digest: str, form: Form | None = None
) -> HTMLResponse:
    values = {
        "given": asdict(given),
        "paper": asdict(paper),
        "reasons": REASONS,
        "means": MEANS,
        "sha256": sha256,
        "digest": digest,
        "outline": outline_of(desk.rt.paper.application_page(case_id=line.id, viewer=desk.me.viewer)),
    }
    return desk.page("paper_reply_check.html", line, values, form.errors if form else ())


@router.post("/cases/{case_id}/paper-reply/confirm")
def confirm(desk: AtDesk, form: OurForm, case_id: RowId) -> Response:
    """Send what the person confirms, as corrected on the page."""
    line = _answerable(desk, case_id)
    given, paper = given_in(form), _on_paper(form)
    sha256, digest = form.one("sha256"), form.one("digest")
    if form.one("compared") != "yes":
        form.wrong("compared", "Confirm that you have compared the fields with the form and the application")
    if form.errors:
        return _check_page(desk, line, given, paper, sha256=sha256, digest=digest, form=form)
    try:
        desk.rt.paper.send_reply(
            case_id=case_id, filled=_confirmed(line, given, paper, digest), sha256=sha256, viewer=desk.me.viewer
        )
    except Refused as error:
        form.wrong("outcome", f"The answer was not sent: {error.message} ({error.code})")
        return _check_page(desk, line, given, paper, sha256=sha256, digest=digest, form=form)
    return RedirectResponse(f"/cases/{case_id}?done=answered", status_code=HTTPStatus.SEE_OTHER)


def _on_paper(form: Form) -> OnPaper:
    found = OnPaper(
        decided_on=_day(form, "decided_on", "the date of the decision", required=True),
        interview=form.choice("interview", ("", "true", "false"), "Select whether an interview is proposed"),
        transfer_on=_day(form, "transfer_on", "the date of the transfer", required=False),
        transfer_place=form.line("transfer_place", "the border crossing point"),
        transfer_means=form.choice("transfer_means", ("", *MEANS), "Select the means of transport"),
    )
    return found if found.decided_on else replace(found, decided_on=form.one("decided_on")[:10])


def _day(form: Form, name: str, label: str, *, required: bool) -> str:
    given = form.one(name)
    if not given:
        if required:
            form.wrong(name, f"Enter {label}")
        return ""
    try:
        return date.fromisoformat(given).isoformat()
    except ValueError:
        form.wrong(name, f"Enter {label} as year, month and day, such as 2026-12-03")
        return ""


def _confirmed(line: CaseLine, given: Given, paper: OnPaper, digest: str) -> Filled:
    return Filled(
        case_reference=line.reference,
        digest=digest,
        outcome=given.outcome,
        reasons=given.reasons,
        decided_on=date.fromisoformat(paper.decided_on),
        reason_text=given.reason_text or "",
        interview_proposed={"": None, "true": True, "false": False}[paper.interview],
        transfer_on=date.fromisoformat(paper.transfer_on) if paper.transfer_on else None,
        transfer_place=paper.transfer_place or "",
        transfer_means=paper.transfer_means,
        remarks=given.remarks or "",
        name=given.signatory or "",
        rank=given.rank or "",
    )


# --- proof of delivery ------------------------------------------------------------------------------------------------


def _deliverable(desk: Desk, case_id: int, message_id: str) -> tuple[CaseLine, MessageLine]:
    """Return a message that waits for proof of its delivery on paper."""
    line, message = _message(desk, case_id, message_id)
    if not to_prove(desk.rt, message):
        raise TransitionNotAllowed("this message does not wait for proof of a delivery on paper")
    return line, message


@router.get("/cases/{case_id}/delivery/{message_id}")
def delivery_form(desk: AtDesk, case_id: RowId, message_id: MessageId) -> HTMLResponse:
    """Show the empty form."""
    line, message = _deliverable(desk, case_id, message_id)
    return desk.page("delivery.html", line, _delivery_values(desk, message, {}))


@router.post("/cases/{case_id}/delivery/{message_id}")
def deliver(desk: AtDesk, upload: OurUpload, case_id: RowId, message_id: MessageId) -> Response:
    """Record the delivery, and issue the receipt."""
    line, message = _deliverable(desk, case_id, message_id)
    form = upload.form
    proof = _proof(desk, upload)
    if proof is not None:
        try:
            receipt = desk.rt.paper.record_delivery(message_id=message_id, proof=proof, viewer=desk.me.viewer)
        except Refused as error:
            form.wrong("kind", f"The delivery was not recorded: {error.message} ({error.code})")
        else:
            done = "delivered" if receipt is not None else "sent-on-paper"
            return RedirectResponse(f"/cases/{case_id}?done={done}", status_code=HTTPStatus.SEE_OTHER)
    given = {name: form.one(name) for name in ("kind", "day", "time", "zone", "reference")}
    return desk.page("delivery.html", line, _delivery_values(desk, message, given), form.errors)


def _delivery_values(desk: Desk, message: MessageLine, given: Mapping[str, str]) -> dict[str, object]:
    return {
        "message": message,
        "title": wording.type_text(message.type),
        "for_paper": for_paper(message),
        "kinds": PROOF_KINDS,
        "zones": _zones(desk),
        "given": {"kind": "", "day": "", "time": "", "zone": desk.me.zone, "reference": "", **given},
    }


def _zones(desk: Desk) -> tuple[str, ...]:
    """Return the zones that a time may be given in: those of the authorities known here, and UTC."""
    return tuple(sorted({each.zone for each in desk.rt.partners.authorities.values()} | {"UTC"}))


def _proof(desk: Desk, upload: Upload) -> Proof | None:
    """Read the proof, and note on the form what is to be corrected; None if anything is."""
    form = upload.form
    kind = form.choice("kind", KINDS, "Select what proves the delivery")
    day = _day(form, "day", "the day of delivery", required=True)
    zone = form.choice("zone", _zones(desk), "Select the time zone")
    reference = form.line("reference", "the reference of the proof", required=True)
    try:
        at = datetime.strptime(f"{day} {form.one('time')}", "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(zone or "UTC"))
    except ValueError:
        form.wrong("time", "Enter the time of delivery as hours and minutes, such as 14:05")
        return None
    return None if form.errors else Proof(kind=kind, at=at, reference=reference or "", scan=upload.file)
