"""The loops that run the walks: consume, deliver, watch. Each may run in any number of processes.

Watch is four loops: deadlines, certificates, evidence of time, what cases are found by.
Work that computes or touches the database runs in a thread of its own per loop, so that the event loop keeps
answering the broker's heartbeats. A loop ends when `stop` is set, after the batch in hand.
"""

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from gateway.errors import GatewayError, TakenLater, Unavailable
from gateway.flow.certificates import look_after_certificates
from gateway.flow.deliver import claim, deliver_once, settle, still_open
from gateway.flow.evidence import gather
from gateway.flow.floods import Floodgate
from gateway.flow.inbound import receive, take_up_resumed
from gateway.flow.lines import give_back, held_back
from gateway.flow.parts import Group, next_group, settle_group
from gateway.flow.ports import Runtime
from gateway.flow.recount import recount_outdated
from gateway.flow.resemblances import make_searchable
from gateway.flow.rounds import Rounds
from gateway.flow.setting_aside import cause_of, set_aside, take_over_parked
from gateway.flow.timekeeping import ClockGuard, alarm, behind_the_record
from gateway.flow.watch import watch_once
from gateway.log import logger
from gateway.stages import Received
from gateway.store.glance import Glance
from gateway.store.outbox import OutboxRow
from gateway.store.wake import Ear
from gateway.transport.port import Delivery

log = logger("loops")
T = TypeVar("T")

POLL_SECONDS = 0.5  # what other processes write where no bell rings is noticed this late
LONGEST_SECONDS = 2.0  # the outbox is looked at this often whatever is known: what waits for its time again, a bell not heard
SWITCH_SECONDS = 0.001  # how long a thread keeps the interpreter while others wait; Python's own is 5 ms
SLOW_SECONDS = 1.0  # a round of deliveries that takes longer goes on by itself, beside the next
OUTSIDE_PAUSE_SECONDS = 2.0  # pause after the database or the broker did not answer


class _Thread:
    """One worker thread: the loop's database work stays in order."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, work: Callable[..., T], *args: Any, **named: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: work(*args, **named))

    def close(self) -> None:
        self._pool.shutdown(wait=True)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


async def consume(rt: Runtime, stop: asyncio.Event) -> None:
    """Take what the transport brings; acknowledge after the commit."""
    thread = _Thread("consume")
    gate = Floodgate()
    try:
        while not stop.is_set():
            try:
                deliveries = await rt.transport.take(rt.settings.batch, POLL_SECONDS)
                if deliveries:
                    taken, later = gate.divide(deliveries, rt.partners, rt.clock())
                    if taken:
                        await _take_in(taken, rt, thread)
                    if later:
                        await _take_later(later, rt)
                else:
                    await thread.run(take_up_resumed, rt)
            except Unavailable as error:
                log.warning("consume.waiting", code=error.code)
                await _pause(stop, OUTSIDE_PAUSE_SECONDS)
    finally:
        thread.close()


async def _take_in(deliveries: Sequence[Delivery], rt: Runtime, thread: _Thread) -> None:
    """Settle a batch; if it fails as a whole, settle each message alone, and park the one that cannot be taken.

    Messages that something outside keeps from being judged wait by themselves; the others of the batch do not.
    """
    try:
        answers = await thread.run(receive, _received(deliveries, rt), rt)
    except Unavailable as error:
        await _postpone(deliveries, error.code, rt)
        raise
    except Exception as error:  # noqa: BLE001  # a defect of ours: recorded and parked, it must not stop the others
        if len(deliveries) > 1:
            await _each_alone(deliveries, rt, thread)
        else:
            await _park(deliveries[0], error, rt, thread)
        return
    await rt.transport.settle([one for one, answer in zip(deliveries, answers, strict=True) if answer.outcome != "postponed"])
    for delivery, answer in zip(deliveries, answers, strict=True):
        if answer.outcome == "postponed":
            await rt.transport.postpone(delivery, _pause_before(delivery, rt), answer.code or Unavailable.code)


async def _take_later(deliveries: Sequence[Delivery], rt: Runtime) -> None:
    """Postpone what is over its sender's limit, all at once: it must not keep the others waiting either."""
    log.warning("messages.postponed", code=TakenLater.code, count=len(deliveries))
    await asyncio.gather(*(rt.transport.postpone(one, _pause_before(one, rt), TakenLater.code) for one in deliveries))


async def _each_alone(deliveries: Sequence[Delivery], rt: Runtime, thread: _Thread) -> None:
    for place, delivery in enumerate(deliveries, 1):
        try:
            await _take_in([delivery], rt, thread)
        except Unavailable as error:
            await _postpone(deliveries[place:], error.code, rt)
            raise


