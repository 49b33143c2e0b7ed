"""No attack makes the gateway call anybody: in these tests a connection or a name that is looked up fails the test."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Refuse and remember every call; code that swallows the refusal is found out at the end."""
    calls: list[str] = []

    def refuse(*words: Any, **_named: Any) -> Any:
        calls.append(repr(words))
        raise AssertionError("an attack made the gateway use the network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    yield
    assert calls == []
