"""What a shared broker is told: who may do what, by the names that gateways really use."""

import json
import re

import pytest

from gateway.partners import load
from gateway.transport import topology
from gateway.transport.broker import STEPS
from gateway.transport.definitions import definitions
from tests.named_tests import ROOT

MADE = definitions({"rs": ["RS-MUP", "RS-MSP"], "ba": ["BA-MS"]})


def may(user: str, what: str, vhost: str, name: str) -> bool:
    (rights,) = [each for each in MADE["permissions"] if (each["user"], each["vhost"]) == (user, vhost)]
    return re.search(rights[what], name) is not None


def names(*authorities: str) -> set[str]:
    queues = {queue.name for authority in authorities for queue in topology.queues_of(authority, (*STEPS, 7))}
    return queues | {exchange.name for exchange in topology.exchanges()} | {topology.unrouted().name}


def test_each_partner_has_a_virtual_host_and_a_user_without_a_password() -> None:
    assert [each["name"] for each in MADE["vhosts"]] == ["ba", "rs"]
    assert [(each["name"], each["password_hash"], each["tags"]) for each in MADE["users"]] == [("ba", "", []), ("rs", "", [])]


@pytest.mark.parametrize("name", sorted(names("RS-MUP", "RS-MSP")))
def test_gateway_may_declare_use_and_read_what_is_its_own(name: str) -> None:
    assert all(may("rs", what, "rs", name) for what in ("configure", "write", "read"))


def test_gateway_may_publish_to_its_own_queues_by_name() -> None:
    assert may("rs", "write", "rs", "amq.default")
    assert not may("rs", "configure", "rs", "amq.default")


@pytest.mark.parametrize("name", [*sorted(names("BA-MS") - names()), "in.RS-MUP2", "xin.RS-MUP", "inXRS-MUP", "anything", ""])
def test_gateway_may_have_nothing_else_in_its_own_virtual_host(name: str) -> None:
    assert not any(may("rs", what, "rs", name) for what in ("configure", "write", "read"))


@pytest.mark.parametrize("name", [*sorted(names("BA-MS")), "amq.default", ""])
def test_partner_may_write_to_the_two_exchanges_of_another_and_nothing_else(name: str) -> None:
    assert may("rs", "write", "ba", name) is (name in {"inbound", "relayed"})
    assert not may("rs", "configure", "ba", name) or name == ""
    assert not may("rs", "read", "ba", name) or name == ""


def test_every_queue_of_every_partner_is_bounded() -> None:
    for vhost in ("ba", "rs"):
        patterns = [each["pattern"] for each in MADE["policies"] if each["vhost"] == vhost]
        for queue in [*topology.queues_of("BA-MS", STEPS), topology.unrouted()]:
            assert sum(re.search(pattern, queue.name) is not None for pattern in patterns) == 1, queue.name


def test_same_partners_give_the_same_definitions_in_whatever_order() -> None:
    assert definitions({"ba": ["BA-MS"], "rs": ["RS-MSP", "RS-MUP"]}) == MADE


def test_committed_example_is_what_the_command_makes() -> None:
    partners = load(ROOT / "partners")
    found = {code: [each.code for each in partners.authorities.values() if each.partner == code] for code in ("ba", "rs")}

    assert json.loads((ROOT / "deploy" / "broker" / "definitions.json").read_text(encoding="utf-8")) == definitions(found)