async def _postpone(deliveries: Sequence[Delivery], code: str, rt: Runtime) -> None:
    for delivery in deliveries:
        await rt.transport.postpone(delivery, rt.settings.retry_seconds[0], code)


def _pause_before(delivery: Delivery, rt: Runtime) -> int:
    """Return the seconds to wait: the second pause at most, so that what is mended is noticed within minutes."""
    return rt.settings.retry_seconds[min(delivery.attempts, 1, len(rt.settings.retry_seconds) - 1)]


async def _park(delivery: Delivery, error: Exception, rt: Runtime, thread: _Thread) -> None:
    """Set a message aside that we cannot take, and record it: an operator must act. First it is kept, then it is settled."""
    code, _ = cause_of(error)
    # No traceback: its text may hold what a person's document says.
    log.error("message.parked", code=code, error_type=type(error).__name__, queue=delivery.queue)
    try:
        await thread.run(set_aside, delivery, error, rt)
    except Unavailable:
        await _postpone([delivery], code, rt)
        raise
    except Exception as second:  # noqa: BLE001  # a defect in setting aside must not stop the others either
        name = type(second).__name__
        log.error("message.not_kept", code=code, error_type=name, queue=delivery.queue)  # noqa: TRY400  # no person in a log
        await rt.transport.park(delivery, code)
    else:
        await rt.transport.settle([delivery])


async def parking(rt: Runtime, stop: asyncio.Event) -> None:
    """Take over, every `watch_seconds`, what the transport set aside by itself."""
    thread = _Thread("parking")
    try:
        while not stop.is_set():
            try:
                await take_over_parked(rt, thread.run)
            except Unavailable as error:
                log.warning("parking.waiting", code=error.code)
            except Exception as error:  # noqa: BLE001  # a defect: it stays where the transport has it, and the others go on
                log.error("parking.failed", error_type=type(error).__name__)  # noqa: TRY400  # no person in a log
            await _pause(stop, rt.settings.watch_seconds)
    finally:
        thread.close()


def _received(deliveries: Sequence[Delivery], rt: Runtime) -> list[Received]:
    now = rt.clock()
    return [Received(body=delivery.body, received_at=now, transport=rt.transport.name) for delivery in deliveries]


async def deliver(rt: Runtime, stop: asyncio.Event) -> None:
    """Send what waits in the outbox, at once when the bell rings. What a recipient does not confirm keeps no other waiting."""
    thread = _Thread("deliver")
    name = f"{socket.gethostname()[:20]}:{os.getpid()}"
    loop = asyncio.get_running_loop()
    rounds = Rounds(SLOW_SECONDS)
    ear, glance = Ear(rt.engine, rt.bell.ring), Glance(rt.engine)
    try:
        rt.bell.listen(name)
        glanced = looked = -LONGEST_SECONDS
        more = busy = False  # whether the last look found something (there may be more); whether something was sent since
        parts = True  # whether parts of attachments may wait; when none was found, only the next look asks again
        while not stop.is_set():
            try:
                rows = await _handed(rt, thread)
                look = rt.bell.asked() or more or loop.time() >= looked + (POLL_SECONDS if busy else LONGEST_SECONDS)
                if not look and not ear.listening and loop.time() >= glanced + POLL_SECONDS:
                    glanced, look = loop.time(), await thread.run(glance.changed)
                if look:
                    looked, parts = loop.time(), True
                    found = await thread.run(claim, rt, by=name)
                    more = bool(found)
                    rows += found
                busy = bool(rows) or (busy and not look)
                if rows:
                    await rounds.run(_deliver_rows(rows, rt, thread))
                if parts:  # after the messages that waited, a few at a time
                    group = await thread.run(next_group, rt, by=name)
                    parts = group is not None
                    if group is not None:
                        await rounds.run(_deliver_group(group, rt, thread))
                if not rows and not parts and not more:
                    await rt.bell.wait(POLL_SECONDS)
            except Unavailable as error:
                log.warning("deliver.waiting", code=error.code)
                await _pause(stop, OUTSIDE_PAUSE_SECONDS)
        try:
            await rounds.end()
        except Unavailable as error:  # leases bring back what was not settled
            log.warning("deliver.waiting", code=error.code)
    finally:
        rt.bell.leave()
        rounds.cancel()
        await asyncio.to_thread(ear.close)
        await thread.run(glance.close)
        thread.close()


async def _handed(rt: Runtime, thread: _Thread) -> list[OutboxRow]:
    """Return what was handed over in this process and may leave at once."""
    rows = rt.bell.handed(2 * rt.settings.batch, rt.clock())
    if rows and rt.book.decided.suspended:  # they were handed over before
        rows = await thread.run(still_open, rows, rt)
    if back := held_back(rows, rt):  # their line is in trouble, or has limits: they take their turn
        await thread.run(give_back, back, rt)
        rows = [row for row in rows if row not in back]
    return rows


