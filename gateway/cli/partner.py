"""`gateway partner`: what partners there are, and whether their folders hold together."""

from typing import Any

import typer
from rich.table import Table

from gateway.cli import partner_apply, partner_check
from gateway.cli.options import ConfigOption, JsonOption, PartnersOption
from gateway.cli.output import console, print_json
from gateway.partners import Partner, load
from gateway.settings import load as load_settings


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(no_args_is_help=True, help="Partner folders: list them, check them.")
    app.add_typer(group, name="partner")
    partner_apply.register(group)
    partner_check.register(group)

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
