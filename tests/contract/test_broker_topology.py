"""What RabbitMQ made of what was declared: read back, and no argument passed over in silence."""

import json

import pytest

from gateway.transport import topology
from gateway.transport.authority_queue import queues as edge_queues
from gateway.transport.broker import STEPS
from gateway.transport.definitions import definitions
from gateway.transport.node import PrivateNode
from tests.contract.conftest import PARTNERS

pytestmark = pytest.mark.anyio


def listed(node: PrivateNode, what: str, vhost: str, *columns: str) -> list[dict]:
    return json.loads(node.control(f"list_{what}", "-p", vhost, *columns, "--formatter", "json"))


async def test_queues_are_at_the_broker_as_they_were_declared(gateways, own_node) -> None:
    await gateways("rs").open(PARTNERS["rs"])
    wanted = {queue.name: queue.arguments for code in PARTNERS["rs"] for queue in topology.queues_of(code, STEPS)}
    wanted |= {topology.unrouted().name: topology.unrouted().arguments}

    found = listed(own_node, "queues", "rs", "name", "type", "durable", "auto_delete", "arguments", "policy")

    assert {each["name"]: _plain(each["arguments"]) for each in found} == wanted
    assert {(each["type"], each["durable"], each["auto_delete"]) for each in found} == {("quorum", True, False)}
    assert all(each["policy"].startswith("bound-") for each in found)


async def test_exchanges_and_bindings_are_at_the_broker_as_they_were_declared(gateways, own_node) -> None:
    await gateways("rs").open(PARTNERS["rs"])

    found = listed(own_node, "exchanges", "rs", "name", "type", "durable", "arguments")
    bound = listed(own_node, "bindings", "rs", "source_name", "destination_name", "routing_key")

    ours = {each["name"]: each for each in found if each["name"] and not each["name"].startswith("amq.")}
    assert {name: (each["type"], each["durable"], _plain(each["arguments"])) for name, each in ours.items()} == {
        each.name: (each.kind, True, each.arguments) for each in topology.exchanges()
    }
    queues = [topology.unrouted(), *(queue for code in PARTNERS["rs"] for queue in topology.queues_of(code, STEPS))]
    assert {(each["source_name"], each["destination_name"], each["routing_key"]) for each in bound if each["source_name"]} == {
        (exchange, queue.name, queue.name) for queue in queues for exchange in queue.exchanges
    }


def _plain(arguments: object) -> dict:
    """Return arguments as a table, in whichever form rabbitmqctl prints them."""
    if isinstance(arguments, dict):
        return arguments
    assert isinstance(arguments, list)
    return {each[0]: each[-1] for each in arguments}


def test_every_argument_is_one_that_the_broker_knows_for_quorum_queues(own_node) -> None:
    """A queue takes any argument; one that it does not know does nothing, without a word."""
    known = own_node.control("eval", "maps:get(queue_arguments, rabbit_quorum_queue:capabilities()).")
    queues = [*topology.queues_of("BA-MS", STEPS), topology.unrouted(), *edge_queues("BA-MS")]

    used = {name for queue in queues for name in queue.arguments} - {"x-queue-type"}

    assert used
    assert {name for name in used if f'"{name}"' not in known} == set()


def test_every_bound_is_one_that_the_broker_knows_for_policies(own_node) -> None:
    known = own_node.control("eval", "maps:get(unsupported_policies, rabbit_quorum_queue:capabilities()).")
    used = {name for policy in definitions(PARTNERS)["policies"] for name in policy["definition"]}

    assert used == {"max-length", "max-length-bytes"}
    assert {name for name in used if f'"{name}"' in known} == set()


async def test_dead_letters_are_passed_on_at_least_once(gateways, own_node) -> None:
    """The broker falls back to at-most-once without a word where an argument is missing."""
    await gateways("ba").open(["BA-MS"])
    for queue in topology.queues_of("BA-MS", STEPS):
        state = own_node.control("eval", _DEAD_LETTERS.format(name=queue.name))
        assert ("at_least_once" in state) == ("x-dead-letter-exchange" in queue.arguments), queue.name


_DEAD_LETTERS = """
{{ok, Queue}} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"ba">>, queue, <<"{name}">>)),
{{ok, {{_, State}}, _}} = ra:leader_query(amqqueue:get_pid(Queue), fun(State) -> State end),
State.
"""
