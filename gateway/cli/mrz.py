"""`gateway mrz`: read a machine-readable zone, check its digits, say what it means in the words of an application."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from gateway.cli.options import AtOption, ConfigOption, JsonOption, instant_of
from gateway.cli.output import console, print_json
from gateway.errors import NotText
from gateway.settings import load
from gateway.wire.documents import read_file
from gateway.wire.mrz import Mrz, birth_date, expiry_date, is_protected, read_mrz, suggested

PROTECTED = "the code of nationality says that the person was granted protection: nothing of it may reach the country of origin"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="Examples:  gateway mrz zone.txt  |  gateway mrz - --json < zone.txt")
    def mrz(
        zone: Annotated[
            str,
            typer.Argument(
                metavar="TEXT|FILE",
                help="A file, - for standard input, or the zone itself, which then stays in the history of the shell.",
            ),
        ],
        at: AtOption = None,
        config: ConfigOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Read the machine-readable zone of a passport, card or visa (TD1, TD2, TD3, MRV-A, MRV-B) and check every digit.

        Exit code 0 if all check digits fit, 1 if one does not or the text is no zone. Years have two figures there: what is
        written is given, and a reading of it with its rule. Nothing is stored.
        """
        load(config)  # a settings file that is wrong is told here as everywhere
        found = read_mrz(_text(zone))
        today = instant_of(at, "--at").date() if at else datetime.now(UTC).date()
        document = _document(found, today)
        if as_json:
            print_json(document)
        else:
            _tell(document)
        if not found.fits:
            raise typer.Exit(1)


def _text(zone: str) -> str:
    """Return the zone: from standard input, from a file of this name, or the argument itself."""
    if zone == "-":
        return sys.stdin.read(4096)
    if "<" in zone:  # no file name has it by accident, every zone does
        return zone.replace("\\n", "\n")
    body = read_file(Path(zone))
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise NotText("the file is no text") from None


def _document(found: Mrz, today: Any) -> dict[str, Any]:
    fields = found.fields
    birth, expiry = birth_date(fields.birth, today), expiry_date(fields.expiry, today)
    return {
        "verdict": "valid" if found.fits else "refused",
        "format": fields.format,
        "fields": {
            "code": fields.code,
            "issuer": fields.issuer,
            "primary": fields.primary,
            "secondary": fields.secondary,
            "truncated": found.truncated,
            "number": fields.number,
            "nationality": fields.nationality,
            "birth": {name: getattr(birth, name) for name in ("said", "reading", "other", "rule")},
            "sex": fields.sex,
            "expiry": {name: getattr(expiry, name) for name in ("said", "reading", "other", "rule")},
            "optional": list(fields.optional),
        },
        "checks": [
            {"name": check.name, "line": check.line, "position": check.position, "fits": check.fits} for check in found.checks
        ],
        "suggested": suggested(found, today),
        "warnings": _warnings(found),
    }


def _warnings(found: Mrz) -> list[dict[str, str]]:
    wrong = [
        {
            "code": "mrz-check-digit",
            "path": f"line {check.line}, position {check.position}",
            "message": f"the check digit of {check.name} does not fit",
        }
        for check in found.checks
        if not check.fits
    ]
    protected = {"code": "mrz-protected", "path": "nationality", "message": PROTECTED}
    return wrong + ([protected] if is_protected(found) else [])


def _tell(document: dict[str, Any]) -> None:
    out = console()
    good = document["verdict"] == "valid"
    out.print(f"{'[green]valid[/]' if good else '[bold red]refused[/]'} {document['format']}")
    for name, value in document["fields"].items():
        if isinstance(value, dict):
            other = f", or {value['other']}" if value["other"] else ""
            out.print(f"  {name}: {escape(value['said'])}, read as {value['reading'] or 'not known'}{other} ({value['rule']})")
        else:
            out.print(f"  {name}: {escape(', '.join(value) if isinstance(value, list) else str(value))}")
    for warning in document["warnings"]:
        out.print(f"  [yellow]{warning['code']}[/] {escape(warning['message'])} [dim]({warning['path']})[/]")
