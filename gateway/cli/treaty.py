"""`gateway treaty`: what the treaties say, from which article, and how far we may trust it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from gateway.cli.options import ConfigOption, JsonOption, PartnersOption
from gateway.cli.output import console, print_error, print_json
from gateway.cli.treaty_words import limit_lines, treaty_as_dict
from gateway.domain.treaties import Treaty
from gateway.errors import NotAFile, TreatyInvalid, UnknownTreaty
from gateway.partners.calendar_changes import CalendarBook
from gateway.partners.examples import failing_examples
from gateway.partners.treaties import load_treaties, load_treaty
from gateway.settings import Settings
from gateway.settings import load as load_settings


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(no_args_is_help=True, help="Treaties: the rules with article, source and confidence.")
    app.add_typer(group, name="treaty")
    group.command("list", epilog="Example:  gateway treaty list")(list_treaties)
    group.command("show", epilog="Example:  gateway treaty show eu-rs")(show_treaty)
    group.command("check", epilog="Example:  gateway treaty check partners/treaties/eu-rs.toml")(check_treaties)


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
    found = named_treaty(_load(load_settings(config, overrides={"partners": partners})), treaty)
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
    for held in found.withheld:
        where = f" of {', '.join(sorted(held.messages))}" if held.messages else ""
        screen.print(
            f"Not sent: {escape(held.field + where)} [dim]({escape(held.article)}; {held.confidence}: {escape(held.source)})[/]"
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
    calendars = CalendarBook(settings.partners / "calendars", settings.calendar_changes)
    where = path or settings.partners / "treaties"
    if not where.exists():
        raise NotAFile(f"there is no {where.name!r}")
    try:
        known = load_treaties(where) if where.is_dir() else load_treaty_file(where)
        from gateway.wire.translate import canonical_shapes  # noqa: PLC0415 - `gateway deadline` shares this module
        from gateway.wire.withheld import check_withheld  # noqa: PLC0415

        check_withheld(known, canonical_shapes(settings.schemas / "readmission" / "1.0"))
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


def load_treaty_file(path: Path) -> dict[str, Treaty]:
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


def named_treaty(known: Mapping[str, Treaty], treaty_id: str) -> Treaty:
    """Return a treaty by its id. Raises `UnknownTreaty` naming those there are."""
    if treaty_id not in known:
        raise UnknownTreaty(f"there is no treaty {treaty_id!r}; known are {', '.join(known)}")
    return known[treaty_id]
