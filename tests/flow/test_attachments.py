"""Attachments from one gateway to another: handed in, claimed, carried in parts, put together, read."""

import pytest

from gateway.flow.attachments import read_attachment
from gateway.stages import PART_BYTES
from tests.files import ASKED, ASKING, JPEG, OPAQUE, case_id, file, sealed_parts, send
from tests.forging import journalled, outcomes, row_of, take
from tests.gateways import exchange
from tests.steps import on_the_way

pytestmark = pytest.mark.anyio

RIGHT = frozenset({ASKED})


def read(side, sent, one, *, homes=RIGHT, home=ASKED) -> bytes:
    case = case_id(side, sent.case_reference, home)
    _, parts = read_attachment(case, one.sha256, homes=homes, actor="officer", purpose="case-work", rt=side.rt)
    return b"".join(parts)


# --- the main path ------------------------------------------------------------------------------------------------------


async def test_files_arrive_as_they_were_handed_in(two_gateways) -> None:
    west, east = two_gateways
    scan, photograph, fingers = file(), file(JPEG, 1000), file(OPAQUE, PART_BYTES)
    sent = send(west, scan, photograph, fingers)
    await exchange(west, east)
    assert row_of(west, "out", ASKING, sent.message_id).outcome == "received"
    for one in (scan, photograph, fingers):
        assert read(east, sent, one) == one.body
        assert read(west, sent, one, homes=frozenset({ASKING}), home=ASKING) == one.body


async def test_message_is_taken_and_proven_only_when_its_files_are_there(two_gateways) -> None:
    west, east = two_gateways
    scan = file()
    sent = send(west, scan)
    assert outcomes(take(east.rt, *on_the_way(west, sent))) == [("waiting", None)]
    assert not journalled(east.rt.engine, "receipt.issued")
    first, second, third = sealed_parts(west.rt, sent.message_id, scan)
    assert outcomes(take(east.rt, first, third)) == [("part", None)] * 2
    assert not journalled(east.rt.engine, "message.received")
    assert outcomes(take(east.rt, second)) == [("part", None)]
    assert len(journalled(east.rt.engine, "message.received")) == 1
    assert row_of(east, "in", ASKING, sent.message_id).outcome == "accepted"
    assert read(east, sent, scan) == scan.body


async def test_files_may_come_before_their_message(two_gateways) -> None:
    west, east = two_gateways
    scan = file()
    sent = send(west, scan)
    take(east.rt, *sealed_parts(west.rt, sent.message_id, scan))
    assert outcomes(take(east.rt, *on_the_way(west, sent))) == [("accepted", None)]
    assert read(east, sent, scan) == scan.body
