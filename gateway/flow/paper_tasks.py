"""Messages for authorities on paper: each is a task for an officer of the gateway, who prints and sends it.

It stays a task until the officer records that it was delivered; no machine acknowledges it (`mailbox.acknowledge` refuses).
"""

from collections.abc import Collection

from gateway.errors import NotPermitted
from gateway.flow.ports import Runtime
from gateway.store import inbox
from gateway.store.database import Tx, reading
from gateway.store.inbox import InboxRow


def to_send(rt: Runtime, *, homes: Collection[str], most: int = 100) -> list[InboxRow]:
    """Return what is to be printed and sent for those of `homes` that are connected by paper, oldest first."""
    on_paper = [code for code in homes if rt.is_home(code) and rt.partners.authority(code).edge == "paper"]
    with reading(rt.engine) as tx:
        rows = [row for code in on_paper for row in inbox.waiting(tx, code, most=most)]
    return sorted(rows, key=lambda row: row.id)[:most]


def end_task(tx: Tx, authority: str, case_id: int, message_row: int, *, by: str, rt: Runtime) -> bool:
    """Note that a message has reached an authority on paper; return whether it was still a task.

    Runs in the transaction of whoever records the delivery, and keeps the proof and the journal's entry of it.
    Raises `NotPermitted` for an authority that is not on paper.
    """
    if rt.partners.authority(authority).edge != "paper":
        raise NotPermitted("only a message for an authority on paper is delivered by hand")
    rows = inbox.waiting_of(tx, authority, case_id, message_row=message_row)
    settled = [inbox.settle(tx, authority, row.id, by=by, at=rt.clock()) for row in rows]
    return any(settled)
