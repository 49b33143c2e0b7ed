"""`gateway translate`: a document of one partner in the words of another."""

import json
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated

import typer
from rich.markup import escape

from gateway.cli.options import ConfigOption, JsonOption, PartnersOption, RowOption
from gateway.cli.output import console, print_json
from gateway.errors import NotAFile
from gateway.partners import Partners, load
from gateway.settings import load as load_settings
from gateway.wire.documents import parse_xml, read_file
from gateway.wire.examples import fresh_header
from gateway.wire.report import Report, digest
from gateway.wire.schema import SchemaSet
from gateway.wire.translate import CANONICAL, Translator


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="Examples:  gateway translate application.xml --from ba/ms-xml --to pk/moi-json --out application.json  |  "
        "gateway translate message.xml --from canonical --to rs/mup-xml --report report.json"
    )
    def translate(
        file: Annotated[Path, typer.Argument(help="The document to translate.")],
        source: Annotated[str, typer.Option("--from", metavar="PARTNER/NAME", help="Its dialect, or `canonical`.")],
        target: Annotated[str, typer.Option("--to", metavar="PARTNER/NAME", help="The dialect wanted, or `canonical`.")],
        report: Annotated[
            Path | None, typer.Option("--report", help="Where to write what was done to each field (JSON).")
        ] = None,
        out: Annotated[Path | None, typer.Option("--out", help="Where to write the result; default: standard output.")] = None,
        row: RowOption = None,
        partners: PartnersOption = None,
        config: ConfigOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Translate a document from one dialect to another, through the canonical message.

        The canonical message is checked against schema and rules on the way. Header fields that only a gateway can know
        (message id, time, sequence, case reference) are filled in when a dialect document leaves them out, and reported
        as "filled". A field the target cannot carry is reported as "dropped", or refused if it is required.
        Nothing is written unless everything went well.
        """
        settings = load_settings(config, overrides={"partners": partners})
        schemas = SchemaSet.load(settings.schemas / "readmission" / "1.0")
        between = Between(known=load(settings.partners), schemas=schemas)
        body, done = between.convert(read_file(file), source, target, row=row)
        if report is not None:
            write_whole(report, (json.dumps(done.as_dict(), ensure_ascii=False, indent=2) + "\n").encode())
        if out is not None:
            write_whole(out, body)
        if as_json:
            print_json(done.as_dict())
        elif out is None:
            sys.stdout.flush()
            sys.stdout.buffer.write(body)  # as it is: a format may have another encoding than the terminal
        else:
            told(done, out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """Translates between any two formats, through the canonical message."""

    known: Partners
    schemas: SchemaSet

    def convert(self, body: bytes, source: str, target: str, *, row: int | None = None) -> tuple[bytes, Report]:
        """Return the translated document and one report of all steps; `row` chooses a message of a table, from 1."""
        steps: list[Report] = []
        writer = None if target == CANONICAL else Translator.compile(self.known.dialect(target), self.schemas)
        if source == CANONICAL:
            document, result = parse_xml(body), body
        else:
            reader = Translator.compile(self.known.dialect(source), self.schemas)
            body = body if row is None else reader.message_of(body, row)
            read = reader.to_canonical(body, fill=fresh_header(datetime.now(UTC)))
            assert read.document is not None
            document, result = read.document, read.body
            steps.append(read.report)
        checked = self.schemas.check(document)
        if writer is not None:
            written = writer.from_canonical(document, sha256_in=digest(result))
            result = written.body
            steps.append(written.report)
        if not steps:  # canonical to canonical: checked, and handed on as it is
            steps.append(
                Report(
                    type=checked.type, source=source, target=target, sha256_in=digest(body), sha256_out=digest(body), fields=()
                )
            )
        return result, steps[0].then(steps[1]) if len(steps) > 1 else steps[0]


def write_whole(path: Path, body: bytes) -> None:
    """Write a file all at once, or not at all."""
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as half:
            half.write(body)
        Path(half.name).replace(path)
    except OSError as error:
        raise NotAFile(f"{path.name!r} cannot be written") from error


def told(report: Report, out: Path) -> None:
    """Say in a few lines what was done."""
    screen = console()
    counts: dict[str, int] = {}
    for field in report.fields:
        counts[field.action] = counts.get(field.action, 0) + 1
    screen.print(f"{report.source} -> {report.target}: " + ", ".join(f"{count} {action}" for action, count in counts.items()))
    for field in report.dropped:
        screen.print(f"[yellow]dropped[/] {escape(field.path)}: {escape(field.why or '')}")
    screen.print(f"written to {escape(str(out))}")
