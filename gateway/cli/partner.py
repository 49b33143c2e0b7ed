"""`gateway partner list` and `check`: what partners there are, and whether their folders hold together."""

from typing import Any

import typer
from rich.table import Table

from gateway.cli import (
    partner_apply,
    partner_check,
    partner_decisions,
    partner_draft,
    partner_kit,
    partner_new,
    partner_pass,
    partner_standing,
)
from gateway.cli.options import ConfigOption, JsonOption, PartnersOption
from gateway.cli.output import console, print_json
from gateway.domain.partner_decisions import Decided
from gateway.partners import Partner, load
from gateway.settings import load as load_settings


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(no_args_is_help=True, help="Partners: their folders, what was decided about them, conformance.")
    app.add_typer(group, name="partner")
    for each in (
        partner_apply,
        partner_check,
        partner_decisions,
        partner_draft,
        partner_kit,
        partner_new,
        partner_pass,
        partner_standing,
    ):
        each.register(group)

    @group.command("list", epilog="Example:  gateway partner list --json")
    def list_partners(partners: PartnersOption = None, config: ConfigOption = None, as_json: JsonOption = False) -> None:
        """List partners with their authorities and dialects."""
        settings = load_settings(config, overrides={"partners": partners})
        known = load(settings.partners).partners.values()
        decided = partner_standing.decided_of(settings)
        if as_json:
            told = [_as_dict(partner) | _standing(partner, decided) for partner in known]
            print_json({"environment": settings.environment, "partners": told})
            return
        table = Table("Partner", "State", "Name", "Authority", "Dialect", "Edge", "Stage")
        for partner in known:
            found = _standing(partner, decided)
            stage = "SUSPENDED" if found["suspended"] else found["stage"] or "not known"
            for each in partner.authorities:
                table.add_row(partner.code, partner.state, partner.name, each.code, each.dialect, each.edge, stage)
        console().print(table)


def _standing(partner: Partner, decided: Decided | None) -> dict[str, Any]:
    return partner_standing.standing_of(partner.code, [each.code for each in partner.authorities], decided)


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
