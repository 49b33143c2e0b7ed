"""One contract for every edge: given exactly, in order, through restarts; where a system is, also: handed in, answered once.

What officers hand in is the answer to one case, not a document in a dialect: see test_page_and_paper.py and test_paper_pages.py
in tests/flow.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli.scene import new_document
from gateway.edge.port import Item
from gateway.errors import EdgeUnavailable
from gateway.flow.attachments import hand_in
from gateway.flow.draft import Sent
from gateway.flow.edges import serve_edge
from gateway.flow.mailbox import document_of
from gateway.store import cases, inbox
from gateway.store.database import reading
from gateway.wire.documents import serialize
from tests.authority_systems import AUTHORITY, FilesSystem, PullSystem, PushSystem, QueueSystem, Receiver, System
from tests.files import file, naming
from tests.forging import application
from tests.gateways import exchange, files_of
from tests.officers import PageSystem, PaperSystem
from tests.steps import addressed, write
from tests.webhook_server import webhook_server

pytestmark = pytest.mark.anyio

DIALECT = "rs/mup-xml"
SYSTEMS = ("pull", "push", "files", "queue")
OFFICERS = {"page": PageSystem, "paper": PaperSystem}


def connected_by(kind: str, gateway, request: pytest.FixtureRequest, folder: Path) -> Iterator[Receiver]:
    if kind == "push":
        with webhook_server() as server:
            yield PushSystem(gateway, server, folder)
    elif kind == "queue":
        yield QueueSystem(gateway, request.getfixturevalue("rabbitmq"), folder)
    elif kind == "files":
        yield FilesSystem(gateway, folder)
    else:
        yield PullSystem(gateway) if kind == "pull" else OFFICERS[kind](gateway)


@pytest.fixture(params=(*SYSTEMS, *OFFICERS))
def receiver(request: pytest.FixtureRequest, gateway, tmp_path) -> Iterator[Receiver]:
    yield from connected_by(request.param, gateway, request, tmp_path)


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest, gateway, tmp_path) -> Iterator[System]:
    yield from connected_by(request.param, gateway, request, tmp_path)


async def sent_to(receiver: Receiver, *documents) -> list[bytes]:
    """Let AT-BMI send these; return what they are in the inbox of RS-MUP, exactly as translated, in order."""
    for document in documents:
        sent = receiver.gateway.hand_in(serialize(document), authority="AT-BMI")
        assert isinstance(sent, Sent), sent
        await exchange(receiver.gateway)
    with reading(receiver.rt.engine) as tx:
        rows = inbox.waiting(tx, AUTHORITY)
    return [document_of(row, receiver.rt)[1] for row in rows]


def waiting(receiver: Receiver) -> int:
    with reading(receiver.rt.engine) as tx:
        return len(inbox.waiting(tx, AUTHORITY))


async def test_message_is_given_exactly_as_it_was_translated(receiver) -> None:
    (wanted,) = await sent_to(receiver, application(receiver.rt.clock()))
    assert receiver.turn() == 1
    assert receiver.received() == [wanted]
    assert waiting(receiver) == 0
    assert receiver.turn() == 0


async def test_message_given_twice_is_there_once(receiver) -> None:
    (wanted,) = await sent_to(receiver, application(receiver.rt.clock()))
    with reading(receiver.rt.engine) as tx:
        (row,) = inbox.waiting(tx, AUTHORITY)
    edge = receiver.edge()
    for _ in range(2):  # as after a crash between the giving and the note of it
        serve_without_note(receiver, edge, row)
    edge.close()
    receiver.turn()
    assert receiver.received() == [wanted]


def serve_without_note(receiver: Receiver, edge, row) -> None:
    media_type, body = document_of(row, receiver.rt)
    edge.hand_over(Item(sender=row.sender, message_id=row.message_id, type=row.type, media_type=media_type, body=body))


async def test_messages_keep_their_order_within_a_case(receiver) -> None:
    document = application(receiver.rt.clock())
    opening = receiver.gateway.hand_in(serialize(document), authority="AT-BMI")
    assert isinstance(opening, Sent)
    await exchange(receiver.gateway)
    steps = [
        addressed(write(name), reference=opening.case_reference, sender="AT-BMI", recipient=AUTHORITY)
        for name in ("InformationRequest-by-requesting", "Withdrawal-error")
    ]
    wanted = await sent_to(receiver, *steps)
    assert len(wanted) == 3
    receiver.turn()
    assert receiver.received() == wanted


async def test_attachments_are_there_before_their_message(receiver) -> None:
    scan = file(size=2_200_000)
    hand_in(scan.body, receiver.rt, authority="AT-BMI", actor="officer", media_type=scan.media_type)
    (wanted,) = await sent_to(receiver, naming(receiver.rt.clock(), scan))
    assert receiver.turn() == 1
    assert receiver.received() == [scan.body, wanted]


async def test_trouble_of_the_other_side_keeps_the_message_and_heals(receiver) -> None:
    (wanted,) = await sent_to(receiver, application(receiver.rt.clock()))
    receiver.fail()
    if isinstance(receiver, (PullSystem, PageSystem)):  # no loop serves them
        assert receiver.turn() == 0
    else:
        with pytest.raises(EdgeUnavailable):
            receiver.turn()
    assert waiting(receiver) == 1
    receiver.heal()
    assert receiver.turn() == 1
    assert receiver.received() == [wanted]


async def test_document_that_is_handed_in_is_answered_once(gateway, system) -> None:
    body = new_document(gateway.rt, DIALECT, "own-national.xml")
    files = files_of(body, gateway.rt, DIALECT)
    system.put(body, *files)
    assert system.turn() >= 1
    (answer,) = system.answers()
    assert answer["outcome"] in {"sent", "held"}, answer
    assert system.turn() == 0
    assert len(system.answers()) == 1
    with reading(gateway.rt.engine) as tx:
        assert len(cases.all_of(tx, [AUTHORITY])) == 1


async def test_refused_document_gets_its_code_and_the_next_one_passes(gateway, system) -> None:
    body = new_document(gateway.rt, DIALECT, "own-national.xml")
    system.put(b"<ZahtevZaPrihvat>")
    system.put(body, *files_of(body, gateway.rt, DIALECT))
    system.turn()
    refused, taken = system.answers()
    assert (refused["outcome"], refused["code"]) == ("refused", "malformed-xml")
    assert taken["outcome"] in {"sent", "held"}


async def test_what_was_handed_in_is_no_message_for_the_authority(gateway, system) -> None:
    system.put(b"<ZahtevZaPrihvat>")
    system.turn()
    assert system.received() == []


async def test_edge_says_what_it_finds_without_giving_anything(receiver) -> None:
    await sent_to(receiver, application(receiver.rt.clock()))
    edge = receiver.edge()
    assert edge.examine()
    edge.close()
    assert waiting(receiver) == 1


@pytest.mark.parametrize("system", ["files", "queue"], indirect=True)  # of push: tests/flow/test_push.py
async def test_edge_says_so_when_its_system_is_away(system) -> None:
    edge = system.edge()
    system.fail()
    with pytest.raises(EdgeUnavailable):
        (edge if isinstance(system, FilesSystem) else system.edge()).examine()
    edge.close()


async def test_round_ends_when_the_turn_is_lost(receiver) -> None:
    await sent_to(receiver, application(receiver.rt.clock()))
    edge = receiver.edge()
    assert serve_edge(AUTHORITY, edge, receiver.rt, lambda: False) == 0
    edge.close()
    assert waiting(receiver) == 1
