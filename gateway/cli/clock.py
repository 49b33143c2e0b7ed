"""`gateway deadline` and `gateway treaty`: what the treaties say, and until when."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from gateway.cli.options import ConfigOption, JsonOption, PartnersOption
from gateway.cli.output import console, print_error, print_json
from gateway.cli.treaty_words import limit_lines, treaty_as_dict
from gateway.domain.answers import Deadline, End, ExtensionAsked
from gateway.domain.calendars import Calendar, Side
from gateway.domain.counting import Standstill
from gateway.domain.deadlines import due_date
from gateway.domain.explanations import day_text, iso
from gateway.domain.limits import Direction
from gateway.domain.treaties import Treaty, treaty_between
from gateway.errors import NotAFile, TreatyInvalid, UnknownTreaty
from gateway.partners.calendars import load_calendars
from gateway.partners.examples import failing_examples
from gateway.partners.treaties import load_treaties, load_treaty
from gateway.settings import Settings
from gateway.settings import load as load_settings

YEARS = range(1900, 9000)  # instants outside them are slips of the keyboard

State = Annotated[str | None, typer.Option(metavar="STATE", help="Two capital letters, e.g. AT.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        "deadline",
        epilog="Example:  gateway deadline --treaty eu-rs --limit reply --start 2026-06-01T10:15:00+02:00 --requesting AT",
    )(deadline)
    group = typer.Typer(no_args_is_help=True, help="Treaties: the rules with article, source and confidence.")
    app.add_typer(group, name="treaty")
    group.command("list", epilog="Example:  gateway treaty list")(list_treaties)
    group.command("show", epilog="Example:  gateway treaty show eu-rs")(show_treaty)
    group.command("check", epilog="Example:  gateway treaty check partners/treaties/eu-rs.toml")(check_treaties)


def deadline(
    treaty: Annotated[str, typer.Option(metavar="ID", help="Treaty, e.g. eu-rs; see `gateway treaty list`.")],
    limit: Annotated[str, typer.Option(metavar="ID", help="Limit, e.g. reply; see `gateway treaty show ID`.")],
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

    Exit code 1 when the treaty has no such rule, or the end is not known: neither is ever guessed.
    """
    plan = None if planned is None else _day(planned, "--planned")
    asked = _extension(extension_asked, extension_days)
    began = None if start is None else _instant(start, "--start")
    settings = load_settings(config, overrides={"partners": partners})
    known = load_treaties(settings.partners / "treaties", settings.overrides)
    asking, asked_state = (name.upper() if name else None for name in (requesting, requested))
    rules = treaty_between(known, _treaty(known, treaty).id, asking, asked_state)
    calendars = load_calendars(settings.partners / "calendars")
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


def list_treaties(partners: PartnersOption = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the treaties with their limits."""
    known = _load(load_settings(config, overrides={"partners": partners}))
    if as_json:
        print_json({"treaties": [treaty_as_dict(treaty) for treaty in known.values()]})
        return
    table = Table("Treaty", "Name", "Parties", "Version", "Limits")
    for treaty in known.values():
        names = dict.fromkeys(row.id for row in treaty.limits)
        parties = "-".join(party.code for party in treaty.parties)
        table.add_row(treaty.id, treaty.name, parties, treaty.version, ", ".join(names))
    console().print(table)


def show_treaty(
    treaty: Annotated[str, typer.Argument(metavar="ID", help="Treaty, e.g. eu-rs.")],
    partners: PartnersOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a treaty's rules with article, source and confidence."""
    found = _treaty(_load(load_settings(config, overrides={"partners": partners})), treaty)
    if as_json:
        print_json(treaty_as_dict(found))
        return
    screen = console()
    screen.print(f"[bold]{escape(found.name)}[/] ({found.id}, rule file version {found.version})")
    if found.agreement:
        screen.print(f"Protocol to {found.agreement}: its rules prevail over the agreement's.")
    screen.print(f"Parties: {escape(', '.join(f'{party.name} ({party.code})' for party in found.parties))}")
    if found.note:
        screen.print(escape(found.note))
    for state, fact in found.authorities.items():
        screen.print(f"Authority of {state}: {escape(fact.text)} [dim]({fact.confidence}: {escape(fact.source)})[/]")
    for fact in found.facts:
        screen.print(
            f"{escape(fact.about.capitalize())}: {escape(fact.text)} [dim]({fact.confidence}: {escape(fact.source)})[/]"
        )
    for row in found.limits:
        heading, *lines = limit_lines(row)
        screen.print(f"\n[bold]{escape(heading)}[/]")
        for line in lines:
            screen.print(f"  {escape(line)}")


def check_treaties(
    path: Annotated[
        Path | None, typer.Argument(metavar="[PATH]", help="A treaty file or a folder; default: all known.")
    ] = None,
    partners: PartnersOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Load treaty files and run the worked examples that stand beside their rules. Exit code 1 on any problem."""
    settings = load_settings(config, overrides={"partners": partners})
    calendars = load_calendars(settings.partners / "calendars")
    where = path or settings.partners / "treaties"
    if not where.exists():
        raise NotAFile(f"there is no {where.name!r}")
    try:
        known = load_treaties(where) if where.is_dir() else _one_treaty(where)
    except TreatyInvalid as error:
        if as_json:
            print_json({"verdict": "refused", "treaties": [], "errors": [error.message]})
        else:
            print_error(error, as_json=False)
        raise typer.Exit(1) from error
    treaties = known if where.is_dir() else {name: known[name] for name in known if where.resolve() == _file_of(where, name)}
    errors = [failure for treaty in treaties.values() for failure in failing_examples(treaty, calendars, known)]
    counts = {treaty.id: sum(len(row.examples) for row in treaty.limits) for treaty in treaties.values()}
    if as_json:
        rows = [{"id": name, "limits": len(treaties[name].limits), "examples": count} for name, count in counts.items()]
        print_json({"verdict": "refused" if errors else "accepted", "treaties": rows, "errors": errors})
    else:
        screen = console()
        for name, number in counts.items():
            screen.print(f"{name}: {len(treaties[name].limits)} rules, {number} examples")
        for failure in errors:
            screen.print(f"  [bold red]{escape(failure)}[/]")
    if errors:
        raise typer.Exit(1)


def _one_treaty(path: Path) -> dict[str, Treaty]:
    """Return the treaty in a file; of a protocol, which lies in its agreement's folder, the agreement as well."""
    agreement = path.resolve().parent.with_suffix(".toml")
    if not agreement.is_file():
        return {path.stem: load_treaty(path, path.stem)}
    protocol = f"{agreement.stem}/{path.stem}"
    return {agreement.stem: load_treaty(agreement, agreement.stem), protocol: load_treaty(path, protocol)}


def _file_of(path: Path, treaty_id: str) -> Path:
    """Return where the file of a treaty lies beside `path`."""
    root = path.resolve().parent
    return (root if "/" not in treaty_id else root.parent) / f"{treaty_id}.toml"


def _load(settings: Settings) -> Mapping[str, Treaty]:
    return load_treaties(settings.partners / "treaties", settings.overrides)


def _treaty(known: Mapping[str, Treaty], treaty_id: str) -> Treaty:
    if treaty_id not in known:
        raise UnknownTreaty(f"there is no treaty {treaty_id!r}; known are {', '.join(known)}")
    return known[treaty_id]


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
