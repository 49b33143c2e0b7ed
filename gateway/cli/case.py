"""`gateway case list|show` and `gateway journal verify`: what happened, from the store of this gateway."""

from typing import Annotated, Any

import typer
from rich.table import Table

from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.output import console, print_json
from gateway.domain.case import Case
from gateway.errors import NotFound
from gateway.settings import load
from gateway.store import cases, deadlines, journal, messages
from gateway.store.database import open_engine, reading, require_current


def _summary(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "reference": case.reference,
        "home": case.home,
        "counterparty": case.counterparty,
        "role": str(case.role),
        "state": str(case.state),
        "treaty": case.treaty,
        "procedure": str(case.procedure),
        "category": str(case.category),
        "opened_at": case.opened_at,
        "changed_at": case.changed_at,
    }


def list_cases(json: JsonOption = False, config: ConfigOption = None) -> None:
    """List the cases of this gateway's home authorities, newest first.

    Example: `gateway case list --json`
    """
    settings = load(config)
    engine = open_engine(settings.database)
    require_current(engine)
    with reading(engine) as tx:
        found = [_summary(case) for case in cases.all_of(tx)]
    if json:
        print_json({"cases": found})
        return
    table = Table(
        "id", "reference", "home", "counterparty", "role", "state", "treaty", "procedure", title=f"{len(found)} cases"
    )
    for case in found:
        table.add_row(
            *(str(case[name]) for name in ["id", "reference", "home", "counterparty", "role", "state", "treaty", "procedure"])
        )
    console().print(table)


def show_case(
    case: Annotated[str, typer.Argument(metavar="ID", help="Row number or case reference.")],
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show one case: its messages with their receipts, its deadlines with their explanation, what the journal says.

    Personal data is not printed. Example: `gateway case show 1`
    """
    settings = load(config)
    engine = open_engine(settings.database)
    require_current(engine)
    with reading(engine) as tx:
        found = [cases.get(tx, int(case))] if case.isascii() and case.isdigit() else cases.by_reference(tx, case)
        if not found:
            raise NotFound("there is no such case")
        documents = [_whole(tx, one) for one in found]
    if json:
        print_json(documents[0] if len(documents) == 1 else {"cases": documents})
        return
    for document in documents:
        _print_case(document)


def _whole(tx: Any, case: Case) -> dict[str, Any]:
    assert case.id is not None
    return _summary(case) | {
        "messages": [
            {
                "direction": row.direction,
                "type": row.type,
                "message_id": row.message_id,
                "sender": row.sender,
                "recipient": row.recipient,
                "sha256": row.digest,
                "outcome": row.outcome,
                "received_at": row.received_at,
                "receipt": row.receipt_message_id,
            }
            for row in messages.of_case(tx, case.id)
        ],
        "deadlines": [row.detail | {"state": row.state} for row in deadlines.of_cases(tx, [case.id])],
        "journal": [
            {"at": entry.at, "event": entry.event, "actor": entry.actor, **entry.detail}
            for entry in journal.of_case(tx, case.id)
        ],
    }


def _print_case(document: dict[str, Any]) -> None:
    out = console()
    out.print(f"[bold]{document['reference']}[/]  {document['home']} ({document['role']}) with {document['counterparty']}")
    out.print(f"  {document['state']}, {document['treaty']}, {document['procedure']}, {document['category']}")
    for message in document["messages"]:
        out.print(
            f"  {message['direction']:>3} {message['type']} {message['message_id']} {message['outcome']}, "
            f"receipt {message['receipt']}"
        )
    for deadline in document["deadlines"]:
        out.print(f"  deadline {deadline['limit']}: {deadline['state']}")
        for sentence in deadline["explain"]:
            out.print(f"    {sentence}")


def verify_journal(json: JsonOption = False, config: ConfigOption = None) -> None:
    """Walk the whole journal and name every place where its chain is broken.

    Exit 0 when it is whole, 1 when it is not. Example: `gateway journal verify`
    """
    settings = load(config)
    engine = open_engine(settings.database)
    require_current(engine)
    with reading(engine) as tx:
        count, findings = journal.verify(tx)
    if json:
        print_json(
            {
                "verdict": "broken" if findings else "whole",
                "entries": count,
                "findings": [{"entry": found.id, "what": found.what} for found in findings],
            }
        )
    else:
        console().print(f"{count} entries, " + ("the chain is whole" if not findings else f"{len(findings)} findings"))
        for found in findings:
            console().print(f"  {found.what}")
    if findings:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(no_args_is_help=True, help="Cases of this gateway.")
    group.command("list")(list_cases)
    group.command("show")(show_case)
    app.add_typer(group, name="case")
    chain = typer.Typer(no_args_is_help=True, help="The append-only record.")
    chain.command("verify")(verify_journal)
    app.add_typer(chain, name="journal")
