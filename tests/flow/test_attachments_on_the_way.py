"""Attachments over each transport, with the loops at work, and in little memory."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.flow.attachments import read_attachment
from gateway.stages import MAX_ATTACHMENT_BYTES, PART_BYTES
from gateway.transport.memory import MemoryHub
from tests.files import ASKED, ASKING, JPEG, case_id, file, send
from tests.flow.test_loops import over, running, until
from tests.forging import count, hand_in_entry, row_of
from tests.gateways import AUTHORITIES, Gateway, make_gateway

pytestmark = pytest.mark.anyio

BENCH = Path(__file__).resolve().parents[2] / "benchmarks" / "attachments.py"
MOST_GROWTH_MB = 50.0  # two files of 25 MiB; it is the same for one and for four (docs/performance.md)


async def carried(asking: Gateway, asked: Gateway) -> None:
    """A message with two files, and small ones beside it, arrive by themselves."""
    scan, photograph = file(size=6 * PART_BYTES + 1), file(JPEG, 1000)
    sent = await asyncio.to_thread(send, asking, scan, photograph)
    letters = [(await asyncio.to_thread(hand_in_entry, asking))[0] for _ in range(3)]
    for one in (sent, *letters):
        await until(lambda one=one: row_of(asking, "out", ASKING, one.message_id).outcome == "received")
    await until(lambda: count(asking.rt.engine, "outbox")["outbox"] == 0)
    case = case_id(asked, sent.case_reference, ASKED)
    for one in (scan, photograph):
        homes = frozenset({ASKED})
        _, parts = read_attachment(case, one.sha256, homes=homes, actor="officer", purpose="case-work", rt=asked.rt)
        assert b"".join(parts) == one.body


async def test_files_travel_over_the_embedded_queue(gateway) -> None:
    side = over(gateway, "embedded")
    async with running(side.rt):
        await carried(side, side)
    assert count(side.rt.engine, "queue") == {"queue": 0}


async def test_files_travel_over_the_embedded_queue_on_postgresql(migrated_postgres_url, keys, clock) -> None:
    side = over(make_gateway(migrated_postgres_url, keys, clock, home=AUTHORITIES, hub=MemoryHub(clock)), "embedded")
    async with running(side.rt):
        await carried(side, side)
    side.rt.engine.dispose()


async def test_files_travel_between_two_gateways_over_rabbitmq(
    rabbitmq, sqlite_url, migrated_postgres_url, keys, clock
) -> None:
    hub = MemoryHub(clock)
    west = over(make_gateway(sqlite_url, keys, clock, home=("BA-MS", "AT-BMI"), hub=hub), rabbitmq)
    east = over(make_gateway(migrated_postgres_url, keys, clock, home=("PK-MOI", "RS-MUP"), hub=hub), rabbitmq)
    async with running(west.rt, east.rt):
        await carried(west, east)
    for side in (west, east):
        side.rt.engine.dispose()


def test_large_files_travel_in_little_memory(keys) -> None:
    words = [sys.executable, str(BENCH), "--keys", str(keys), "--files", "2", "--size", str(MAX_ATTACHMENT_BYTES)]
    done = subprocess.run(words, capture_output=True, encoding="utf-8", check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["grown_mb"] < MOST_GROWTH_MB
