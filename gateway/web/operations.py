"""The flow board: for those who keep the gateway running. It shows counts and codes, no case and no person."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

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
    return show.page(request, "flow.html", {"board": found, "flows": [_row(flow, rt) for flow in found.flows], "now": now})


def _row(flow: Flow, rt: WebRuntime) -> dict[str, object]:
    return {
        "line": flow,
        "partner": authority_name(rt.partners, flow.counterparty),
        "parked": Tag(text=f"{flow.parked} parked", tone=Tone.URGENT),
        "oldest": wording.age_text(flow.oldest, rt.clock()) if flow.oldest else None,
    }
