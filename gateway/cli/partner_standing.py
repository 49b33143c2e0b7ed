"""`gateway partner show`: everything about one partner; and what was decided about partners, for `partner list`."""

from typing import Annotated, Any

import typer
from rich.markup import escape

from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.output import console, print_json
from gateway.domain.partner_decisions import Decided, PartnerDecision
from gateway.errors import DatabaseNewer, DatabaseNotReady, DatabaseUnavailable
from gateway.flow.passes import fault, folder_version
from gateway.flow.ports import Runtime
from gateway.settings import Settings, load
from gateway.store import partner_decisions, passes
from gateway.store.database import open_engine, reading, require_current
from gateway.wiring import build


def decision_dict(decision: PartnerDecision) -> dict[str, Any]:
    """Return the JSON object of one decision."""
    return {
        "decision": str(decision.kind),
        "who": decision.scope.who,
        "type": decision.scope.type,
        "at": decision.at,
        "by": decision.by,
        "why": decision.why,
        **decision.detail,
    }


def decided_of(settings: Settings) -> Decided | None:
    """Return what was decided about partners, None where there is no database yet: partners can be listed without one."""
    try:
        engine = open_engine(settings.database)
        require_current(engine)
        with reading(engine) as tx:
            return Decided.of(partner_decisions.every(tx))
    except (DatabaseNotReady, DatabaseUnavailable, DatabaseNewer):
        return None


def standing_of(code: str, authorities: list[str], decided: Decided | None) -> dict[str, Any]:
    """Return what holds for one partner: admitted, test or production, suspended (and for whom)."""
    if decided is None:
        return {"admitted": None, "stage": None, "suspended": []}
    suspended = [
        each for each in decided.suspended if each.scope.who in {"*", code} or set(each.scope.who.split(":")) & set(authorities)
    ]
    return {
        "admitted": code in decided.admitted,
        "stage": decided.state(code),
        "suspended": [decision_dict(each) for each in suspended],
    }


def show(
    code: Annotated[str, typer.Argument(metavar="CODE", help="The partner, e.g. pk.")],
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Show one partner: where it stands, who decided what, its passes, treaties, contacts and crossing points.

    Example: `gateway partner show pk`
    """
    rt = build(load(config))
    found = _shown(rt, code)
    if json:
        print_json(found)
        return
    out = console()
    out.print(f"[bold]{escape(found['name'])}[/] ({found['code']}), folder version {found['version']}")
    out.print(
        f"stage: {found['stage']}; {'admitted' if found['admitted'] else 'not admitted'}; "
        f"this installation is a {rt.settings.environment} one"
    )
    for each in found["suspended"]:
        since = f"{each['at']:%Y-%m-%d %H:%M} UTC"
        out.print(escape(f"SUSPENDED ({each['who']}, {each['type']}) since {since} by {each['by']}: {each['why']}"))
    for title, lines in (
        (
            "authorities",
            [f"{each['code']}  {each['name']}; {each['dialect']}; {each['edge']}" for each in found["authorities"]],
        ),
        ("treaties", [f"{each['id']}  {each['name']}" for each in found["treaties"]] or [found["no_agreement"]]),
        ("contacts", [", ".join(filter(None, map(str, each.values()))) for each in found["contacts"]]),
        ("crossing points", [", ".join(filter(None, map(str, each.values()))) for each in found["crossing_points"]]),
        (
            "passes",
            [
                f"{each['made_at']:%Y-%m-%d} to {each['ends_at']:%Y-%m-%d}: {each['fault'] or 'valid'}"
                for each in found["passes"]
            ],
        ),
        (
            "decisions",
            [
                f"{each['at']:%Y-%m-%d %H:%M} {each['decision']} ({each['who']}, {each['type']}) by {each['by']}: {each['why']}"
                for each in found["decisions"]
            ],
        ),
    ):
        out.print(f"{title}:")
        for line in lines:
            out.print(f"  {escape(line)}")
        if not lines:
            out.print("  none")


def _shown(rt: Runtime, code: str) -> dict[str, Any]:
    partner = rt.partners.partner(code)
    codes = [authority.code for authority in partner.authorities]
    with reading(rt.engine) as tx:
        every, rows = partner_decisions.every(tx), passes.of(tx, code)
    standing = standing_of(code, codes, Decided.of(every))
    return {
        "code": code,
        "state": partner.state,
        "name": partner.name,
        "version": folder_version(rt, code),
        **standing,
        "authorities": [
            {"code": each.code, "name": each.name, "dialect": each.dialect, "edge": each.edge} for each in partner.authorities
        ],
        "treaties": [
            {"id": treaty.id, "name": treaty.name}
            for treaty in rt.treaties.values()
            if any(partner.state in party.states for party in treaty.parties)
        ],
        "no_agreement": partner.no_agreement,
        "contacts": [_plain(each) for each in partner.contacts],
        "crossing_points": [_plain(each) for each in partner.crossing_points],
        "passes": [
            {
                "sha256": row.sha256,
                "made_at": row.made_at,
                "ends_at": row.ends_at,
                "fault": error.message if (error := fault(rt, row)) else None,
            }
            for row in rows
        ],
        "decisions": [
            decision_dict(each)
            for each in every
            if each.scope.who in {"*", code} or set(each.scope.who.split(":")) & set(codes)
        ],
    }


def _plain(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__slots__}


def register(group: typer.Typer) -> None:
    """Add the command of this module."""
    group.command("show")(show)
