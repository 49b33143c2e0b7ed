"""The queues of an authority's own: parts of files, answers, and what a lost connection brings again."""

import hashlib
import json
from dataclasses import replace

import aio_pika
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.scene import new_document
from gateway.edge.queue import QueueEdge, _File
from gateway.edge_settings import EdgeSettings
from gateway.errors import EdgeUnavailable, SettingsInvalid
from gateway.flow.edges import serve_edge
from gateway.stages import MAX_ATTACHMENT_BYTES
from gateway.store import cases
from gateway.store.database import reading
from gateway.transport.authority_queue import Fetched
from gateway.wire.documents import serialize
from tests.authority_systems import AUTHORITY, QueueSystem, parts_of
from tests.files import file
from tests.forging import application
from tests.gateways import exchange, files_of

pytestmark = pytest.mark.anyio


@pytest.fixture
def system(gateway, rabbitmq, tmp_path) -> QueueSystem:
    return QueueSystem(gateway, rabbitmq, tmp_path)


def told(system: QueueSystem) -> list[tuple[str, dict]]:
    return [(message.correlation_id, json.loads(message.body)) for message in system.take("answers")]


async def test_file_in_parts_is_handed_in_whole_and_answered_by_its_last_part(system) -> None:
    scan = file(size=2_200_000)
    system.send(*parts_of(scan.body, "scan.pdf"))
    assert system.turn() == 1
    ((correlation, answer),) = told(system)
    assert correlation == "file scan.pdf"
    assert (answer["outcome"], answer["sha256"], answer["name"]) == ("sent", scan.sha256, "scan.pdf")


async def test_file_whose_last_part_has_not_come_is_waited_for_across_a_restart(system) -> None:
    scan = file(size=2_200_000)
    *first, last = parts_of(scan.body, "scan.pdf")
    system.send(*first)
    assert system.turn() == 0
    assert told(system) == []
    system.send(last)
    assert system.turn() == 1
    assert told(system)[0][1]["sha256"] == scan.sha256


async def test_file_that_was_broken_off_and_begun_anew_is_taken(system) -> None:
    scan = file(size=2_200_000)
    parts = parts_of(scan.body, "scan.pdf")
    system.send(*parts[:2], *parts)
    assert system.turn() == 1
    assert told(system)[0][1]["sha256"] == scan.sha256
    assert system.take("from") == []


async def test_part_out_of_order_refuses_the_file_and_not_the_next_one(system) -> None:
    scan = file(size=2_200_000)
    first, second, *rest = parts_of(scan.body, "scan.pdf")
    system.send(first, *rest, first, second, *rest)
    assert system.turn() == 2
    (_, refused), (_, taken) = told(system)
    assert (refused["outcome"], refused["code"]) == ("refused", "bad-value")
    assert taken["sha256"] == scan.sha256


@pytest.mark.parametrize("headers", [{}, {"name": "a", "part": "1", "last": True}, {"name": 1, "part": 1, "last": True}])
async def test_part_without_its_headers_is_answered_with_its_code(system, headers) -> None:
    system.send(aio_pika.Message(b"x", type="attachment", message_id="7", headers=headers))
    assert system.turn() == 1
    ((correlation, answer),) = told(system)
    assert (correlation, answer["code"]) == ("7", "bad-value")


async def test_document_whose_answer_was_interrupted_comes_again_and_has_no_second_effect(gateway, system) -> None:
    body = new_document(gateway.rt, "rs/mup-xml", "own-national.xml")
    system.put(body, *files_of(body, gateway.rt, "rs/mup-xml"))
    edge = system.edge()

    def no_answer(*_: object) -> None:
        raise ZeroDivisionError

    edge.answer = no_answer
    with pytest.raises(ZeroDivisionError):
        serve_edge(AUTHORITY, edge, system.rt)
    edge.close()
    assert system.answers() == []

    assert system.turn() == 1
    assert [one["outcome"] for one in system.answers()] in (["sent"], ["held"])
    with reading(gateway.rt.engine) as tx:
        assert len(cases.all_of(tx, [AUTHORITY])) == 1


