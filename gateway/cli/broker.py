"""`gateway broker`: what RabbitMQ is told about partners before they connect."""

import json as text
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import ConfigOption, JsonOption, PartnersOption
from gateway.cli.output import console, print_json
from gateway.partners import load as load_partners
from gateway.settings import load
from gateway.transport.definitions import definitions
from gateway.trust.folder import write_file


def write_definitions(
    codes: Annotated[
        list[str] | None, typer.Argument(metavar="[CODE]...", help="Partners that share the broker, e.g. ba rs; default: all.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="The file to write; default: standard output.")
    ] = None,
    partners: PartnersOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Write RabbitMQ's definitions for partners that share a broker: virtual hosts, users, permissions, policies, exchanges.

    Each partner has a virtual host and a user, both named by its code. Nobody can read another's queue, declare anything in
    another's virtual host, or publish under another's user. No password is in it: a user comes in by its client certificate,
    or an operator gives it a password at the broker. The same folders give the same bytes.

    Example: `gateway broker definitions ba rs --out definitions.json && rabbitmqctl import_definitions definitions.json`
    """
    known = load_partners(load(config, overrides={"partners": partners}).partners)
    chosen = [known.partner(code) for code in codes] if codes else list(known.partners.values())
    found = definitions(
        {
            partner.code: [code for code, authority in known.authorities.items() if authority.partner == partner.code]
            for partner in chosen
        }
    )
    body = text.dumps(found, indent=1) + "\n"
    if out is None:  # JSON already
        typer.echo(body, nl=False)
        return
    write_file(out, body.encode())
    told = {"file": str(out), "vhosts": len(found["vhosts"]), "permissions": len(found["permissions"])}
    if json:
        print_json(told)
    else:
        console().print("{file}: {vhosts} virtual hosts, {permissions} permissions".format_map(told))


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(no_args_is_help=True, help="RabbitMQ, where several partners share it.")
    group.command("definitions")(write_definitions)
    app.add_typer(group, name="broker")
