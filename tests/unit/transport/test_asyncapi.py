"""The AsyncAPI document says what the code declares, publishes and permits."""

import json
import re
from typing import Any

import pytest
from pamqp import commands, frame

from gateway.transport import authority_queue, topology
from gateway.transport.asyncapi import asyncapi_document
from gateway.transport.broker import STEPS
from gateway.transport.definitions import definitions
from gateway.transport.intake import ATTEMPTS, CODE, USER
from gateway.transport.publisher import Outgoing, WindowPublisher

DOCUMENT = asyncapi_document("1")
AUTHORITY = "{authority}"


def queues() -> list[topology.BrokerQueue]:
    return [*topology.queues_of(AUTHORITY, STEPS), topology.unrouted(), *authority_queue.queues(AUTHORITY)]


def channels(kind: str) -> list[dict[str, Any]]:
    return [each for each in DOCUMENT["channels"].values() if each["bindings"]["amqp"]["is"] == kind]


def test_every_queue_stands_in_it_with_its_arguments_and_exchanges() -> None:
    told = {each["address"]: (each["x-arguments"], tuple(each["x-exchanges"])) for each in channels("queue")}

    assert told == {queue.name: (queue.arguments, queue.exchanges) for queue in queues()}


def test_every_exchange_stands_in_it_as_it_is_declared() -> None:
    assert {name: (each["type"], each["durable"], each["arguments"]) for name, each in DOCUMENT["x-exchanges"].items()} == {
        each.name: (each.kind, True, each.arguments) for each in topology.exchanges()
    }


def test_every_way_for_others_leads_through_an_exchange_that_is_bound_to_the_queue() -> None:
    told = {(each["bindings"]["amqp"]["exchange"]["name"], each["address"]) for each in channels("routingKey")}

    assert told == {(name, queue.name) for queue in topology.queues_of(AUTHORITY, STEPS) for name in queue.exchanges}


@pytest.mark.parametrize("exchange", ["inbound", "relayed"])
def test_mandatory_is_asked_for_where_the_broker_gives_back(exchange: str) -> None:
    sent = DOCUMENT["operations"][f"send-inbound-by-{exchange}"]["bindings"]["amqp"]

    assert sent["mandatory"] is (exchange == "inbound")
    assert ("alternate-exchange" in DOCUMENT["x-exchanges"][exchange]["arguments"]) is (exchange == "relayed")


@pytest.mark.anyio
async def test_properties_are_those_that_the_publisher_sets() -> None:
    publisher = WindowPublisher(type("Channel", (), {"number": 1})(), frame_bytes=4096, user="ba")  # type: ignore[arg-type]
    sent = Outgoing(exchange="inbound", queue="in.BA-MS", body=b"x", message_id="m", sender="RS-MUP")
    _, header, *_ = publisher._frames(sent)
    properties = frame.unmarshal(header)[2].properties

    given = {name for name in commands.Basic.Properties.attributes() if getattr(properties, name) not in {None, ""}}

    assert given - {"headers"} == set(DOCUMENT["components"]["messages"]["sealed"]["x-properties"])


def test_headers_are_those_that_the_gateway_sets() -> None:
    assert set(DOCUMENT["components"]["messages"]["set-back"]["headers"]["properties"]) == {ATTEMPTS, CODE, USER}


@pytest.mark.parametrize("user", ["receiver", "other"])
def test_permissions_are_those_of_the_definitions(user: str) -> None:
    made = definitions({"receiver": [AUTHORITY], "other": ["XA-ONE"]})["permissions"]
    (rights,) = [each for each in made if (each["vhost"], each["user"]) == ("receiver", user)]

    assert DOCUMENT["x-permissions"][user] == {kind: rights[kind] for kind in ("configure", "write", "read")}


def test_every_reference_leads_somewhere() -> None:
    references = re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(DOCUMENT))
    assert references
    for reference in references:
        found: Any = DOCUMENT
        for name in reference.split("/"):
            found = found[name]
