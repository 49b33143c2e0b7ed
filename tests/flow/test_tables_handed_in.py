"""A table with several messages, handed in by the country of the cookbook: each is a message of its own, and is known again."""

import json
from pathlib import Path

import pytest

from gateway.edge.files import FilesEdge
from gateway.flow.draft import Sent
from gateway.flow.edges import serve_edge
from gateway.flow.mailbox import document_of
from gateway.flow.papers import clear
from gateway.partners.formats import CSV, XML
from gateway.store import cases, inbox, messages
from gateway.store.database import reading
from gateway.transport.memory import MemoryHub
from gateway.trust.devca import make_development_keys
from tests.cookbook import partners_of_the_cookbook
from tests.flow.test_api import Api
from tests.gateways import Gateway, exchange, make_gateway

pytestmark = pytest.mark.anyio
HOME = ("BA-MS", "XA-MIA")


@pytest.fixture
async def gateway(tmp_path: Path, sqlite_url: str, clock):
    """One gateway that is home to both; XA-MIA writes one row of CSV for each message."""
    keys = tmp_path / "keys"
    make_development_keys(keys, HOME, clock.now)
    partners = partners_of_the_cookbook(tmp_path / "book", "row-csv")
    made = await make_gateway(sqlite_url, keys, clock, home=HOME, hub=MemoryHub(clock), partners=partners).open()
    yield made
    made.rt.engine.dispose()


@pytest.fixture
def several(tmp_path: Path, gateway: Gateway) -> bytes:
    return (tmp_path / "book" / "several.csv").read_bytes()


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    return tmp_path / "drop"


def hand_in(gateway: Gateway, drop: Path, name: str, body: bytes) -> dict:
    """Put a file into the drop folder of XA-MIA, serve it, and return the answer."""
    edge = FilesEdge(drop)
    (drop / "outgoing" / name).write_bytes(body)
    assert serve_edge("XA-MIA", edge, gateway.rt) == 1
    (answer,) = drop.glob(f"*/{name}.answer.json")
    return json.loads(answer.read_text("utf-8"))


async def test_each_row_of_a_file_reaches_the_other_side_as_a_message(gateway: Gateway, several: bytes, drop: Path) -> None:
    answer = hand_in(gateway, drop, "several.csv", several)
    assert (answer["outcome"], [one["row"] for one in answer["messages"]]) == ("held", [1, 2])  # the statement is a human's
    for one in answer["messages"]:
        assert isinstance(gateway.release(one["case_id"]), Sent)
    await exchange(gateway)
    with reading(gateway.rt.engine) as tx:
        waiting = inbox.waiting(tx, "BA-MS")
    found = [document_of(row, gateway.rt) for row in waiting]
    assert [media_type for media_type, _ in found] == [XML, XML]
    assert sorted(body.count(b"RA-0023/26") + 2 * body.count(b"RA-0024/26") for _, body in found) == [1, 2]


async def test_the_row_is_kept_as_it_was_handed_in(gateway: Gateway, several: bytes, drop: Path) -> None:
    first, _ = hand_in(gateway, drop, "several.csv", several)["messages"]
    sent = gateway.release(first["case_id"])
    assert isinstance(sent, Sent)
    with reading(gateway.rt.engine) as tx:
        row = messages.known(tx, "out", [("XA-MIA", sent.message_id)])["XA-MIA", sent.message_id]
        assert row.id is not None
        original = messages.document(tx, row.id, "original")
        assert original is not None
        body = clear(gateway.rt, cases.get(tx, sent.case_id), original)
    assert original.media_type == CSV
    assert b"RA-0023/26" in body
    assert b"RA-0024/26" not in body


async def test_a_row_is_known_again_in_another_file(gateway: Gateway, several: bytes, drop: Path) -> None:
    header, first, second = several.splitlines()
    alone = hand_in(gateway, drop, "alone.csv", header + b"\n" + second)
    both = hand_in(gateway, drop, "both.csv", b"\r\n".join((header, first, second, second)))
    assert [one["case"] == alone["case"] for one in both["messages"]] == [False, True, True]
    assert both["messages"][1] == both["messages"][2] | {"row": 2}


async def test_a_row_that_is_refused_does_not_hold_up_the_others(gateway: Gateway, several: bytes, drop: Path) -> None:
    answer = hand_in(gateway, drop, "several.csv", several.replace(b",F,", b",Q,", 1))
    assert answer["outcome"] == "refused"
    assert [(one["outcome"], one.get("code")) for one in answer["messages"]] == [("refused", "unmapped-code"), ("held", None)]
    assert (drop / "refused" / "several.csv").exists()


async def test_a_file_that_is_no_table_is_refused_as_a_whole(gateway: Gateway, several: bytes, drop: Path) -> None:
    answer = hand_in(gateway, drop, "several.csv", several.replace(b"reference", b"number", 1))
    assert (answer["outcome"], answer["code"], answer["line"]) == ("refused", "wrong-columns", 1)


async def test_the_api_answers_for_each_row(gateway: Gateway, several: bytes) -> None:
    api = Api(gateway.rt)
    answer = api.hand_in(several, "XA-MIA", kind=CSV)
    assert (answer.status_code, answer.json()["outcome"]) == (202, "held")
    again = api.hand_in(several, "XA-MIA", kind=CSV)
    assert again.json() == answer.json()
    partly = api.hand_in(several.replace(b",F,", b",Q,", 1), "XA-MIA", kind=CSV)
    assert (partly.status_code, partly.json()["code"]) == (422, "unmapped-code")
    assert [one["outcome"] for one in partly.json()["messages"]] == ["refused", "held"]
    assert partly.json()["messages"][1] == answer.json()["messages"][1]


async def test_the_api_answers_one_row_like_any_message(gateway: Gateway, several: bytes) -> None:
    header, first, _ = several.splitlines()
    answer = Api(gateway.rt).hand_in(header + b"\n" + first, "XA-MIA", kind=CSV)
    assert (answer.status_code, answer.json()["outcome"], "messages" in answer.json()) == (202, "held", False)
