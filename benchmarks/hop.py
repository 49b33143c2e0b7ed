"""The gateway's side of the bench: one hop with everything the product does.

AT-BMI hands in applications in Austria's own JSON; translated, checked, signed, sealed, outbox, carried, opened, verified,
checked, translated into Serbia's own XML, case, deadline, inbox, journal, signed receipt; and the receipts come back and
are taken in by the sender while the next messages go out. Loops, transports and stores are the product's own.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvloop
from lxml import etree
from measure import Meter, Result
from processes import all_there, bound, hear, process, result
from prototype_source import Source
from servers import Servers, servers

from gateway import log
from gateway.flow import inbound, loops
from gateway.flow.draft import Sent
from gateway.flow.heap import settle
from gateway.flow.outbound import submit
from gateway.flow.ports import Runtime
from gateway.settings import Settings, data_folder
from gateway.stages import Received, Submitted
from gateway.store import messages
from gateway.store.database import reading
from gateway.trust.devca import make_development_keys
from gateway.wire.documents import NS, parse_xml
from gateway.wire.reading import without_header
from gateway.wiring import build, utc_now

EXAMPLE = data_folder("schemas") / "readmission" / "1.0" / "examples" / "ReadmissionApplication-third-country-entry.xml"
DIALECT = "at/bmi-json"
SENDER, RECIPIENT = "AT-BMI", "RS-MUP"
SIZE = 6000  # bytes of the message as it is handed in, like the prototype's
LARGE_DESCRIPTIONS, LARGE_LETTERS = 38, 2_900
START_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What both processes are told."""

    count: int
    rate: float
    keys: Path
    broker: str
    database: str
    home: tuple[str, ...]
    peer_database: str | None  # None: sender and recipient are home on one gateway
    large: bool = False  # messages of 200 KB


@dataclass(frozen=True, slots=True)
class Document:
    """The application that is handed in; ids are left to the gateway, so every copy becomes a new message."""

    body: bytes

    def fresh(self) -> bytes:
        return self.body


def gateway_hop(kind: str, count: int, rate: float = 0, *, on: Servers | None = None, large: bool = False) -> Result:
    """Carry `count` messages and measure; `rate` is offered per second, 0 for as fast as possible.

    Raises RuntimeError if a message was lost or doubled, or if a receipt is missing at the end.
    """
    with TemporaryDirectory(prefix="gateway-bench-") as folder:
        keys = Path(folder) / "keys"
        make_development_keys(keys, [SENDER, RECIPIENT], datetime.now(UTC))
        if kind == "embedded":
            job = Job(
                count=count,
                rate=rate,
                keys=keys,
                broker="embedded",
                database=f"sqlite:///{folder}/hop.sqlite3",
                home=(SENDER, RECIPIENT),
                peer_database=None,
                large=large,
            )
            return _measure(job, [("both", both, job)], {})
        if on is None:
            with servers() as own:
                return _over_rabbitmq(count, rate, keys, own, large=large)
        return _over_rabbitmq(count, rate, keys, on, large=large)


def _over_rabbitmq(count: int, rate: float, keys: Path, on: Servers, *, large: bool) -> Result:
    here, there = on.fresh_database("gateway_a"), on.fresh_database("gateway_b")
    sender = Job(
        count=count, rate=rate, keys=keys, broker=on.amqp, database=here, home=(SENDER,), peer_database=there, large=large
    )
    recipient = replace(sender, database=there, home=(RECIPIENT,), peer_database=here)
    parts = {"rabbitmq": [on.rabbitmq_pid], "postgres": [on.postgres_pid]}
    return _measure(sender, [("recipient", receive, recipient), ("sender", send, sender)], parts)


def _measure(job: Job, roles: Sequence[tuple[str, Any, Job]], parts: dict[str, list[int]]) -> Result:
    with ExitStack() as stack:
        running = {name: stack.enter_context(process(target, told)) for name, target, told in roles}
        meter = Meter({"workers": [pid for pid, _ in running.values()], **parts})
        meter.start()
        for _, control in running.values():
            control.send("go")
        heard = {name: hear(control, bound(job.count, job.rate)) for name, (_, control) in running.items()}
        cost = meter.stop()
    due: dict[str, float] = heard.get("sender", heard.get("both"))["due"]
    arrived: dict[str, float] = heard.get("recipient", heard.get("both"))["arrived"]
    _check(job, due, arrived)
    latencies = sorted(arrived[message_id] - due[message_id] for message_id in arrived)
    return result(job.count, max(arrived.values()) - min(due.values()), latencies, cost)


def _check(job: Job, due: dict[str, float], arrived: dict[str, float]) -> None:
    """Nothing lost, nothing doubled, and every receipt is back."""
    all_there(job.count, len(set(due) - set(arrived)), len(arrived))
    with reading(_runtime(job).engine) as tx:
        proven = messages.outcomes(tx, sender=SENDER, direction="out")
    if proven != {"received": job.count}:
        raise RuntimeError(f"of {job.count} messages not all have their receipt: {proven}")


def _runtime(job: Job) -> Runtime:
    log.set_up(level=40)
    settings = Settings(home=job.home, keys=job.keys, broker=job.broker, database=job.database)
    return build(settings, clock=utc_now, prepare_database=True)