async def _deliver_rows(rows: Sequence[OutboxRow], rt: Runtime, thread: _Thread) -> None:
    answers = await deliver_once(rt, rows)
    await thread.run(settle, rows, answers, rt)


async def _deliver_group(group: Group, rt: Runtime, thread: _Thread) -> None:
    """Send the next few parts of one attachment."""
    await thread.run(settle_group, group, await rt.transport.send(group.parcels), rt)


async def watch(rt: Runtime, stop: asyncio.Event) -> None:
    """Look at the deadlines every `watch_seconds`. While the clock cannot be trusted, raise an alarm and change nothing."""
    thread = _Thread("watch")
    guard = ClockGuard(rt.clock)
    alarmed = False
    try:
        await _recount(rt, thread)
        while not stop.is_set():
            try:
                jumped = guard.jump() or await thread.run(behind_the_record, rt)
                if jumped is None:
                    await thread.run(watch_once, rt)
                elif not alarmed:
                    await thread.run(alarm, rt, jumped)
                alarmed = jumped is not None
            except Unavailable as error:
                log.warning("watch.waiting", code=error.code)
            await _pause(stop, rt.settings.watch_seconds)
    finally:
        thread.close()


async def certificates(rt: Runtime, stop: asyncio.Event) -> None:
    """Look after keys, revocation and ends of certificates, in a thread of its own: what is fetched may take long.

    While the clock cannot be trusted nothing is judged by it; the watch raises the alarm.
    """
    thread = _Thread("certificates")
    guard = ClockGuard(rt.clock)
    try:
        while not stop.is_set():
            try:
                if guard.jump() is None and await thread.run(behind_the_record, rt) is None:
                    await thread.run(look_after_certificates, rt)
            except Unavailable as error:
                log.warning("certificates.waiting", code=error.code)
            await _pause(stop, rt.settings.watch_seconds)
    finally:
        thread.close()


async def evidence(rt: Runtime, stop: asyncio.Event) -> None:
    """Make roots of the journal and have them timestamped every `root_seconds`, in a thread of its own: it may take long.

    While the clock cannot be trusted nothing is signed. What fails is tried again in the next round.
    """
    thread = _Thread("evidence")
    guard = ClockGuard(rt.clock)
    try:
        while not stop.is_set():
            try:
                if guard.jump() is None and await thread.run(behind_the_record, rt) is None:
                    await thread.run(gather, rt)
            except Unavailable as error:
                log.warning("evidence.waiting", code=error.code)
            except GatewayError as error:
                log.error("evidence.failed", code=error.code)  # noqa: TRY400  # no traceback: no person in a log
            await _pause(stop, rt.settings.root_seconds)
    finally:
        thread.close()


async def search(rt: Runtime, stop: asyncio.Event) -> None:
    """Make new cases searchable every `watch_seconds`, a portion at a time, in a thread of its own."""
    thread = _Thread("search")
    try:
        while not stop.is_set():
            try:
                if await thread.run(make_searchable, rt):
                    continue  # there may be more
            except Unavailable as error:
                log.warning("search.waiting", code=error.code)
            await _pause(stop, rt.settings.watch_seconds)
    finally:
        thread.close()


async def _recount(rt: Runtime, thread: _Thread) -> None:
    """Count again what was counted with other calendars, while no watch ran."""
    try:
        await thread.run(recount_outdated, rt)
    except Unavailable as error:
        log.warning("watch.waiting", code=error.code)


Loop = Callable[[Runtime, asyncio.Event], Coroutine[Any, Any, None]]
LOOPS: dict[str, tuple[Loop, ...]] = {
    "consume": (consume, parking),
    "deliver": (deliver,),
    "watch": (watch, certificates, evidence, search),
}


async def run(names: Sequence[str], rt: Runtime, stop: asyncio.Event) -> None:
    """Run these loops until `stop` is set or one of them fails.

    With the embedded queue all steps of a message share this process, and each waits for the others' threads
    (docs/decisions/0048): they change over sooner, for as long as the process lives. Over a broker that would only cost.
    """
    if rt.transport.name == "embedded":
        sys.setswitchinterval(SWITCH_SECONDS)
    await rt.transport.open(rt.settings.home)
    try:
        async with asyncio.TaskGroup() as group:
            for name in names:
                for loop in LOOPS[name]:
                    group.create_task(loop(rt, stop), name=loop.__name__)
    finally:
        await rt.transport.close()