async def test_address_that_changes_is_used_for_the_next_connection_without_a_restart(system) -> None:
    edge = system.edge()
    system.fail()
    for text in (None, "", "not an address"):  # as the wrong password, and as a file in the middle of its change
        if text is not None:
            system.write(text)
        with pytest.raises(EdgeUnavailable):
            edge.examine()
    system.heal()
    assert edge.examine().startswith("queues: ")
    edge.close()


async def test_connection_that_is_lost_before_the_answer_brings_the_document_again(system) -> None:
    system.put(b"<ZahtevZaPrihvat>")
    edge = system.edge()
    assert list(edge.collect_files()) == []
    (found,) = edge.collect()
    edge._run(edge._queues.close())
    with pytest.raises(EdgeUnavailable):
        edge.answer(found, {"outcome": "refused"})
    assert edge.collect_files() == []
    assert [one.body for one in edge.collect()] == [found.body]
    edge.close()


async def test_message_says_who_sent_it_what_it_is_and_when(gateway, system, clock) -> None:
    gateway.hand_in(serialize(application(clock.now)), authority="AT-BMI")
    await exchange(gateway)
    system.turn()
    (message,) = system.take("to")
    assert (message.app_id, message.type, message.content_type) == ("AT-BMI", "ReadmissionApplication", "application/xml")
    assert message.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
    assert message.timestamp == clock.now.replace(microsecond=0)


async def test_answer_to_a_document_without_an_id_names_its_digest(system) -> None:
    system.send(aio_pika.Message(b"<broken"))  # the client's library gives it an id
    edge = system.edge()
    edge.collect_files()
    (found,) = edge.collect()
    edge._documents[found.name] = replace(edge._documents[found.name], correlation_id="")
    edge.answer(found, {"outcome": "refused"})
    edge.close()
    assert told(system) == [(hashlib.sha256(b"<broken").hexdigest(), {"outcome": "refused"})]


# --- without a broker -------------------------------------------------------------------------------------------------


def part(body: bytes) -> Fetched:
    return Fetched(body=body, type="attachment", correlation_id="", headers={}, token=None)


def test_file_beyond_the_limit_is_refused_and_its_bytes_are_not_kept() -> None:
    found = _File(name="a", arrived=[], bodies=[])
    for number in (1, 2):
        found.add(part(b"x" * (MAX_ATTACHMENT_BYTES // 2 + 1)), number, last=number == 2)
    assert found.refusal is not None
    assert (found.refusal.code, found.bodies, found.whole) == ("too-large", [], True)
    assert all(one.body == b"" for one in found.arrived)


@given(st.lists(st.tuples(st.integers(-1, 4), st.binary(max_size=3), st.booleans()), min_size=1, max_size=8))
def test_any_parts_in_any_order_are_the_file_or_refused(parts) -> None:
    found = _File(name="a", arrived=[], bodies=[])
    wanted, body = 1, b""
    in_order = True
    for number, piece, last in parts:
        if number == 1:
            wanted, body, in_order = 1, b"", True
        in_order = in_order and number == wanted
        wanted, body = wanted + 1, body + piece
        found.add(part(piece), number, last=last)
    assert (found.refusal is None) == in_order
    if in_order:
        assert b"".join(found.bodies) == body
    assert len(found.arrived) == len(parts)


@pytest.mark.parametrize(
    "text",
    ["", "amqp://user:word@broker.example/v", "https://broker.example/", "amqps:///v", "amqps://b.example/v?no_verify_ssl=1"],
)
def test_address_of_a_broker_that_would_not_be_safe_stops_the_start_and_is_not_quoted(tmp_path, clock, text) -> None:
    (tmp_path / "url").write_text(text)
    with pytest.raises(SettingsInvalid) as caught:
        QueueEdge(AUTHORITY, EdgeSettings(url_file=tmp_path / "url"), clock)
    assert "word" not in str(caught.value)


def test_missing_address_is_told_by_the_name_of_its_setting(clock) -> None:
    with pytest.raises(SettingsInvalid, match="url_file"):
        QueueEdge(AUTHORITY, EdgeSettings(), clock)