def large_document(rt: Runtime) -> Document:
    """Return the example with as many long descriptions of evidence, in Cyrillic, as make 200 KB of it in Austria's format."""
    tree = without_header(parse_xml(EXAMPLE.read_bytes()), ("MessageId", "CaseReference", "Sequence", "Created"))
    (first, *_) = tree.findall(f"{{{NS}}}Evidence")
    place = tree.index(first)
    for number in range(LARGE_DESCRIPTIONS):
        more = deepcopy(first)
        found = more.find(f"{{{NS}}}Description")
        assert found is not None
        found.text = (f"{number}. " + "Лице је пронађено у товарном простору камиона. " * 60)[:LARGE_LETTERS].strip()  # noqa: RUF001  # Serbian letters
        tree.insert(place + 1, more)
    return Document(rt.translators[DIALECT].from_canonical(tree).body)


def document(rt: Runtime) -> Document:
    """Return the example in Austria's format, filled up to the size of the bench, without what the gateway fills."""
    tree = without_header(parse_xml(EXAMPLE.read_bytes()), ("MessageId", "CaseReference", "Sequence", "Created"))
    body = rt.translators[DIALECT].from_canonical(tree).body
    sentence = "The person was found in the cargo space of a lorry. "
    etree.SubElement(tree, f"{{{NS}}}Observations").text = (sentence * ((SIZE - len(body)) // len(sentence))).strip()
    return Document(rt.translators[DIALECT].from_canonical(tree).body)


class _Watched:
    """Notes when `receive` has committed each message of the other side; stands in for it in the consume loop."""

    def __init__(self, rt: Runtime) -> None:
        self.arrived: dict[str, float] = {}
        self.rt = rt

    def __call__(self, batch: Sequence[Received], rt: Runtime) -> list[inbound.Answer]:
        answers = inbound.receive(batch, rt)
        now = time.monotonic()
        for answer in answers:
            if answer.outcome == "refused":
                raise RuntimeError(f"the bench's own message was refused: {answer.code}")
            if answer.outcome == "accepted" and answer.message_id:
                self.arrived.setdefault(answer.message_id, now)
        return answers


async def _hand_in(rt: Runtime, source: Source) -> dict[str, float]:
    """Hand in what is due, one batch at a time; return when each message was due, by its id."""
    due: dict[str, float] = {}
    while source.left:
        waiting = source.take()
        if not waiting:
            await asyncio.sleep(source.pause())
            continue
        now = rt.clock()
        items = [Submitted(body=one.raw, authority=SENDER, dialect=DIALECT, submitted_at=now, actor="bench") for one in waiting]
        for one, answer in zip(waiting, await asyncio.to_thread(submit, items, rt), strict=True):
            if not isinstance(answer, Sent):
                raise RuntimeError(f"the bench's own message was not sent: {answer}")  # noqa: TRY004  # a finding, not a type
            due[answer.message_id] = one.due
    return due


async def _until(reached: Any, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not await asyncio.to_thread(reached):
        if time.monotonic() > end:
            raise TimeoutError(f"the bench stands still for {seconds:.0f} s")
        await asyncio.sleep(0.25)  # looking costs: at most a few times a second


async def _run(control: Connection, job: Job, *, sends: bool, receives: bool) -> None:
    rt = _runtime(job)
    settle()  # as a process of the gateway does when it starts
    watched = _Watched(rt)
    loops.receive = watched  # type: ignore[assignment]  # the loop is the product's; only its watch is ours
    stop = asyncio.Event()
    running = asyncio.create_task(loops.run(["consume", "deliver"], rt, stop))
    await asyncio.sleep(0.2 if job.broker == "embedded" else 1.0)  # let the queues be declared on both sides first
    control.send("ready")
    await asyncio.to_thread(control.recv)
    told: dict[str, Any] = {}
    if sends:
        handed_in = large_document(rt) if job.large else document(rt)
        told["due"] = await _hand_in(rt, Source(handed_in, job.count, job.rate))  # type: ignore[arg-type]
        await _until(lambda: _proven(rt) == job.count, bound(job.count, job.rate))
    if receives:
        wanted = job.count
        await _until(
            lambda: len(watched.arrived) >= wanted and len(_applications(watched, told)) >= wanted, bound(job.count, job.rate)
        )
        told["arrived"] = _applications(watched, told)
    control.send(told)
    await asyncio.to_thread(control.recv)  # stay until measured
    stop.set()
    await running


def _applications(watched: _Watched, told: dict[str, Any]) -> dict[str, float]:
    """Return what arrived, without the receipts that one gateway for both sides takes in too."""
    due = told.get("due")
    return {name: at for name, at in watched.arrived.items() if due is None or name in due}


def _proven(rt: Runtime) -> int:
    with reading(rt.engine) as tx:
        return messages.outcomes(tx, sender=SENDER, direction="out").get("received", 0)


def both(control: Connection, job: Job) -> None:
    """Sender and recipient at home on one gateway."""
    uvloop.run(_run(control, job, sends=True, receives=True))


def send(control: Connection, job: Job) -> None:
    """The sending gateway."""
    uvloop.run(_run(control, job, sends=True, receives=False))


def receive(control: Connection, job: Job) -> None:
    """The receiving gateway."""
    uvloop.run(_run(control, job, sends=False, receives=True))


if __name__ == "__main__":
    print(gateway_hop(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 0))
