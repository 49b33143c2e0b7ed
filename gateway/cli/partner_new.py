"""`gateway partner new`: from a sample document to a partner folder that passes the check."""

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.output import console, print_json
from gateway.cli.partner_check import report_on
from gateway.errors import PartnerInvalid
from gateway.partners.fields import Table
from gateway.partners.folder import EDGES, load_partner
from gateway.settings import load as load_settings
from gateway.wire.documents import read_file
from gateway.wire.guessing.answers import Answers, read_answers
from gateway.wire.guessing.new_folder import NewFolder, write_folder
from gateway.wire.guessing.sample import FORMATS, format_of, read_sample
from gateway.wire.guessing.thesaurus import read_thesaurus
from gateway.wire.schema import SchemaSet

_SHOWN = 12  # lines of a list on the screen; GUESSES.md has them all
_QUESTIONS = (
    ("name", "Name of the state in English"),
    ("own_name", "Name as the state calls itself"),
    ("languages", "Languages of its offices, the first one first (en, fr)"),
    ("working_language", "Language in which the parties write to each other"),
    ("zone", "Time zone (Europe/Sarajevo)"),
    ("calendar", "Calendar, the id of a file under calendars/"),
)


def register(group: typer.Typer) -> None:
    """Add the command to `gateway partner`."""

    @group.command("new", epilog="Example:  gateway partner new xa --sample request.xml --out partners")
    def new(
        code: Annotated[str, typer.Argument(metavar="CODE", help="The folder's name: the state's code in small letters.")],
        sample: Annotated[Path, typer.Option("--sample", metavar="FILE", help="A document as the partner sends it.")],
        out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the folder is made.")] = Path(),
        answers: Annotated[
            Path | None, typer.Option("--answers", metavar="FILE", help="Answers as TOML, instead of questions.")
        ] = None,
        form: Annotated[
            str | None, typer.Option("--format", metavar="FORMAT", help=f"{', '.join(FORMATS)}; default: seen.")
        ] = None,
        force: Annotated[bool, typer.Option("--force", help="Replace a folder that is there.")] = False,
        config: ConfigOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Write a partner folder with a first dialect that is guessed from a sample document.

        Every name of the sample is compared with known words for the canonical fields; what is sure enough becomes a row, and
        everything else is listed in GUESSES.md, in the order in which to mend it. The folder passes `gateway partner check`.
        """
        if form is not None and form not in FORMATS:
            raise typer.BadParameter(f"--format is not one of {', '.join(FORMATS)}")
        target = out.resolve() / code
        if target.exists() and not force:
            raise typer.BadParameter(f"{target.name!r} is there already; --force replaces it")
        settings = load_settings(config)
        body = read_file(sample)
        read = read_sample(body, form or format_of(body, sample.suffix))
        told = _answers(code, answers)
        schemas = SchemaSet.load(settings.schemas / "readmission" / "1.0")
        made = _write(target, told, (body, read), schemas, settings.partners)
        report = report_on(target, settings)
        if as_json:
            print_json({"folder": str(target), "type": made.type, "example": made.example, **made.guesses, "check": report})
        else:
            _print(made, report)
        if report["broken"]:
            raise typer.Exit(1)


def _write(target: Path, answers: Answers, sample: Any, schemas: SchemaSet, partners: Path) -> NewFolder:
    """Write beside the target and move into place, so that a folder is never half there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as work:
        folder = Path(work) / target.name
        folder.mkdir()
        made = write_folder(folder, answers, sample, schemas, read_thesaurus(partners), datetime.now(UTC))
        load_partner(folder)
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
    return made


def _answers(code: str, path: Path | None) -> Answers:
    if path is not None:
        return read_answers(Table.read(path, path.name, PartnerInvalid))
    values: dict[str, Any] = {"state": typer.prompt("State, two letters (ISO 3166-1, or XK)", default=code[:2].upper())}
    for key, question in _QUESTIONS:
        default = code[:2] if key == "calendar" else None
        values[key] = typer.prompt(question, default=default)
    values["languages"] = [word.strip() for word in values["languages"].split(",")]
    values["authorities"] = []
    while not values["authorities"] or typer.confirm("Another authority?", default=False):
        values["authorities"].append(
            {
                "code": typer.prompt("Code of the authority", default=f"{values['state']}-MOI"),
                "name": typer.prompt("Its name in English"),
                "own_name": typer.prompt("Its name as it calls itself"),
                "edge": typer.prompt(f"How it is connected ({', '.join(EDGES)})", default="pull"),
            }
        )
    if typer.confirm("A contact of an office?", default=False):
        values["contacts"] = [
            {
                "office": typer.prompt("Office"),
                "purpose": typer.prompt("What it is asked for", default="applications"),
                "email": typer.prompt("E-mail of the office"),
            }
        ]
    return read_answers(Table(values, "answers", PartnerInvalid))


def _print(made: NewFolder, report: dict[str, Any]) -> None:
    screen, found = console(), made.guesses
    screen.print(f"[bold]{escape(made.folder.name)}[/]: a {made.type}, {len(found['matched'])} fields matched")
    screen.print(f"Example: {escape(made.example)}")
    lists = {
        "Must be in every message and is not in the sample; got a new field": [
            f"{one['canonical']}  ->  {one['here']}" for one in found["added"]
        ],
        "Fixed": [f"{one['canonical']} = {one['value']}" for one in found["fixed"]],
        "Codes made up": [f"{one['list']}: {', '.join(one['made_up'])}" for one in found["codes"]],
        "Can be read in several ways": [f"{one['here']}: {one['taken']}, or {one['also'][0]}" for one in found["ambiguous"]],
        "No row reads": [
            f"{one['here']}  (best guess: {one['best_guess'] or 'none'}, {one['confidence']:.2f})" for one in found["unmatched"]
        ],
        "Taken, the least sure first": [
            f"{one['confidence']:.2f}  {one['here']}  =  {one['canonical']}" for one in found["matched"]
        ],
        "gateway partner check: broken": report["broken"],
        "gateway partner check: missing": report["missing"],
    }
    for title, items in lists.items():
        if items:
            screen.print(f"\n{title}:")
            for item in items[:_SHOWN]:
                screen.print(f"  {escape(item)}")
            if len(items) > _SHOWN:
                screen.print(f"  ... and {len(items) - _SHOWN} more in GUESSES.md")
    screen.print("\nNext: GUESSES.md in the folder, from the top; then gateway partner check PATH")
