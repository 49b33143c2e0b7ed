"""Messages for authorities on paper: each is a task for an officer of the gateway, who prints and sends it.

It stays a task until the officer records that it was delivered; no machine acknowledges it (`mailbox.acknowledge` refuses).
"""

from collections.abc import Collection

from gateway.errors import NotPermitted, TransitionNotAllowed
from gateway.flow.ports import Runtime
from gateway.store import inbox, journal
from gateway.store.database import Tx, reading
from gateway.store.inbox import InboxRow


def to_send(rt: Runtime, *, homes: Collection[str], most: int = 100) -> list[InboxRow]:
    """Return what is to be printed and sent for those of `homes` that are connected by paper, oldest first."""
    on_paper = [code for code in homes if rt.is_home(code) and rt.partners.authority(code).edge == "paper"]
    with reading(rt.engine) as tx:
        rows = [row for code in on_paper for row in inbox.waiting(tx, code, most=most)]
    return sorted(rows, key=lambda row: row.id)[:most]


def record_delivery(tx: Tx, authority: str, inbox_id: int, *, kind: str, actor: str, rt: Runtime) -> InboxRow:
    """Note that a message was delivered on paper; `kind` is a word for the proof there is, never its text.

    Runs in the caller's transaction, which keeps the proof. Raises `NotFound`, `NotPermitted` for an authority that is not on
    paper, and `TransitionNotAllowed` when its delivery was recorded before.
    """
    if rt.partners.authority(authority).edge != "paper":
        raise NotPermitted("only a message for an authority on paper is delivered by hand")
    row = inbox.get(tx, authority, inbox_id)
    if not inbox.settle(tx, authority, inbox_id, by=actor, at=rt.clock()):
        raise TransitionNotAllowed("the delivery of this message was recorded before")
    entry = journal.Entry(
        at=rt.clock(),
        event="message.delivered",
        actor=actor,
        authority=authority,
        case_id=row.case_id,
        message_id=row.message_id,
        detail={"inbox": inbox_id, "proof": kind},
    )
    journal.append(tx, [entry])
    return row
