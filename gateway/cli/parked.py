"""`gateway queue parked`, `replay`, `drop`: what is set aside, by cause; a named person decides what becomes of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from gateway import log
from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.output import console, print_json
from gateway.cli.who import account
from gateway.domain.parking import Ground, Group, ParkedThing, grouped, in_case_order
from gateway.flow import parking
from gateway.flow.dropping import drop as give_up
from gateway.flow.ports import Runtime
from gateway.flow.replaying import PARKED, Replayed, exit_code_of
from gateway.flow.replaying import replay as try_again
from gateway.settings import load
from gateway.store.database import open_engine, reading, require_current
from gateway.wiring import build

CauseOption = Annotated[str | None, typer.Option("--cause", metavar="CODE", help="Only what is parked for this code.")]
PartnerOption = Annotated[
    str | None, typer.Option("--partner", metavar="P", help="Only this partner (pk) or authority of it (PK-MOI).")
]
ByOption = Annotated[str, typer.Option("--by", metavar="NAME", help="The person who decides it; it stands in the journal.")]
WhyOption = Annotated[
    str, typer.Option("--why", metavar="TEXT", help="The reason; it stands in the journal. No personal data.")
]
SecondOption = Annotated[
    str | None, typer.Option("--second", metavar="NAME", help="A second person who stands behind it; needed for many at once.")
]


def list_parked(
    cause: CauseOption = None,
    partner: PartnerOption = None,
    each: Annotated[
        bool, typer.Option("--each", help="Show every single one with its id, in the order they would be tried.")
    ] = False,
    take: Annotated[
        str | None, typer.Option("--take", metavar="NAME", help="Note that this person looks after all that is shown.")
    ] = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show what is set aside, one line for each cause (code, partner, rule): how many, since when, who must act, what to do.

    Example: `gateway queue parked --each --partner pk`
    """
    settings = load(config)
    if take is not None:
        rt = build(settings)
        parking.take_charge(rt, _found(rt, cause, partner), take)
    engine = open_engine(settings.database)
    require_current(engine)
    with reading(engine) as tx:
        found = parking.matching(parking.every(tx, settings.home), code=cause, partner=partner)
    groups = grouped(found)
    if json:
        document: dict[str, Any] = {"parked": [group.as_dict() for group in groups]}
        print_json(document | ({"each": [thing.as_dict() for thing in in_case_order(found)]} if each else {}))
        return
    if not groups:
        console().print("nothing is parked")
        return
    _print_groups(groups)
    if each:
        _print_things(in_case_order(found))


def replay(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="As `gateway queue parked --each` shows them.")
    ] = None,
    cause: CauseOption = None,
    partner: PartnerOption = None,
    by: ByOption = "",
    why: WhyOption = "",
    second: SecondOption = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show what would be tried in which order, and change nothing.")
    ] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Try again what is parked, by id or by cause: within a case by sequence, then by age. What fails again is parked again.

    Only for what is mended; needs a person and a reason, and a second person above the setting `replay_alone`.

    Example: `gateway queue replay --cause undeliverable --partner pk --by "A. Specimen" --why "their queue is back"`
    """
    if bool(ids) == bool(cause or partner):
        raise typer.BadParameter("name ids, or choose by --cause and --partner")
    rt = _installed(config)
    chosen = in_case_order(_named(rt, ids) if ids else _found(rt, cause, partner))
    if preview:
        _tell_preview(chosen, rt, as_json=json)
        return
    ground = Ground.of(by=by, why=why, second=second)
    done: list[Replayed] = []
    for one in try_again(rt, chosen, ground, account=account()):
        done.append(one)
        if not json:
            console().print(escape(f"{one.id}: {one.outcome}" + (f" ({one.code})" if one.code else "")))
    again = sum(one.outcome == PARKED for one in done)
    if json:
        told = [{"id": one.id, "outcome": one.outcome, "code": one.code} for one in done]
        print_json({"replayed": told, "count": len(done), "parked_again": again})
    else:
        console().print(
            f"{len(done)} tried again" + (f", {again} parked again" if again else "") if done else "nothing is parked"
        )
    if code := exit_code_of(done):
        raise typer.Exit(code)


def drop(
    thing: Annotated[str, typer.Argument(metavar="ID", help="As `gateway queue parked --each` shows it.")],
    by: ByOption = "",
    why: WhyOption = "",
    unopened: Annotated[
        bool, typer.Option("--unopened", help="Do not open it, so nobody is told: for what breaks whoever opens it.")
    ] = False,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Give up one parked message. Its sender gets a signed negative receipt; one of ours stays in its case, marked.

    Example: `gateway queue drop in-5 --by "A. Specimen" --why "the sender asked for it on the telephone"`
    """
    rt = _installed(config)
    ground = Ground.of(by=by, why=why)
    (chosen,) = _named(rt, [thing])
    done = give_up(rt, chosen, ground, account=account(), unopened=unopened)
    if json:
        print_json({"id": done.id, "told": done.told, "receipt_message_id": done.receipt_message_id})
        return
    console().print(escape(f"{done.id} is dropped: {done.told}"))


def _installed(config: Path | None) -> Runtime:
    settings = load(config)
    log.set_up(as_json=settings.log_json, level=30)
    return build(settings)


def _named(rt: Runtime, ids: Sequence[str]) -> list[ParkedThing]:
    with reading(rt.engine) as tx:
        return parking.named(tx, parking.every(tx, rt.settings.home), ids)


def _found(rt: Runtime, cause: str | None, partner: str | None) -> list[ParkedThing]:
    with reading(rt.engine) as tx:
        return parking.matching(parking.every(tx, rt.settings.home), code=cause, partner=partner)


def _tell_preview(chosen: Sequence[ParkedThing], rt: Runtime, *, as_json: bool) -> None:
    needs_second = len(chosen) > rt.settings.replay_alone
    if as_json:
        print_json({"preview": [thing.as_dict() for thing in chosen], "count": len(chosen), "second_needed": needs_second})
        return
    _print_things(chosen)
    console().print(f"{len(chosen)} would be tried again" + ("; a second person is needed" if needs_second else ""))


def _print_groups(groups: Sequence[Group]) -> None:
    """One line for each cause: a table of so many columns would break its words on a narrow terminal."""
    for group in groups:
        cause = group.cause
        way = f"{'to' if cause.direction == 'out' else 'from'} {cause.partner or 'nobody known'}"
        what = cause.code + (f" ({cause.rule})" if cause.rule else "")
        turn = f"{', '.join(group.owners)}: {group.step}"
        console().print(escape(f"{group.count:>6}  {way}: {what}, oldest {group.oldest:%Y-%m-%d %H:%M} UTC; {turn}"))


def _print_things(things: Sequence[ParkedThing]) -> None:
    for thing in things:
        sender = (thing.partner or "nobody known") + ("" if thing.verified else " (as the transport claims)")
        way = f"{thing.home} to {thing.partner}" if thing.direction == "out" else f"{sender} to {thing.home}"
        what = thing.type or "not read"
        if thing.case:
            what += f" {thing.sequence or ''} of case {thing.case}"
        cause = thing.code + (f" ({thing.rule})" if thing.rule else "")
        since = f"since {thing.since:%Y-%m-%d %H:%M} UTC, tried {thing.attempts} times; {thing.owner}"
        console().print(escape(f"{thing.id:<10} {way}: {what}; {cause} {since}"))


def register(group: typer.Typer) -> None:
    """Add the commands of this module."""
    group.command("parked")(list_parked)
    group.command("replay")(replay)
    group.command("drop")(drop)
