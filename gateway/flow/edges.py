"""Serves the edges of the home authorities: hands over what waits in their inboxes, submits what they handed in."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

from gateway.edge.port import Collected, CollectedFile, Edge, Item
from gateway.edge.pull import WAITING
from gateway.edge_settings import EdgeSettings
from gateway.errors import EdgeFailed, EdgeUnavailable, GatewayError, Misconfigured, NotFound, Refused, TurnLost, Unavailable
from gateway.flow.attachments import HandIn, file_key, file_name, stored_bytes
from gateway.flow.connections import connect
from gateway.flow.mailbox import acknowledge, document_of
from gateway.flow.ports import Runtime
from gateway.flow.several import describe_all, submit_known
from gateway.flow.submissions import describe
from gateway.flow.turns import Turn, pause_after
from gateway.log import logger
from gateway.stages import Submitted
from gateway.store import attachments, cases, edge_troubles, journal
from gateway.store.database import reading, transaction
from gateway.store.inbox import InboxRow

log = logger("edges")

ROUND_SECONDS = 1.0  # between two looks
_MOST_FAILED = 3  # messages in a row that a system fails over; then it is the system that is in trouble
# A message that its system fails over is tried at growing intervals for as long as it waits.
_OF_A_MESSAGE = EdgeSettings(retry_first_seconds=30, retry_most_seconds=3600)


def edge_of(authority: str, rt: Runtime) -> Edge:
    """Return how a home authority is connected. Raises `SettingsInvalid`, `EdgeUnavailable`."""
    return connect(authority, rt.partners.authority(authority).edge, rt.settings, rt.clock)


def serve_edge(authority: str, edge: Edge, rt: Runtime, keep: Callable[[], bool] = lambda: True) -> int:
    """Do one round for one authority; return how many documents moved.

    A document is known again by its content: if the last round broke off before it was answered, it is answered now.
    `keep` renews the turn of this process; the round ends when it is lost. Raises `Unavailable` when the authority's system, or
    something of ours, cannot be reached, and `Misconfigured`.
    """
    moved = _hand_over_waiting(authority, edge, rt, keep)
    for file in edge.collect_files():
        if not keep():
            return moved
        edge.answer_file(file, _hand_in(file, authority, rt))
        moved += 1
    for collected in edge.collect():
        if not keep():
            return moved
        edge.answer(collected, _submit(collected, authority, rt))
        moved += 1
    return moved


def _hand_over_waiting(authority: str, edge: Edge, rt: Runtime, keep: Callable[[], bool]) -> int:
    """Hand over what is due, in its order; a message in trouble holds up the rest of its case, and no other."""
    with reading(rt.engine) as tx:
        waiting = edge_troubles.due(tx, authority, rt.clock())
        failures = edge_troubles.attempts(tx, waiting)
    moved, in_a_row = 0, 0
    held_up: set[int] = set()
    for row in waiting:
        if row.case_id in held_up:
            continue
        if not keep():
            break
        try:
            if not _hand_over(row, edge, rt, keep):
                continue
        except EdgeFailed as error:
            _set_back(row, failures.get(row.id, 0), error, rt)
            held_up.add(row.case_id)
            in_a_row += 1
            if in_a_row == _MOST_FAILED:
                raise
        except Refused as error:  # by the system, or its case was erased meanwhile
            _note_refused(row, error, again=row.id in failures, rt=rt)
        else:
            with suppress(NotFound):  # its case was erased after it was given
                acknowledge(authority, row.id, actor=f"edge:{authority}", rt=rt)
            if row.id in failures:
                with transaction(rt.engine) as tx:
                    edge_troubles.forget(tx, row.id)
            moved, in_a_row = moved + 1, 0
    return moved


def _hand_over(row: InboxRow, edge: Edge, rt: Runtime, keep: Callable[[], bool]) -> bool:
    """Give out the attachments of a message, then the message. Raises `TurnLost` where that took too long."""
    _hand_over_files(row, edge, rt, keep)
    _require_turn(keep)
    media_type, body = document_of(row, rt)
    item = Item(sender=row.sender, message_id=row.message_id, type=row.type, media_type=media_type, body=body)
    return edge.hand_over(item)


def _hand_over_files(row: InboxRow, edge: Edge, rt: Runtime, keep: Callable[[], bool]) -> None:
    """Give out the attachments of a message; an edge whose authority fetches by itself leaves them where they are."""
    with reading(rt.engine) as tx:
        files = attachments.of_message(tx, row.message_row)
        case = cases.get(tx, row.case_id) if files else None
    for file in files:
        assert case is not None
        parts = stored_bytes(file, file_key(file, case.wrapped_key, rt), rt)
        edge.hand_over_file(file_name(file), _while_ours(parts, keep))


def _while_ours(parts: Iterator[bytes], keep: Callable[[], bool]) -> Iterator[bytes]:
    """Yield parts of a file; the turn is renewed meanwhile, since a large one may take longer than a turn."""
    for part in parts:
        _require_turn(keep)
        yield part


def _require_turn(keep: Callable[[], bool]) -> None:
    if not keep():
        raise TurnLost("another process serves this authority now")


def _set_back(row: InboxRow, failures: int, error: GatewayError, rt: Runtime) -> None:
    """Note that a system failed over a message, and when it is tried again."""
    now = rt.clock()
    until = now + timedelta(seconds=pause_after(failures, _OF_A_MESSAGE, 1.0))
    with transaction(rt.engine) as tx:
        edge_troubles.note(tx, row.id, code=error.code, now=now, next_at=until)
    log.warning("edge.failed", authority=row.authority, code=error.code, attempts=failures + 1)


def _note_refused(row: InboxRow, error: Refused, *, again: bool, rt: Runtime) -> None:
    """Note that a message will not be taken; the journal tells it too."""
    now = rt.clock()
    entry = journal.Entry(
        at=now,
        event="message.not_taken",
        actor=f"edge:{row.authority}",
        authority=row.authority,
        case_id=row.case_id,
        message_id=row.message_id,
        detail={"code": error.code, "inbox": row.id, "again": again},
    )
    with transaction(rt.engine) as tx:
        edge_troubles.note(tx, row.id, code=error.code, now=now, next_at=None)
        journal.append(tx, [entry])
    log.warning("edge.refused", authority=row.authority, code=error.code)


def _submit(collected: Collected, authority: str, rt: Runtime) -> dict[str, Any]:
    """Hand in a document that an edge collected; return the answer. Raises `Unavailable`, `Misconfigured`."""
    if collected.refusal is not None:
        return dict(describe(collected.refusal))
    item = Submitted(
        body=collected.body,
        authority=authority,
        dialect=rt.partners.authority(authority).dialect,
        submitted_at=rt.clock(),
        actor=f"edge:{authority}",
    )
    return dict(describe_all(submit_known(item, rt)))  # what is not the document's fault is raised: it stays where it is


def _hand_in(collected: CollectedFile, authority: str, rt: Runtime) -> dict[str, Any]:
    """Hand in an attachment that an edge collected; return the answer. Raises `Unavailable`, `Misconfigured`."""
    if collected.refusal is not None:
        return dict(describe(collected.refusal))
    try:
        with HandIn(rt, authority=authority, actor=f"edge:{authority}", media_type=None) as file:
            for piece in collected.parts:
                file.add(piece)
            done = file.finish()
    except Refused as error:
        return {"outcome": "refused", **error.as_dict()}
    return {"outcome": "sent", "sha256": done.sha256, "size": done.size, "media_type": done.media_type}


async def serve_edges(rt: Runtime, stop: asyncio.Event) -> None:
    """Serve the edges of all home authorities that do not come by themselves, once a second, until `stop` is set.

    Each has a thread and a turn of its own: one authority's trouble does not delay the others. What is out of reach is tried
    again after a pause, and an authority that this installation is not set up for is left alone and reported. A partner folder
    that connects its authority otherwise is followed within a second.
    """
    async with asyncio.TaskGroup() as group:
        for code in rt.settings.home:
            group.create_task(_serve(code, rt, stop), name=f"edge {code}")


async def _serve(authority: str, rt: Runtime, stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    visits = Visits(authority, rt, by=f"{socket.gethostname()[:20]}:{os.getpid()}:{uuid4().hex[:8]}")
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"edge-{authority}") as thread:
        try:
            while not stop.is_set():
                if visits.wanted():
                    await loop.run_in_executor(thread, visits.once)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), ROUND_SECONDS)
        finally:
            await loop.run_in_executor(thread, visits.end)


class Visits:
    """One process's rounds at one authority; all in one thread, but for `wanted`."""

    def __init__(self, authority: str, rt: Runtime, *, by: str) -> None:
        """`by` names this process and no other."""
        self._authority, self._rt = authority, rt
        self._turn = Turn(authority, rt, by=by)
        self._edge: Edge | None = None
        self._kind: str | None = None  # how the authority was connected at the last look
        self._stopped = False

    def wanted(self) -> bool:
        """Whether there is something to do or to end."""
        kind = self._rt.partners.authority(self._authority).edge
        return kind != self._kind or not (kind in WAITING or self._stopped)

    def once(self) -> None:
        """Do one round if it is this process's turn. Failures are noted and logged, none is raised."""
        kind = self._rt.partners.authority(self._authority).edge
        if kind != self._kind:
            self.end()
            self._kind, self._stopped = kind, False
        if kind in WAITING or self._stopped:
            return
        try:
            if self._turn.keep() and self._turn.due():
                self._round()
        except Unavailable as error:
            log.warning("edge.waiting", authority=self._authority, code=error.code)
        except Misconfigured as error:
            self._stopped = True
            log.error("edge.stopped", authority=self._authority, code=error.code)  # noqa: TRY400  # no traceback: no person in a log
        except Exception as error:  # noqa: BLE001  # a defect of ours: it must not end the other edges, nor this one for good
            # No traceback: its text may hold what a person's document says.
            log.error("edge.defect", authority=self._authority, code=GatewayError.code, error_type=type(error).__name__)  # noqa: TRY400
            with suppress(Unavailable):
                self._turn.failed(GatewayError("a defect of the gateway"))  # so that it is not met every second

    def _round(self) -> None:
        try:
            self._edge = self._edge or edge_of(self._authority, self._rt)
            serve_edge(self._authority, self._edge, self._rt, self._turn.keep)
        except (EdgeUnavailable, EdgeFailed, Misconfigured) as error:
            self._turn.failed(error)
            raise
        if self._turn.went_well():
            log.info("edge.reached", authority=self._authority)

    def end(self) -> None:
        """Let go of the edge and of the turn."""
        edge, self._edge = self._edge, None
        try:
            if edge is not None:
                edge.close()
            self._turn.give_back()
        except Unavailable as error:  # the turn ends by time
            log.warning("edge.waiting", authority=self._authority, code=error.code)
