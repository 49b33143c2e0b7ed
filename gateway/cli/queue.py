"""`gateway queue`: what waits, for whom and since when; trying an authority's system again.

What is parked has commands of its own: gateway/cli/parked.py.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.table import Table

from gateway.cli import parked as parked_commands
from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.output import console, print_json
from gateway.cli.who import account
from gateway.errors import NotHome
from gateway.flow.line_standings import standings
from gateway.partners import Partners
from gateway.partners import load as load_partners
from gateway.settings import load
from gateway.store import early, edge_troubles, edge_turns, journal, parked
from gateway.store.database import open_engine, reading, require_current, transaction
from gateway.transport.port import QueueState
from gateway.wiring import transport, utc_now


def list_queues(json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show the outbox by partner, with how its line stands, and the transport's queues.

    Example: `gateway queue list --json`
    """
    settings = load(config)
    engine = open_engine(settings.database)
    require_current(engine)
    partners = load_partners(settings.partners)
    with reading(engine) as tx:
        leaving, files = standings(tx, partners, utc_now()), early.count_of_files(tx)
        edges = edge_troubles.standings(tx, settings.home)
        gaps = early.count(tx) - files
        aside = Counter(parcel.home for parcel in parked.every(tx, settings.home))

    async def states() -> list[QueueState]:
        carrier = transport(settings, engine, utc_now)
        await carrier.open(settings.home)
        try:
            return list(await carrier.states())
        finally:
            await carrier.close()

    document: dict[str, Any] = {
        "outbox": [
            {
                "sender": state.sender,
                "recipient": state.recipient,
                "waiting": state.waiting,
                "parked": state.parked,
                "oldest": state.oldest,
                "codes": state.codes,
                "for_paper": state.for_paper,
                "nearest_deadline": state.nearest_deadline,
                **asdict(line),
            }
            for state, line in leaving
        ],
        "queues": [
            {
                "name": state.name,
                "waiting": state.waiting,
                "parked": state.parked + aside[state.name],
                "oldest": state.oldest,
                "consumers": state.consumers,
            }
            for state in asyncio.run(states())
        ],
        "edges": _edges(edges, partners),
        "waiting_for_earlier": gaps,
        "waiting_for_attachments": files,
    }
    if json:
        print_json(document)
        return
    names = ("sender", "recipient", "waiting", "parked", "oldest", "nearest_deadline", "line", "next_at")
    table = Table("from", "to", "waiting", "parked", "oldest", "next deadline", "line", "again at", "codes", title="Leaving")
    for row in document["outbox"]:
        table.add_row(*(str(row[name] or "") for name in names), ", ".join(row["codes"]))
    console().print(table)
    table = Table("queue", "waiting", "parked", "oldest", title="Arriving")
    for row in document["queues"]:
        table.add_row(*(str(row[name] if row[name] is not None else "") for name in ("name", "waiting", "parked", "oldest")))
    console().print(table)
    table = Table(
        "authority", "edge", "waiting", "not taken", "oldest", "trouble", "since", "again at", title="For home authorities"
    )
    for row in document["edges"]:
        names = ("authority", "edge", "waiting", "refused", "oldest", "code", "since", "next_at")
        table.add_row(*(str(row[name] if row[name] is not None else "") for name in names))
    console().print(table)
    if gaps:
        console().print(f"{gaps} messages are kept until an earlier one of their case comes; it was asked for")
    if files:
        console().print(
            f"{files} messages are kept until their attachments are there; what stays away for an hour is asked for"
        )


def _edges(found: Sequence[edge_troubles.Standing], partners: Partners) -> list[dict[str, Any]]:
    """Return what waits for each home authority, and the trouble with its system."""
    return [
        {
            "authority": each.authority,
            "edge": partners.authority(each.authority).edge,
            "waiting": each.waiting,
            "refused": each.refused,
            "oldest": each.oldest,
            "code": each.code,
            "since": each.since,
            "next_at": each.next_at,
        }
        for each in found
    ]


def again(
    authority: Annotated[str, typer.Argument(help="A home authority, e.g. RS-MUP.")],
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Hand over again, from now on, what a home authority's system refused or failed over; pauses end.

    Example: `gateway queue again RS-MUP`
    """
    settings = load(config)
    if authority not in settings.home:
        raise NotHome(f"this gateway is not home to {authority}")
    engine = open_engine(settings.database)
    require_current(engine)
    with transaction(engine) as tx:
        messages = edge_troubles.forget_all(tx, authority)
        edge_turns.clear(tx, authority)
        detail = {"count": messages}
        entry = journal.Entry(at=utc_now(), event="queue.tried_again", actor=account(), authority=authority, detail=detail)
        journal.append(tx, [entry])
    if json:
        print_json({"authority": authority, "messages": messages})
        return
    console().print(f"{messages} messages for {authority} are tried again" if messages else f"{authority} is tried again")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(no_args_is_help=True, help="State of delivery.")
    group.command("list")(list_queues)
    group.command("again")(again)
    parked_commands.register(group)
    app.add_typer(group, name="queue")
