"""Serves the edges of the home authorities: hands over what waits in their inboxes, submits what they handed in."""

import asyncio
from pathlib import Path
from typing import Any

from gateway.edge.files import FilesEdge
from gateway.edge.port import CollectedFile, Edge, Item
from gateway.edge.pull import PullEdge
from gateway.errors import Misconfigured, Refused, SettingsInvalid, Unavailable
from gateway.flow.attachments import HandIn, file_key, file_name, stored_bytes
from gateway.flow.mailbox import acknowledge, document_of
from gateway.flow.ports import Runtime
from gateway.flow.several import describe_all, submit_known
from gateway.log import logger
from gateway.stages import Submitted
from gateway.store import attachments, cases, inbox
from gateway.store.database import reading
from gateway.store.inbox import InboxRow

log = logger("edges")


def edge_of(authority: str, rt: Runtime) -> Edge:
    """Return how a home authority is connected, as its partner file says. Raises `SettingsInvalid`."""
    kind = rt.partners.authority(authority).edge
    if kind == "pull":
        return PullEdge()
    if kind == "files":
        if rt.settings.drop_folder is None:
            raise SettingsInvalid(f"{authority} is connected by files, but the setting drop_folder is missing")
        return FilesEdge(Path(rt.settings.drop_folder) / authority)
    raise Misconfigured(f"{authority} is connected by {kind!r}, which this version does not know")


def serve_edge(authority: str, edge: Edge, rt: Runtime) -> int:
    """Do one round for one authority; return how many documents moved.

    A document is known again by its content: if the last round broke off before it was answered, it is answered now.
    """
    moved = 0
    with reading(rt.engine) as tx:
        waiting = inbox.waiting(tx, authority)
    for row in waiting:
        _hand_over_files(row, edge, rt)
        media_type, body = document_of(row, rt)
        if edge.hand_over(Item(message_id=row.message_id, type=row.type, media_type=media_type, body=body)):
            acknowledge(authority, row.id, actor=f"edge:{authority}", rt=rt)
            moved += 1
    for file in edge.collect_files():
        edge.answer_file(file, _hand_in(file, authority, rt))
        moved += 1
    for collected in edge.collect():
        item = Submitted(
            body=collected.body,
            authority=authority,
            dialect=rt.partners.authority(authority).dialect,
            submitted_at=rt.clock(),
            actor=f"edge:{authority}",
        )
        edge.answer(collected, describe_all(submit_known(item, rt)))  # what is not its fault is raised: it stays where it is
        moved += 1
    return moved


def _hand_over_files(row: InboxRow, edge: Edge, rt: Runtime) -> None:
    """Give out the attachments of a message before it; an edge whose authority fetches by itself leaves them where they are."""
    with reading(rt.engine) as tx:
        files = attachments.of_message(tx, row.message_row)
        case = cases.get(tx, row.case_id) if files else None
    for file in files:
        assert case is not None
        edge.hand_over_file(file_name(file), stored_bytes(file, file_key(file, case.wrapped_key, rt), rt))


def _hand_in(collected: CollectedFile, authority: str, rt: Runtime) -> dict[str, Any]:
    """Hand in an attachment that an edge collected; return the answer. Raises `Unavailable`, `Misconfigured`."""
    try:
        with HandIn(rt, authority=authority, actor=f"edge:{authority}", media_type=None) as file:
            for piece in collected.parts:
                file.add(piece)
            done = file.finish()
    except Refused as error:
        return {"outcome": "refused", **error.as_dict()}
    return {"outcome": "sent", "sha256": done.sha256, "size": done.size, "media_type": done.media_type}


async def serve_edges(rt: Runtime, stop: asyncio.Event) -> None:
    """Serve the edges of all home authorities that are not fetched by call, once a second.

    One authority's trouble does not stop the others: what is out of reach is tried again in the next round, and an
    authority that this installation is not set up for is left alone and reported.
    """
    edges = {code: edge_of(code, rt) for code in rt.settings.home if rt.partners.authority(code).edge != "pull"}
    while edges and not stop.is_set():
        for code, edge in list(edges.items()):
            try:
                await asyncio.to_thread(serve_edge, code, edge, rt)
            except Unavailable as error:
                log.warning("edge.waiting", authority=code, code=error.code)
            except Refused as error:  # the case behind a waiting message was erased: the others go on
                log.warning("edge.waiting", authority=code, code=error.code)
            except Misconfigured as error:
                log.error("edge.stopped", authority=code, code=error.code)  # noqa: TRY400  # no traceback: no person in a log
                del edges[code]
        try:
            await asyncio.wait_for(stop.wait(), 1.0)
        except TimeoutError:
            continue
