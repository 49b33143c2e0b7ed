"""Pages about who a person is: a machine-readable zone beside the application, and two cases that resemble each other."""

from collections.abc import Sequence
from http import HTTPStatus

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from gateway.errors import Erased, Refused
from gateway.flow.resemblances import Hint, Verdict
from gateway.store.accounts import AccountRole
from gateway.store.database import reading
from gateway.store.worklist import CaseLine, case_line
from gateway.web import access
from gateway.web import identification_wording as says
from gateway.web.access import OurForm
from gateway.web.dates import authority_name
from gateway.web.forms import FieldError, Form
from gateway.web.identity import case_label, hint_line, person_for
from gateway.web.outline import script_of
from gateway.web.pages import AtDesk, Desk, RowId, note_reading
from gateway.wire.mrz import is_protected

router = APIRouter(include_in_schema=False)


def _line(desk: Desk, case_id: int) -> CaseLine:
    """Return the head of the case. Raises `NotFound`, then `NotPermitted` for a role that sees no person."""
    with reading(desk.rt.engine) as connection:
        line = case_line(connection, desk.me.viewer, case_id, now=desk.rt.clock())
    access.require_role(desk.me, AccountRole.OFFICER, AccountRole.LIAISON)
    return line


@router.get("/cases/{case_id}/mrz")
def zone_form(desk: AtDesk, case_id: RowId) -> HTMLResponse:
    """Ask for a machine-readable zone."""
    return desk.page("mrz.html", _line(desk, case_id), {"zone": "", "compared": None})


@router.post("/cases/{case_id}/mrz")
def compare_zone(desk: AtDesk, form: OurForm, case_id: RowId) -> HTMLResponse:
    """Lay a zone beside the application. It is shown and not kept."""
    line = _line(desk, case_id)
    zone = form.text("zone", "the machine-readable zone", required=True) or ""
    if form.errors:
        return desk.page("mrz.html", line, {"zone": zone, "compared": None}, form.errors)
    try:
        mrz, compared = desk.rt.identification.compare(case_id=case_id, zone=zone, viewer=desk.me.viewer)
    except Erased:
        raise
    except Refused as error:
        form.wrong("zone", f"This is no machine-readable zone: {error.message} ({error.code})")
        return desk.page("mrz.html", line, {"zone": zone, "compared": None}, form.errors)
    values = {
        "zone": zone,
        "format": mrz.fields.format,
        "wrong": [says.check_text(check) for check in mrz.checks if not check.fits],
        "truncated": mrz.truncated,
        "protected": is_protected(mrz),
        "compared": [says.compared_line(one) for one in compared],
        "script_of": script_of,
    }
    return desk.page("mrz.html", line, values)


def _pair(desk: Desk, case_id: int, other_id: int) -> tuple[CaseLine, CaseLine, Hint]:
    line, other = _line(desk, case_id), _line(desk, other_id)
    return line, other, desk.rt.identification.hint(case_id=case_id, other_id=other_id, viewer=desk.me.viewer)


def _pair_page(
    desk: Desk, line: CaseLine, other: CaseLine, hint: Hint, given: str = "", errors: Sequence[FieldError] = ()
) -> HTMLResponse:
    note_reading(desk.rt, desk.me, other)  # the person of the other case stands on the page too
    values = {
        "other": other,
        "label": case_label(line),
        "other_label": case_label(other),
        "other_counterparty": authority_name(desk.rt.partners, other.counterparty),
        "other_person": person_for(desk.rt, desk.me, other.id),
        "hint": hint_line(hint),
        "choices": says.why_choices(),
        "verdicts": says.verdict_texts(),
        "given": given,
    }
    return desk.page("resemblance.html", line, values, errors)


@router.get("/cases/{case_id}/resemblance/{other_id}")
def resemblance_form(desk: AtDesk, case_id: RowId, other_id: RowId) -> HTMLResponse:
    """Show two cases beside each other, and ask what they are."""
    return _pair_page(desk, *_pair(desk, case_id, other_id))


@router.post("/cases/{case_id}/resemblance/{other_id}")
def decide_resemblance(desk: AtDesk, form: OurForm, case_id: RowId, other_id: RowId) -> Response:
    """Record the decision. Nothing else follows from it."""
    line, other, hint = _pair(desk, case_id, other_id)
    why = form.choice("why", tuple(says.why_choices()), "Select why")
    verdict = _verdict(form)
    if form.errors or verdict is None:
        return _pair_page(desk, line, other, hint, why, form.errors)
    desk.rt.identification.decide(case_id=case_id, other_id=other_id, verdict=verdict, why=why, viewer=desk.me.viewer)
    return RedirectResponse(f"/cases/{case_id}?done=decided", status_code=HTTPStatus.SEE_OTHER)


def _verdict(form: Form) -> Verdict | None:
    given = form.choice("verdict", [verdict.value for verdict in Verdict], "Say whether they are the same person")
    return Verdict(given) if given else None
