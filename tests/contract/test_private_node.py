"""The private RabbitMQ node: found, installed or named missing; gone when its owner is gone."""

import json
import subprocess
import sys

import psutil
import pytest

from gateway.errors import BrokerMissing, BrokerUnavailable
from gateway.transport import installed as module
from gateway.transport import node as of_nodes
from gateway.transport.installed import ensure_server, find_server
from gateway.transport.node import PrivateNode


@pytest.fixture
def no_server(monkeypatch):
    monkeypatch.setattr(module, "_PLACES", ())
    monkeypatch.setattr(module.shutil, "which", lambda name: None)


def test_a_missing_server_is_not_found(no_server):
    assert find_server() is None


def test_a_missing_server_that_cannot_be_installed_is_named_in_one_sentence(no_server):
    with pytest.raises(BrokerMissing, match=r"^RabbitMQ is not installed: [^.]*$") as found:
        PrivateNode()

    assert found.value.exit_code == 3


def test_nothing_is_installed_without_being_root(monkeypatch):
    monkeypatch.setattr(module, "find_server", lambda: None)
    monkeypatch.setattr(module.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(module.os, "geteuid", lambda: 1000)
    monkeypatch.setattr(module.subprocess, "run", lambda *_, **__: pytest.fail("nothing may be run"))

    with pytest.raises(BrokerMissing):
        ensure_server()


@pytest.fixture
def orders(monkeypatch):
    """Be root on a system with apt-get; keep what would be run."""
    given = []
    monkeypatch.setattr(module.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(module.os, "geteuid", lambda: 0)

    def run(order, **_):
        given.append(order[1])
        return subprocess.CompletedProcess(order, 0 if works(given) else 100)

    works = [lambda given: True]
    monkeypatch.setattr(module.subprocess, "run", run)
    monkeypatch.setattr(module, "find_server", lambda: "/there" if given and works(given) else None)

    def choose(rule):
        nonlocal works
        works = rule

    choose(lambda given: True)
    return given, choose


def test_a_missing_server_is_installed_from_the_distribution(orders):
    given, _ = orders

    assert ensure_server() == "/there"
    assert given == ["install"]


def test_package_lists_are_fetched_when_the_package_is_not_found(orders):
    given, choose = orders
    choose(lambda given: given[-2:] == ["update", "install"])

    assert ensure_server() == "/there"
    assert given == ["install", "update", "install"]


def test_an_installation_that_fails_is_named_in_one_sentence(orders):
    _, choose = orders
    choose(lambda given: False)

    with pytest.raises(BrokerMissing, match="could not be installed"):
        ensure_server()


def test_a_node_that_ends_by_itself_is_reported_with_its_last_words(monkeypatch, tmp_path):
    broken = tmp_path / "rabbitmq-server"
    broken.write_text("#!/bin/sh\necho cannot boot; exit 7\n")
    broken.chmod(0o755)
    monkeypatch.setattr(module, "_PLACES", (str(broken),))
    for each in (module, of_nodes):
        monkeypatch.setattr(each, "broker_user", lambda: None)  # it could not enter this test's folder
    node = PrivateNode()

    with pytest.raises(BrokerUnavailable, match=r"ended with code 7; its last words: .*cannot boot"):
        node.start()

    assert not node.running
    node.close()


def test_stopping_what_never_started_is_harmless(monkeypatch):
    monkeypatch.setattr(of_nodes, "ensure_server", lambda **_: "/there")
    node = PrivateNode()

    node.pause()
    node.resume()
    node.kill()
    node.stop()
    node.close()

    assert not node.running


OWNER = """
import json, os, sys
from gateway.transport.node import PrivateNode
node = PrivateNode()
node.start()
print(json.dumps({"supervisor": node._process.pid, "folder": str(node._folder)}), flush=True)
sys.stdin.read()
"""


@pytest.mark.rabbitmq
def test_a_node_ends_when_its_owner_is_killed(rabbitmq, tmp_path):
    with subprocess.Popen([sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        told = json.loads(owner.stdout.readline())
        supervisor = psutil.Process(told["supervisor"])
        family = [supervisor, *supervisor.children(recursive=True)]
        assert any("beam" in member.name() for member in family)
        owner.kill()

    _, alive = psutil.wait_procs(family, timeout=30)

    module.shutil.rmtree(told["folder"])
    assert alive == []
