"""`gateway check`: tell whether a document is in order, and everything that is wrong with it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from gateway.cli.options import ConfigOption, JsonOption, PartnersOption, RowOption
from gateway.cli.output import console, print_json
from gateway.errors import Refused
from gateway.partners import Partners, load
from gateway.settings import load as load_settings
from gateway.wire.check import Verdict, examine_file
from gateway.wire.examples import fresh_header
from gateway.wire.schema import SchemaSet
from gateway.wire.translate import Translator


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="Examples:  gateway check message.xml  |  gateway check application.xml --dialect ba/ms-xml  |  "
        "gateway check message.xml --json"
    )
    def check(
        file: Annotated[Path, typer.Argument(help="The document to check.")],
        dialect: Annotated[
            str | None,
            typer.Option("--dialect", metavar="PARTNER/NAME", help="Its dialect; without it, canonical XML or JSON."),
        ] = None,
        row: RowOption = None,
        partners: PartnersOption = None,
        config: ConfigOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Check a document against form, schema and rules, and tell everything that is wrong with it.

        Exit code 0 if it is accepted, 1 if it is refused. Nothing is sent or stored.
        """
        settings = load_settings(config, overrides={"partners": partners})
        schemas = SchemaSet.load(settings.schemas / "readmission" / "1.0")
        verdict = _verdict(file, dialect, row, load(settings.partners), schemas)
        if as_json:
            print_json(verdict.as_dict())
        else:
            _tell(verdict, file)
        if verdict.errors:
            raise typer.Exit(1)


def _verdict(file: Path, dialect: str | None, row: int | None, known: Partners, schemas: SchemaSet) -> Verdict:
    try:
        translator = Translator.compile(known.dialect(dialect), schemas) if dialect is not None else None
    except Refused as error:
        return Verdict(type=None, errors=(error,))
    now, authorities = datetime.now(UTC), known.authorities
    return examine_file(file, schemas, translator, fill=fresh_header(now), authorities=authorities, row=row)


def _tell(verdict: Verdict, file: Path) -> None:
    """Say it for people."""
    screen, name = console(), escape(file.name)
    if not verdict.errors:
        screen.print(f"[green]accepted[/] {name}: {verdict.type}, meets schema and rules")
        for each in verdict.warnings:
            screen.print(f"  [yellow]to ask[/] {escape(each.message)} [dim]({escape(each.path)})[/]")
        return
    count = len(verdict.errors)
    screen.print(f"[bold red]refused[/] {name}: {count} problem{'s' if count > 1 else ''}")
    for error in verdict.errors:
        place = ", ".join(part for part in (f"line {error.line}" if error.line else "", error.path or "") if part)
        screen.print(f"  [bold]{error.code}[/] {escape(error.message)}" + (f" [dim]({escape(place)})[/]" if place else ""))
