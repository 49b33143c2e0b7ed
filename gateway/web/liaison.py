"""The answer of the requested authority: agree or refuse, checked once more before it is signed and sent."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gateway.errors import Refused, TransitionNotAllowed
from gateway.store.accounts import AccountRole
from gateway.store.database import reading
from gateway.store.worklist import CaseLine, case_line
from gateway.web import access
from gateway.web.access import OurForm
from gateway.web.forms import Form
from gateway.web.pages import AtDesk, Desk, RowId
from gateway.web.runtime import Reason, Signatory

router = APIRouter(include_in_schema=False)

# Schema type `RefusalReason`.
REASONS: Mapping[str, str] = {
    "nationality-not-established": "Nationality is not established",
    "identity-not-established": "Identity is not established",
    "conditions-not-met": "The conditions of the agreement are not met",
    "airside-transit-only": "The person was only in airside transit",
    "visa-or-permit-by-requesting-state": "The requesting state issued a visa or residence permit",
    "out-of-time": "The application came too late",
    "already-replied": "This application was answered before",
    "false-documents": "The documents are false",
    "incomplete": "The application is incomplete",
    "other": "Another reason",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the officer has filled in."""

    outcome: str = ""
    reasons: tuple[str, ...] = ()
    reason_text: str | None = None
    remarks: str | None = None
    signatory: str | None = None
    rank: str | None = None

    def grounds(self) -> list[Reason]:
        """Return the reasons; the explanation goes with "another reason", or else with the first."""
        explained = "other" if "other" in self.reasons else self.reasons[0] if self.reasons else None
        return [Reason(code=code, text=self.reason_text if code == explained else None) for code in self.reasons]


def given_in(form: Form) -> Given:
    """Read the form, and note on it what is to be corrected."""
    # In the order of the fields, so that the summary of errors reads like the form.
    outcome = form.choice("outcome", ("agreed", "refused"), "Select whether you agree or refuse")
    reasons = tuple(code for code in REASONS if code in form.many("reasons"))
    if outcome == "refused" and not reasons:
        form.wrong("reasons", "Select at least one reason for the refusal")
    reason_text = form.text("reason_text", "the explanation")
    if outcome == "agreed" and (reasons or reason_text):
        form.wrong("reasons", "An agreement carries no reasons for a refusal: clear them, or select refuse")
    if "other" in reasons and reason_text is None:
        form.wrong("reason_text", "Explain the other reason")
    return Given(
        outcome=outcome,
        reasons=reasons,
        reason_text=reason_text,
        remarks=form.text("remarks", "the remarks"),
        signatory=form.line("signatory", "the name of the official who decides", required=True),
        rank=form.line("rank", "the rank or office"),
    )


def _case(desk: Desk, case_id: int) -> CaseLine:
    """Return the case if this person may answer it. Raises `NotFound`, `NotPermitted` or `TransitionNotAllowed`."""
    with reading(desk.rt.engine) as connection:
        line = case_line(connection, desk.me.viewer, case_id, now=desk.rt.clock())
    access.require_role(desk.me, AccountRole.OFFICER, AccountRole.LIAISON)
    if line.role != "requested" or line.state != "requested":
        raise TransitionNotAllowed("this case does not wait for an answer of your authority")
    return line


def _values(given: Given) -> dict[str, object]:
    return {"given": asdict(given), "reasons": REASONS}


@router.get("/cases/{case_id}/answer")
def answer_form(desk: AtDesk, case_id: RowId) -> HTMLResponse:
    """Show the empty form."""
    return desk.page("answer.html", _case(desk, case_id), _values(Given()))


@router.post("/cases/{case_id}/answer")
def answer(desk: AtDesk, form: OurForm, case_id: RowId) -> Response:
    """Check the answer, show it once more, and send it when the officer confirms."""
    line = _case(desk, case_id)
    given = given_in(form)
    step = form.one("step")
    if form.errors or step not in {"check", "send"}:
        return desk.page("answer.html", line, _values(given), form.errors)
    if step == "check":
        return desk.page("answer_check.html", line, _values(given))
    try:
        desk.rt.answer(
            case_id=case_id,
            outcome=given.outcome,
            reasons=given.grounds(),
            remarks=given.remarks,
            signatory=Signatory(name=given.signatory or "", rank=given.rank),
            viewer=desk.me.viewer,
        )
    except Refused as error:
        form.wrong("outcome", f"The answer was not sent: {error.message} ({error.code})")
        return desk.page("answer.html", line, _values(given), form.errors)
    return RedirectResponse(f"/cases/{case_id}?done=answered", status_code=HTTPStatus.SEE_OTHER)
