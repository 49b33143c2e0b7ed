"""One message with large attachments from end to end, in one process: how much the peak of memory grows, and how long it takes.

The files are made, handed in, claimed, sealed, carried by the embedded queue, put together, checked and read, part by part.
The peak before is taken after a small file has gone the same way, so that only what large ones need is counted.

    python benchmarks/attachments.py                 # 4 files of 25 MiB; prints the figures
"""

import argparse
import asyncio
import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from lxml import etree
from measure import peak_rss_mb

from gateway.domain.identity import new_case_reference, new_message_id
from gateway.flow.attachments import HandedIn, HandIn, read_attachment
from gateway.flow.deliver import claim, deliver_once, settle
from gateway.flow.draft import Sent
from gateway.flow.inbound import receive
from gateway.flow.outbound import submit
from gateway.flow.parts import next_group, settle_group
from gateway.flow.ports import Runtime
from gateway.settings import Settings, data_folder, state_folder
from gateway.stages import MAX_ATTACHMENT_BYTES, Received, Submitted
from gateway.store import cases, messages
from gateway.store.database import reading
from gateway.wire.documents import NS, parse_xml, serialize
from gateway.wire.reading import complete_header
from gateway.wiring import build, utc_now

ASKING, ASKED = "AT-BMI", "RS-MUP"
EXAMPLE = data_folder("schemas") / "readmission" / "1.0" / "examples" / "ReadmissionApplication-third-country-entry.xml"
PIECE = 65_536  # bytes, as a web server hands them over
MOST_ROUNDS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What one message cost."""

    files: int
    megabytes: float  # of all files
    grown_mb: float  # growth of the peak of resident memory
    hand_in_s: float
    travel_s: float  # from the message handed in to its receipt
    read_s: float

    def as_dict(self) -> dict[str, Any]:
        return {name: round(getattr(self, name), 1) for name in self.__slots__}


def pieces(number: int, size: int) -> Iterator[bytes]:
    """Yield a made-up file that cannot be compressed, piece by piece: it is never in memory as a whole."""
    yield b"%PDF-1.4\n"
    size -= 9
    for place in range(size // PIECE + 1):
        piece = hashlib.shake_128(b"specimen %d %d" % (number, place)).digest(min(PIECE, size))
        size -= len(piece)
        yield piece


def application(rt: Runtime, files: Sequence[HandedIn]) -> bytes:
    """Return an application that names these files; the gateway completes its header."""
    document = parse_xml(EXAMPLE.read_bytes())
    header = document.find(f"{{{NS}}}Header")
    assert header is not None
    for child in list(header):
        header.remove(child)
    now = rt.clock()
    names = {"MessageId": new_message_id(now), "CaseReference": new_case_reference(), "Sender": ASKING, "Recipient": ASKED}
    complete_header(document, names)
    for file in files:
        entry = etree.SubElement(document, f"{{{NS}}}Attachment")
        texts = (("Kind", "document-scan"), ("FileName", "scan.pdf"), ("MediaType", file.media_type))
        for tag, text in (*texts, ("Size", str(file.size)), ("Sha256", file.sha256)):
            etree.SubElement(entry, f"{{{NS}}}{tag}").text = text
    return serialize(document)


def hand_in(rt: Runtime, number: int, size: int) -> HandedIn:
    file = HandIn(rt, authority=ASKING, actor="bench", media_type="application/pdf")
    for piece in pieces(number, size):
        file.add(piece)
    return file.finish()


async def travel(rt: Runtime, body: bytes) -> Sent:
    """Hand a message in and work the loops by hand until its receipt is back."""
    item = Submitted(body=body, authority=ASKING, dialect="canonical", submitted_at=rt.clock(), actor="bench")
    (sent,) = submit([item], rt)
    assert isinstance(sent, Sent), sent
    for _ in range(MOST_ROUNDS):
        if rows := claim(rt, by="bench"):
            settle(rows, await deliver_once(rt, rows), rt)
        if (group := next_group(rt, by="bench")) is not None:
            settle_group(group, await rt.transport.send(group.parcels), rt)
        del group
        deliveries = await rt.transport.take(100, 0.0)
        if deliveries:
            receive([Received(body=one.body, received_at=rt.clock(), transport="embedded") for one in deliveries], rt)
            await rt.transport.settle(deliveries)
        with reading(rt.engine) as tx:
            row = messages.known(tx, "out", [(ASKING, sent.message_id)])[ASKING, sent.message_id]
        if row.outcome == "received":
            return sent
        assert row.outcome in {"waiting", "sent"}, row.outcome
    raise AssertionError("the receipt never came")


def read_all(rt: Runtime, sent: Sent, files: Sequence[HandedIn]) -> None:
    """Read every file as its recipient does, and compare its digest."""
    with reading(rt.engine) as tx:
        (case,) = cases.by_reference(tx, sent.case_reference, home=ASKED)
    for file in files:
        digest = hashlib.sha256()
        homes = frozenset({ASKED})
        for data in read_attachment(case.id or 0, file.sha256, homes=homes, actor="bench", purpose="case-work", rt=rt)[1]:
            digest.update(data)
        assert digest.hexdigest() == file.sha256


async def measure(keys: Path, folder: Path, files: int, size: int) -> Growth:
    settings = Settings(home=(ASKING, ASKED), keys=keys, database=f"sqlite:///{folder / 'gateway.sqlite3'}", broker="embedded")
    rt = build(settings, clock=utc_now, prepare_database=True)
    await rt.transport.open(settings.home)
    small = hand_in(rt, 0, 200_000)
    read_all(rt, await travel(rt, application(rt, [small])), [small])  # everything is loaded and compiled now
    before, start = peak_rss_mb(os.getpid()), time.perf_counter()  # `getrusage` would tell the peak of who started us
    made = [hand_in(rt, number, size) for number in range(1, files + 1)]
    handed_in = time.perf_counter()
    sent = await travel(rt, application(rt, made))
    arrived = time.perf_counter()
    read_all(rt, sent, made)
    end = time.perf_counter()
    await rt.transport.close()
    rt.engine.dispose()
    return Growth(
        files=files,
        megabytes=files * size / 1e6,
        grown_mb=peak_rss_mb(os.getpid()) - before,
        hand_in_s=handed_in - start,
        travel_s=arrived - handed_in,
        read_s=end - arrived,
    )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--keys", type=Path, default=state_folder() / "dev")
    options.add_argument("--files", type=int, default=4)
    options.add_argument("--size", type=int, default=MAX_ATTACHMENT_BYTES)
    given = options.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as folder:
        print(json.dumps(asyncio.run(measure(given.keys, Path(folder), given.files, given.size)).as_dict()))


if __name__ == "__main__":
    main()
