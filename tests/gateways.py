"""Gateways for tests: real parts, a clock that moves when told, keys made once per run."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path

from gateway.domain.safeguards import Answers
from gateway.errors import GatewayError
from gateway.flow.attachments import hand_in
from gateway.flow.deliver import claim, deliver_once, settle
from gateway.flow.draft import Submission
from gateway.flow.holding import resume
from gateway.flow.inbound import Answer, receive
from gateway.flow.outbound import submit
from gateway.flow.parts import next_group, settle_group
from gateway.flow.ports import Bell, LineBook, Runtime
from gateway.flow.statements import make_statement, release_statement
from gateway.settings import Settings, data_folder
from gateway.stages import Received, Submitted
from gateway.store.database import open_engine, upgrade
from gateway.transport.memory import MemoryHub, MemoryTransport
from gateway.trust import authorities
from gateway.trust.devca import make_development_keys
from gateway.wire.check import canonical_document
from gateway.wire.media import media_type_of
from gateway.wire.specimen_files import specimen_files
from gateway.wiring import build

_CREATED = re.compile(rb"<Created>[^<]*</Created>")
AUTHORITIES = ("AT-BMI", "BA-MS", "PK-MOI", "RS-MUP")
EXAMPLES = data_folder("schemas") / "readmission" / "1.0" / "examples"
GOOD_ANSWERS = Answers(
    return_decision=True,
    no_suspensive_appeal=True,
    no_asylum_claim=True,
    non_refoulement_assessed=True,
    best_interests_assessed=True,
)


def example(name: str) -> bytes:
    """Return a canonical example, e.g. "ReadmissionApplication-own-national", made shortly before the clock of the tests."""
    return _CREATED.sub(b"<Created>2026-06-01T08:00:00Z</Created>", (EXAMPLES / f"{name}.xml").read_bytes())


def files_of(body: bytes, rt: Runtime, dialect: str = "canonical") -> list[bytes]:
    """Return the made-up files that an example names, in whichever dialect; none for what is no document."""
    try:
        document = canonical_document(body, rt.schemas) if dialect == "canonical" else None
        if document is None:
            document = rt.translators[dialect].to_canonical(body).document
        return list(specimen_files(document))
    except (GatewayError, KeyError):
        return []  # the test hands in what is no document, or names no dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """One gateway and the hands that work its loops in a test."""

    rt: Runtime
    hub: MemoryHub

    async def open(self) -> "Gateway":
        await self.rt.transport.open(self.rt.settings.home)
        return self

    def hand_in(
        self, body: bytes, *, authority: str, dialect: str = "canonical", actor: str = "officer", files: bool = True
    ) -> Submission:
        """Hand in one document, and before it the `files` that an example names."""
        for file in files_of(body, self.rt, dialect) if files else ():
            hand_in(file, self.rt, authority=authority, actor=actor, media_type=media_type_of(file))
        item = Submitted(body=body, authority=authority, dialect=dialect, submitted_at=self.rt.clock(), actor=actor)
        (result,) = submit([item], self.rt)
        return result

    def release(self, case_id: int, *, answers: Answers = GOOD_ANSWERS) -> Submission:
        """Make the statement as one officer, release it as another, and let the message go on."""
        make_statement(case_id, answers, actor="officer.one", rt=self.rt)
        release_statement(case_id, actor="officer.two", rt=self.rt)
        return resume(case_id, "officer.two", self.rt)

    async def deliver(self) -> int:
        """Send what is due; return how many were confirmed."""
        rows = claim(self.rt, by="test")
        sent = settle(rows, await deliver_once(self.rt, rows), self.rt).sent if rows else 0
        while (group := next_group(self.rt, by="test")) is not None:
            if not (confirmed := settle_group(group, await self.rt.transport.send(group.parcels), self.rt)):
                break
            sent += confirmed
        return sent

    async def take_in(self, most: int = 50) -> list[Answer]:
        """Receive what waits and acknowledge it."""
        deliveries = await self.rt.transport.take(most, 0.0)
        if not deliveries:
            return []
        now = self.rt.clock()
        answers = receive([Received(body=one.body, received_at=now, transport="memory") for one in deliveries], self.rt)
        await self.rt.transport.settle(deliveries)
        return answers


async def exchange(*gateways: Gateway) -> None:
    """Deliver and receive on all sides until nothing moves."""
    for _ in range(20):
        moved = 0
        for gateway in gateways:
            moved += await gateway.deliver()
            moved += len(await gateway.take_in())
        if not moved:
            return
    raise AssertionError("the gateways never came to rest")


@cache
def _parts(keys: Path) -> Runtime:
    """Return what all gateways of a run have in common: partners, schemas, translators, keys. Compiling takes a while."""
    rt = build(Settings(keys=keys, database="sqlite:///:memory:", broker="memory"), prepare_database=True)
    rt.engine.dispose()
    return rt


def make_gateway(
    database: str, keys: Path, clock: Callable[[], datetime], *, home: Sequence[str], hub: MemoryHub, **changes: object
) -> Gateway:
    """Return a gateway on a database URL, with a memory transport on `hub`. `changes` are settings."""
    settings = Settings(name="-".join(home).lower(), home=tuple(home), keys=keys, database=database, broker="memory", **changes)  # type: ignore[arg-type]
    if changes.keys() & {"partners", "schemas", "overrides"}:
        rt = build(settings, clock=clock, prepare_database=True)
    else:
        engine = open_engine(database)
        upgrade(engine)
        asked = authorities.named(settings.timestamp_authorities, keys, clock)
        rt = replace(
            _parts(keys), settings=settings, clock=clock, engine=engine, bell=Bell(), lines=LineBook(), authorities=asked
        )
    return Gateway(rt=replace(rt, transport=MemoryTransport(hub), chance=lambda: 0.0), hub=hub)


def make_keys(folder: Path, now: datetime) -> Path:
    """Make development keys for the authorities of the tests."""
    make_development_keys(folder, AUTHORITIES, now)
    return folder
