"""`gateway partner list` and `check`: what partners there are, and whether their folders hold together."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from gateway.cli import partner_draft
from gateway.cli.options import ConfigOption, JsonOption, PartnersOption
from gateway.cli.output import console, print_json
from gateway.errors import GatewayError, NotAFile
from gateway.partners import Partner, load
from gateway.partners.folder import load_partner
from gateway.settings import load as load_settings
from gateway.wire.examples import check_examples
from gateway.wire.schema import SchemaSet
from gateway.wire.translate import Translator


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(no_args_is_help=True, help="Partner folders: list them, check them, draft their formats.")
    app.add_typer(group, name="partner")
    partner_draft.register(group)

    @group.command("list", epilog="Example:  gateway partner list --json")
    def list_partners(partners: PartnersOption = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
        """List partners with their authorities and dialects."""
        settings = load_settings(config, overrides={"partners": partners})
        known = load(settings.partners).partners.values()
        if as_json:
            print_json({"partners": [_as_dict(partner) for partner in known]})
            return
        table = Table("Partner", "State", "Name", "Authority", "Dialect", "Edge")
        for partner in known:
            for authority in partner.authorities:
                table.add_row(partner.code, partner.state, partner.name, authority.code, authority.dialect, authority.edge)
        console().print(table)

    @group.command("check", epilog="Example:  gateway partner check partners/ba ../elsewhere/xa")
    def check(
        paths: Annotated[
            list[Path] | None, typer.Argument(metavar="[PATH]...", help="Partner folders; default: all known.")
        ] = None,
        partners: PartnersOption = None,
        config: ConfigOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Load partner folders, compile their mappings, and run every example both ways.

        A PATH may lie outside the repository. Exit code 1 if there is any problem.
        """
        settings = load_settings(config, overrides={"partners": partners})
        schemas = SchemaSet.load(settings.schemas / "readmission" / "1.0")
        folders = paths or sorted(path.parent for path in settings.partners.glob("*/partner.toml"))
        results = [check_folder(folder.resolve(), schemas) for folder in folders]
        if as_json:
            print_json({"partners": results})
        else:
            for result in results:
                screen = console()
                verdict = "[green]ok[/]" if result["ok"] else "[bold red]not ok[/]"
                screen.print(f"{result['code']}: {verdict}, {result['examples']} examples both ways")
                for problem in result["problems"]:
                    screen.print(f"  {escape(problem)}")
        if not all(result["ok"] for result in results):
            raise typer.Exit(1)


def check_folder(folder: Path, schemas: SchemaSet) -> dict[str, Any]:
    """Return `{"code", "ok", "problems", "examples"}` for one partner folder."""
    if not (folder / "partner.toml").is_file():
        raise NotAFile(f"{folder.name!r} is no partner folder: it holds no partner.toml")
    problems: list[str] = []
    examples = 0
    try:
        for dialect in load_partner(folder).dialects.values():
            count, found = check_examples(dialect, Translator.compile(dialect, schemas), schemas, datetime.now(UTC))
            examples += count
            problems += found
    except GatewayError as error:
        problems.append(f"{error.code}: {error.message}")
    return {"code": folder.name, "ok": not problems, "problems": problems, "examples": examples}


def _as_dict(partner: Partner) -> dict[str, Any]:
    return {
        "code": partner.code,
        "state": partner.state,
        "name": partner.name,
        "own_name": partner.own_name,
        "languages": list(partner.languages),
        "zone": partner.zone,
        "authorities": [
            {"code": authority.code, "name": authority.name, "dialect": authority.dialect, "edge": authority.edge}
            for authority in partner.authorities
        ],
        "dialects": [
            {"id": dialect.id, "format": dialect.format, "version": dialect.version} for dialect in partner.dialects.values()
        ],
    }
