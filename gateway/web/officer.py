"""The due diligence statement of the requesting authority: made by one officer, released by another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gateway.domain.safeguards import Answers
from gateway.errors import NotFound, Refused, TransitionNotAllowed
from gateway.store import views
from gateway.store.accounts import AccountRole
from gateway.store.database import reading
from gateway.store.views import StatementLine
from gateway.store.worklist import CaseLine, case_line
from gateway.web import access
from gateway.web.access import OurForm
from gateway.web.forms import FieldError, Form
from gateway.web.pages import AtDesk, Desk, RowId, note_reading

router = APIRouter(include_in_schema=False)

_YES_NO = {"yes": "Yes", "no": "No"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question of the statement. "Yes" always speaks for sending."""

    text: str
    hint: str | None = None
    choices: Mapping[str, str]


# Keys are the fields of `Answers`.
QUESTIONS: Mapping[str, Question] = {
    "return_decision": Question(text="Is there an enforceable return decision?", choices=_YES_NO),
    "no_suspensive_appeal": Question(
        text="Is it certain that no appeal with suspensive effect is pending?",
        hint="No, if an appeal is pending or you do not know.",
        choices=_YES_NO,
    ),
    "no_asylum_claim": Question(
        text="Is it certain that no claim for asylum is pending?",
        hint="No, if a claim is pending or you do not know. Nothing of it may reach the country of origin.",
        choices=_YES_NO,
    ),
    "non_refoulement_assessed": Question(
        text="Was the risk on return assessed for this person, and none found?",
        hint="Torture, inhuman or degrading treatment, persecution, danger to life.",
        choices=_YES_NO,
    ),
    "best_interests_assessed": Question(
        text="If a child is concerned: were the child's best interests assessed?",
        hint="The person, or a child that travels along.",
        choices=_YES_NO | {"none": "No child is concerned"},
    ),
}


def given_in(form: Form) -> dict[str, str]:
    """Return the answers as given; notes each question that has none."""
    return {
        field: form.choice(field, tuple(question.choices), f"Answer: {question.text}") for field, question in QUESTIONS.items()
    }


def answers_of(given: Mapping[str, str]) -> Answers:
    """Return complete answers as the domain knows them."""
    child = given["best_interests_assessed"]
    return Answers(
        return_decision=given["return_decision"] == "yes",
        no_suspensive_appeal=given["no_suspensive_appeal"] == "yes",
        no_asylum_claim=given["no_asylum_claim"] == "yes",
        non_refoulement_assessed=given["non_refoulement_assessed"] == "yes",
        best_interests_assessed=None if child == "none" else child == "yes",
    )


def given_from(answers: Answers) -> dict[str, str]:
    """Return answers as the form shows them."""
    words = {True: "yes", False: "no", None: "none"}
    return {field: words[getattr(answers, field)] for field in QUESTIONS}


def _case(desk: Desk, case_id: int) -> tuple[CaseLine, StatementLine | None]:
    """Return the case and its statement if this person may deal with it.

    Raises `NotFound`, `NotPermitted`, or `TransitionNotAllowed` when the application is not held.
    """
    with reading(desk.rt.engine) as connection:
        line = case_line(connection, desk.me.viewer, case_id, now=desk.rt.clock())
        made = views.statement_line(connection, desk.me.viewer, case_id)
    access.require_role(desk.me, AccountRole.OFFICER)
    if line.state != "held":
        raise TransitionNotAllowed("a statement is made while the application is held; this one is not")
    return line, made


def _values(given: Mapping[str, str], made: StatementLine | None) -> dict[str, object]:
    return {"questions": QUESTIONS, "given": given, "made": made, "speaks_against": "no" in given.values()}


@router.get("/cases/{case_id}/statement")
def statement_form(desk: AtDesk, case_id: RowId) -> HTMLResponse:
    """Show the questions; none is answered in advance."""
    line, made = _case(desk, case_id)
    return desk.page("statement.html", line, _values(dict.fromkeys(QUESTIONS, ""), made))


@router.post("/cases/{case_id}/statement")
def make_statement(desk: AtDesk, form: OurForm, case_id: RowId) -> Response:
    """Check the answers, show them once more, and keep them when the officer confirms."""
    line, made = _case(desk, case_id)
    given = given_in(form)
    step = form.one("step")
    if form.errors or step not in {"check", "make"}:
        return desk.page("statement.html", line, _values(given, made), form.errors)
    if step == "check":
        return desk.page("statement_check.html", line, _values(given, made))
    try:
        desk.rt.make_statement(case_id=case_id, answers=answers_of(given), viewer=desk.me.viewer)
    except Refused as error:
        form.wrong("return_decision", f"The statement was not made: {error.message} ({error.code})")
        return desk.page("statement.html", line, _values(given, made), form.errors)
    return RedirectResponse(f"/cases/{case_id}?done=made", status_code=HTTPStatus.SEE_OTHER)


def _release_page(desk: Desk, line: CaseLine, made: StatementLine, errors: Sequence[FieldError] = ()) -> HTMLResponse:
    note_reading(desk.rt, desk.me, line, "statement.read")
    given = given_from(desk.rt.read_statement(case_id=line.id, viewer=desk.me.viewer))
    return desk.page("statement_release.html", line, _values(given, made), errors)


def _made(desk: Desk, case_id: int) -> tuple[CaseLine, StatementLine]:
    line, made = _case(desk, case_id)
    if made is None:
        raise NotFound("no statement was made for this case yet")
    return line, made


@router.get("/cases/{case_id}/statement/release")
def release_form(desk: AtDesk, case_id: RowId) -> HTMLResponse:
    """Show the answers to the second officer."""
    return _release_page(desk, *_made(desk, case_id))


@router.post("/cases/{case_id}/statement/release")
def release(desk: AtDesk, form: OurForm, case_id: RowId) -> Response:
    """Release the statement; the application leaves unless something else holds it."""
    line, made = _made(desk, case_id)
    if form.one("read") != "yes":
        form.wrong("read", "Confirm that you have read the file and the answers")
        return _release_page(desk, line, made, form.errors)
    if form.one("version") != made.made_at.isoformat():
        form.wrong("read", "The statement was made again after you read it: read it once more")
        return _release_page(desk, line, made, form.errors)
    try:
        still_held = desk.rt.release_statement(case_id=case_id, viewer=desk.me.viewer, read=made.made_at)
    except Refused as error:
        form.wrong("read", f"The statement was not released: {error.message} ({error.code})")
        return _release_page(desk, line, made, form.errors)
    return RedirectResponse(f"/cases/{case_id}?done={'held' if still_held else 'released'}", status_code=HTTPStatus.SEE_OTHER)
