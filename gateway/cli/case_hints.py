"""`gateway case hints`: other cases of the same authority that may concern the same person."""

from typing import Annotated, Any

import typer

from gateway.cli.case_record import IdArgument, one_case
from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.output import console, print_json
from gateway.cli.who import account
from gateway.settings import load
from gateway.store.database import reading, transaction
from gateway.wire.resemblance import THRESHOLD


def hints(
    case: IdArgument,
    least: Annotated[
        int, typer.Option("--least", metavar="SCORE", min=0, max=100, help="Show cases that score at least so much.")
    ] = THRESHOLD,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Say which other cases of the same authority may concern the same person, with a score from 0 to 100 and every reason.

    A hint decides nothing; people decide on the page of the case. Personal data is not printed; the reading is journalled.
    A case is found about half a minute after it came. Example: `gateway case hints 7 --json`
    """
    # A whole gateway, with its keys: not loaded where only the store is read.
    from gateway.flow import mailbox, resemblances  # noqa: PLC0415
    from gateway.wiring import build  # noqa: PLC0415

    rt = build(load(config))
    with reading(rt.engine) as tx:
        found = one_case(tx, case)
    assert found.id is not None
    given = resemblances.hints(found.id, rt, homes=(found.home,), least=least)
    with transaction(rt.engine) as tx:
        mailbox.note_reading(tx, found, actor=account(), purpose="operations", at=rt.clock())
    if json:
        print_json({"case": found.id, "home": found.home, "hints": [_document(hint) for hint in given]})
        return
    out = console()
    if not given:
        out.print("No other case of this authority looks like the same person.")
    for hint in given:
        out.print(f"[bold]{hint.found.score}[/] case {hint.case.id} ({hint.case.reference}, {hint.case.state})")
        for reason in hint.found.reasons:
            out.print(f"    {reason.points:+d} {reason.message}")
        if (decision := hint.decision) is not None:
            out.print(
                f"    decided: {decision.verdict} ({decision.why}) by {decision.decided_by}, {decision.decided_at:%Y-%m-%d}"
            )


def _document(hint: Any) -> dict[str, Any]:
    decision = hint.decision
    return {
        "case": hint.case.id,
        "reference": hint.case.reference,
        "state": str(hint.case.state),
        "score": hint.found.score,
        "reasons": [{"code": reason.code, "points": reason.points, "message": reason.message} for reason in hint.found.reasons],
        "decided": None
        if decision is None
        else {
            "verdict": decision.verdict,
            "why": decision.why,
            "by": decision.decided_by,
            "at": decision.decided_at,
        },
    }
