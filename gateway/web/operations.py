"""The flow board: for those who keep the gateway running. It shows counts and codes, no case and no person."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from gateway.domain.partner_decisions import Decided
from gateway.partners import Partner
from gateway.store import early, partner_decisions
from gateway.store.accounts import AccountRole
from gateway.store.board import Flow, board
from gateway.store.database import reading
from gateway.web import access, wording
from gateway.web.access import Me, Rt
from gateway.web.dates import authority_name
from gateway.web.pages import Show
from gateway.web.runtime import WebRuntime
from gateway.web.wording import Tag, Tone

router = APIRouter(include_in_schema=False)


@router.get("/flow")
def flow_board(request: Request, rt: Rt, me: Me, show: Show) -> HTMLResponse:
    """Show what flows and what is stuck, per partner and direction."""
    access.require_role(me, AccountRole.OPERATIONS, AccountRole.AUDITOR)
    now = rt.clock()
    with reading(rt.engine) as connection:
        found = board(connection, me.viewer, now=now)
        decided, kept = Decided.of(partner_decisions.every(connection)), len(early.suspended(connection))
    shown = {
        "board": found,
        "flows": [_row(flow, rt) for flow in found.flows],
        "suspended": decided.suspended,
        "kept": kept,
        "partners": [_partner(partner, decided) for partner in rt.partners.partners.values()],
        "production": rt.settings.environment == "production",
        "now": now,
    }
    return show.page(request, "flow.html", shown)


def _partner(partner: Partner, decided: Decided) -> dict[str, object]:
    """Return where a partner stands: who admitted it, who switched it to production, and since when."""
    return {
        "partner": partner,
        "admitted": decided.admitted.get(partner.code),
        "production": decided.production.get(partner.code),
    }


def _row(flow: Flow, rt: WebRuntime) -> dict[str, object]:
    return {
        "line": flow,
        "partner": authority_name(rt.partners, flow.counterparty),
        "parked": Tag(text=f"{flow.parked} parked", tone=Tone.URGENT),
        "oldest": wording.age_text(flow.oldest, rt.clock()) if flow.oldest else None,
    }
