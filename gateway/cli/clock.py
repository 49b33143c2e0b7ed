"""`gateway deadline`: until when a limit of a treaty runs, and what a changed calendar or rule would move."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from gateway.cli.options import ConfigOption, JsonOption, PartnersOption
from gateway.cli.output import console, print_json
from gateway.cli.treaty import load_treaty_file, named_treaty
from gateway.domain.answers import Deadline, End, ExtensionAsked
from gateway.domain.calendars import Calendar, Side
from gateway.domain.counting import Standstill
from gateway.domain.deadlines import due_date
from gateway.domain.explanations import day_text, iso
from gateway.domain.limits import Direction
from gateway.domain.treaties import Treaty, treaty_between
from gateway.errors import NotAFile
from gateway.partners.calendar_changes import CalendarBook
from gateway.partners.calendars import load_calendar
from gateway.partners.treaties import load_treaties
from gateway.settings import load as load_settings

YEARS = range(1900, 9000)  # instants outside them are slips of the keyboard

State = Annotated[str | None, typer.Option(metavar="STATE", help="Two capital letters, e.g. AT.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(invoke_without_command=True)
    group.callback(
        epilog="Example:  gateway deadline --treaty eu-rs --limit reply --start 2026-06-01T10:15:00+02:00 --requesting AT",
        subcommand_metavar="[whatif]",
    )(deadline)
    group.command("whatif", epilog="Example:  gateway deadline whatif --calendar proposed/rs.toml")(whatif)
    app.add_typer(group, name="deadline")


def deadline(
    context: typer.Context,
    treaty: Annotated[str | None, typer.Option(metavar="ID", help="Treaty, e.g. eu-rs; see `gateway treaty list`.")] = None,
    limit: Annotated[str | None, typer.Option(metavar="ID", help="Limit, e.g. reply; see `gateway treaty show ID`.")] = None,
    start: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="What starts the clock, with its distance from UTC.")
    ] = None,
    procedure: Annotated[str, typer.Option(help="ordinary or accelerated.")] = "ordinary",
    category: Annotated[str, typer.Option(help="national, third-country or stateless.")] = "national",
    requesting: State = None,
    requested: State = None,
    extension_asked: Annotated[str | None, typer.Option(metavar="INSTANT", help="When more time was asked for.")] = None,
    extension_days: Annotated[int | None, typer.Option(metavar="N", min=1, help="Days beyond the limit asked for.")] = None,
    planned: Annotated[
        str | None, typer.Option(metavar="DATE", help="Planned day, for a limit that is counted back from one.")
    ] = None,
    escorted: Annotated[bool, typer.Option("--escorted", help="The transfer is escorted.")] = False,
    means: Annotated[str | None, typer.Option(help="air, land or sea, where the treaty distinguishes.")] = None,
    obstacle: Annotated[
        str | None, typer.Option(metavar="FROM/UNTIL", help="Days of an obstacle; UNTIL is the day it had fallen away.")
    ] = None,
    suspended: Annotated[
        str | None, typer.Option(metavar="FROM/UNTIL", help="Days on which the clock was suspended; UNTIL counts again.")
    ] = None,
    partners: PartnersOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say until when a limit of a treaty runs, and why.

    Exit code 1 when the rule file has no such rule (the treaty itself may), or the end is not known: neither is ever guessed.
    """
    if context.invoked_subcommand is not None:
        return
    if treaty is None or limit is None:
        raise typer.BadParameter("is needed", param_hint="--treaty" if treaty is None else "--limit")
    plan = None if planned is None else _day(planned, "--planned")
    asked = _extension(extension_asked, extension_days)
    began = None if start is None else _instant(start, "--start")
    settings = load_settings(config, overrides={"partners": partners})
    known = load_treaties(settings.partners / "treaties", settings.overrides)
    asking, asked_state = (name.upper() if name else None for name in (requesting, requested))
    rules = treaty_between(known, named_treaty(known, treaty).id, asking, asked_state)
    calendars = CalendarBook(settings.partners / "calendars", settings.calendar_changes)
    forward = any(row.id == limit and row.direction is Direction.AFTER for row in rules.limits)
    if began is None and (forward or plan is None):
        raise typer.BadParameter("give the instant that starts the clock", param_hint="--start")
    asked_side, asking_side = _sides(rules, asking, asked_state, calendars)
    found = due_date(
        rules,
        limit,
        start=began or datetime.combine(plan or date.min, time(), UTC),  # counted back: the planned day alone decides
        requested=asked_side,
        requesting=asking_side,
        procedure=procedure,
        category=category,
        extension=asked,
        planned=plan,
        escorted=escorted,
        means=means,
        stops=(*_stops(obstacle, "obstacle"), *_stops(suspended, "suspension")),
    )
    if as_json:
        print_json(found.as_dict())
    else:
        _print(found)
    if not (found.applies and found.known):
        raise typer.Exit(1)


