"""`gateway calendar`: which days are working days, how sure they are, and the decisions of this installation about them."""

from datetime import date
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from gateway import log
from gateway.cli.options import ConfigOption, JsonOption, PartnersOption
from gateway.cli.output import console, print_json
from gateway.domain.calendars import Calendar, Kind, Status
from gateway.errors import CalendarInvalid
from gateway.flow.calendars import change_day
from gateway.flow.recount import Move
from gateway.partners.calendar_changes import Action, CalendarBook
from gateway.settings import load
from gateway.wiring import build

CalendarId = Annotated[str, typer.Argument(metavar="CALENDAR", help="Calendar, e.g. rs; see `gateway calendar list`.")]
Day = Annotated[str, typer.Argument(metavar="DATE", help="Local date, e.g. 2027-03-10.")]
Who = Annotated[str, typer.Option(help="Office that decides, not a private person.")]
Why = Annotated[str, typer.Option(help="Reference on which the decision rests, e.g. the gazette.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(no_args_is_help=True, help="Working days of the states, and this installation's decisions on them.")
    group.command("list", epilog="Example:  gateway calendar list")(list_calendars)
    group.command("show", epilog="Example:  gateway calendar show rs --year 2027")(show_calendar)
    example = '--who "Legal unit" --why "Official Gazette 12/2027"'
    group.command("confirm", epilog=f"Example:  gateway calendar confirm pk 2027-03-10 {example}")(confirm)
    group.command("add", epilog=f'Example:  gateway calendar add rs 2027-05-04 --name "Day of mourning" {example}')(add)
    group.command("remove", epilog=f"Example:  gateway calendar remove pk 2027-03-11 {example}")(remove)
    app.add_typer(group, name="calendar")


def list_calendars(partners: PartnersOption = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the calendars: how far each reaches, how many days are only estimated."""
    book = _book(partners, config)
    rows = [_summary(calendar) for calendar in book.values()]
    if as_json:
        print_json({"calendars": rows})
        return
    table = Table("Calendar", "State", "Zone", "Version", "Known until", "Days", "Estimated")
    for row in rows:
        table.add_row(*(str(row[name]) for name in ("id", "state", "zone", "version", "known_until", "days", "estimated")))
    console().print(table)


def show_calendar(
    calendar: CalendarId,
    year: Annotated[int | None, typer.Option(help="Only this year.")] = None,
    partners: PartnersOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the days of a calendar that are not like their weekday, each with its status and source."""
    found = _calendar(_book(partners, config), calendar)
    days = [
        {"on": day.on, "name": day.name, "kind": str(day.kind), "status": str(day.status), "source": day.source or found.source}
        for day in sorted(found.days.values(), key=lambda each: each.on)
        if year is None or day.on.year == year
    ]
    if as_json:
        print_json(_summary(found) | {"note": found.note, "days": days})
        return
    screen = console()
    screen.print(f"[bold]{found.id}[/] ({found.state}, {found.zone}), version {found.version}, known until {found.known_until}")
    if found.note:
        screen.print(escape(found.note))
    table = Table("Day", "Name", "Kind", "Status", "Source")
    for day in days:
        table.add_row(*(escape(str(day[name])) for name in ("on", "name", "kind", "status", "source")))
    screen.print(table)


def confirm(
    calendar: CalendarId, day: Day, who: Who, why: Why, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Confirm that an estimated day falls as estimated. Open deadlines are counted again; what moves is journalled."""
    _change(Action.CONFIRM, calendar, day, who=who, why=why, config=config, as_json=as_json)


def add(
    calendar: CalendarId,
    day: Day,
    who: Who,
    why: Why,
    name: Annotated[str, typer.Option(help="What the day is.")],
    kind: Annotated[Kind, typer.Option(help="rest, half, or work (a day of the weekend that is worked).")] = Kind.REST,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a day. Open deadlines are counted again; what moves is journalled, and who is affected is listed."""
    _change(Action.ADD, calendar, day, who=who, why=why, name=name, kind=kind, config=config, as_json=as_json)


def remove(
    calendar: CalendarId, day: Day, who: Who, why: Why, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Remove a day: it is like its weekday. Open deadlines are counted again; what moves is journalled."""
    _change(Action.REMOVE, calendar, day, who=who, why=why, config=config, as_json=as_json)


def _change(action: Action, calendar: str, day: str, *, config: Any, as_json: bool, **rest: Any) -> None:
    try:
        on = date.fromisoformat(day)
    except ValueError as error:
        raise typer.BadParameter("is no date such as 2027-03-10", param_hint="DATE") from error
    settings = load(config)
    log.set_up(as_json=settings.log_json, level=30)  # what moved is printed; the log of it would stand among it
    runtime = build(settings, prepare_database=True)
    moves = change_day(runtime, action=action, calendar=calendar, on=on, **rest)
    after = runtime.calendars[calendar].version
    if as_json:
        print_json({"calendar": calendar, "version": after, "moved": [move_as_dict(one) for one in moves]})
        return
    console().print(f"{calendar} is now version {after}; {len(moves)} open deadlines moved")
    print_moves(moves)


def move_as_dict(move: Move) -> dict[str, Any]:
    """Return the JSON object of a deadline that moved."""
    return {
        "case": move.reference,
        "case_id": move.case_id,
        "authority": move.home,
        "limit": move.limit_id,
        "must_act": move.must_act,
        "before": {"due_on": move.before[0], "rolled_on": move.before[1], "calendar": move.calendar_before},
        "after": {"due_on": move.after[0], "rolled_on": move.after[1], "calendar": move.calendar_after},
    }


def print_moves(moves: list[Move]) -> None:
    """Print the deadlines that moved, and whom it concerns."""
    if not moves:
        return
    table = Table("Authority", "Case", "Limit", "Who must act", "Before", "After")
    for move in moves:
        table.add_row(move.home, move.reference, move.limit_id, move.must_act, _ends(move.before), _ends(move.after))
    console().print(table)


def _ends(ends: tuple[date | None, date | None]) -> str:
    literal, rolled = ends
    if literal is None:
        return "not known"
    return str(literal) if literal == rolled else f"{literal} or {rolled}"


def _book(partners: Any, config: Any) -> CalendarBook:
    settings = load(config, overrides={"partners": partners})
    return CalendarBook(settings.partners / "calendars", settings.calendar_changes)


def _calendar(book: CalendarBook, calendar_id: str) -> Calendar:
    if calendar_id not in book:
        raise CalendarInvalid(f"there is no calendar {calendar_id!r}; known are {', '.join(book)}")
    return book[calendar_id]


def _summary(calendar: Calendar) -> dict[str, Any]:
    return {
        "id": calendar.id,
        "state": calendar.state,
        "zone": calendar.zone,
        "version": calendar.version,
        "known_from": calendar.known_from,
        "known_until": calendar.known_until,
        "days": len(calendar.days),
        "estimated": sum(1 for day in calendar.days.values() if day.status is Status.ESTIMATED),
        "source": calendar.source,
    }