def whatif(
    calendar: Annotated[Path | None, typer.Option(metavar="FILE", help="A calendar file as it would be.")] = None,
    treaty: Annotated[Path | None, typer.Option(metavar="FILE", help="A treaty file as it would be.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count all open deadlines again under a proposed calendar or rule file, and list which would move. Nothing is written."""
    # A whole gateway, with its database: not loaded where only a date is asked for.
    from gateway.cli.calendar import move_as_dict, print_moves  # noqa: PLC0415
    from gateway.flow.recount import what_if  # noqa: PLC0415
    from gateway.wiring import build  # noqa: PLC0415

    if calendar is None and treaty is None:
        raise typer.BadParameter("give a calendar or a treaty file", param_hint="--calendar")
    for path in filter(None, (calendar, treaty)):
        if not path.is_file():
            raise NotAFile(f"there is no file {path.name!r}")
    runtime = build(load_settings(config), prepare_database=True)
    calendars, treaties = dict(runtime.calendars), dict(runtime.treaties)
    if calendar is not None:
        proposed = load_calendar(calendar)
        calendars[proposed.id] = proposed
    if treaty is not None:
        treaties |= load_treaty_file(treaty)
    moves, looked = what_if(runtime, calendars=calendars, treaties=treaties)
    if as_json:
        print_json({"looked_at": looked, "moved": [move_as_dict(move) for move in moves]})
        return
    console().print(f"{looked} open deadlines looked at; {len(moves)} would move")
    print_moves(moves)


def _sides(
    treaty: Treaty, asking: str | None, asked: str | None, calendars: Mapping[str, Calendar]
) -> tuple[Side, Side | None]:
    """Return the requested and the requesting side; what is not named follows from the treaty's parties.

    The party named second is asked by default. The requesting state stays unnamed where its party has several states.
    """
    if asked is None:
        asked = treaty.counterpart(asking) if asking else None
    if asked is None and (asking is None or asking not in treaty.parties[1].states):
        asked = treaty.asked_by_default
    if asked is None:
        raise typer.BadParameter("name the requested state: the treaty leaves several", param_hint="--requested")
    asking = asking or treaty.counterpart(asked)
    return Side.of(asked, calendars), Side.of(asking, calendars) if asking else None


def _extension(asked: str | None, days: int | None) -> ExtensionAsked | None:
    if (asked is None) != (days is None):
        raise typer.BadParameter("--extension-asked and --extension-days are given together", param_hint="--extension-asked")
    return None if asked is None or days is None else ExtensionAsked(at=_instant(asked, "--extension-asked"), days=days)


def _stops(text: str | None, why: str) -> tuple[Standstill, ...]:
    """Return the days of "2026-08-01/2026-08-11"; an end that is left out means that it lasts."""
    if text is None:
        return ()
    option = "--obstacle" if why == "obstacle" else "--suspended"
    since, _, until = text.partition("/")
    first, last = _day(since, option), _day(until, option) if until else None
    if last is not None and last < first:
        raise typer.BadParameter("ends before it begins", param_hint=option)
    return (Standstill(since=first, until=last, why=why),)


def _instant(text: str, option: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("is no instant such as 2026-06-01T10:15:00+02:00", param_hint=option) from error
    if instant.tzinfo is None:
        raise typer.BadParameter("lacks its distance from UTC, such as +02:00 or Z", param_hint=option)
    if instant.year not in YEARS:
        raise typer.BadParameter(f"lies outside the years {YEARS.start} to {YEARS.stop - 1}", param_hint=option)
    return instant


def _day(text: str, option: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("is no date such as 2026-06-01", param_hint=option) from error
    if day.year not in YEARS:
        raise typer.BadParameter(f"lies outside the years {YEARS.start} to {YEARS.stop - 1}", param_hint=option)
    return day


def _print(found: Deadline) -> None:
    screen = console()
    row = found.limit
    if row is None:
        screen.print("[bold red]Does not apply[/]")
    elif found.literal is None or found.rolled is None:
        screen.print("[bold red]Not known: ask[/]")
    elif found.literal == found.rolled:
        screen.print(f"[bold]Due {_end(found.literal)}[/]")
    else:
        screen.print(f"[bold]Act by {_end(found.literal)}[/] (literal end)")
        screen.print(f"[bold]Rely on silence only after {_end(found.rolled)}[/] (rolled end)")
    if row is not None:
        screen.print(f"{escape(row.cited)}, confidence: {row.confidence}")
    if found.estimated:
        screen.print(
            "[yellow]The end hangs on an estimated rest day or on how a word is read: ask before you rely on this date.[/]"
        )
    screen.print()
    for sentence in found.explain:
        screen.print(f"  {escape(sentence)}")


def _end(end: End) -> str:
    return f"{day_text(end.due_on)}, until {iso(end.until)}"
