"""The proxy of the tests does to a connection what a test says, and nothing else."""

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.running import until
from tests.tcp_proxy import TcpProxy

SECONDS = 10.0


class Echo:
    """A server that gives back what it gets."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                wire, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(wire,), daemon=True).start()

    @staticmethod
    def _answer(wire: socket.socket) -> None:
        with wire:
            try:
                while data := wire.recv(4096):
                    wire.sendall(data)
            except OSError:
                return


@pytest.fixture
def proxy() -> Iterator[TcpProxy]:
    echo = Echo()
    with TcpProxy("127.0.0.1", echo.port) as made:
        yield made
    echo.listener.shutdown(socket.SHUT_RDWR)
    echo.listener.close()


@pytest.fixture
def wire(proxy: TcpProxy) -> Iterator[socket.socket]:
    with dial(proxy) as made:
        yield made


def dial(proxy: TcpProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=SECONDS)


def answer(wire: socket.socket, said: bytes) -> bytes:
    """Say something; return what comes back until it is as long, or until the connection ends."""
    found = b""
    try:
        wire.sendall(said)
        while len(found) < len(said) and (more := wire.recv(4096)):
            found += more
    except ConnectionError:
        pass
    return found


def ask(proxy: TcpProxy, said: bytes) -> bytes:
    """Say something over a connection of its own; an early reset may end that before it is made."""
    try:
        with dial(proxy) as wire:
            return answer(wire, said)
    except ConnectionError:
        return b""


def test_what_is_sent_passes_both_ways(wire: socket.socket) -> None:
    assert answer(wire, b"x" * 100_000) == b"x" * 100_000


def test_a_cut_ends_what_is_open(proxy: TcpProxy, wire: socket.socket) -> None:
    assert answer(wire, b"before") == b"before"

    proxy.cut()

    assert answer(wire, b"after") == b""


def test_nobody_gets_through_a_cut_until_it_is_resumed(proxy: TcpProxy) -> None:
    proxy.cut()
    assert ask(proxy, b"during") == b""

    proxy.resume()

    assert ask(proxy, b"after") == b"after"


def test_a_cut_can_come_in_the_middle_of_what_is_sent(proxy: TcpProxy, wire: socket.socket) -> None:
    assert answer(wire, b"begin") == b"begin"

    proxy.cut_after(1000)

    assert len(answer(wire, b"x" * 5000)) <= 1000
    assert proxy.is_cut
    assert proxy.carried == len(b"begin") + 1000


def test_nothing_passes_at_rate_zero_until_it_is_resumed(proxy: TcpProxy, wire: socket.socket) -> None:
    assert answer(wire, b"before") == b"before"
    proxy.slow(0)
    wire.sendall(b"held")
    wire.settimeout(0.2)
    with pytest.raises(TimeoutError):
        wire.recv(10)

    proxy.resume()

    wire.settimeout(SECONDS)
    assert wire.recv(4, socket.MSG_WAITALL) == b"held"


def test_a_slow_connection_loses_nothing(proxy: TcpProxy, wire: socket.socket) -> None:
    proxy.slow(200_000)

    assert answer(wire, b"x" * 40_000) == b"x" * 40_000


def test_a_stopped_proxy_refuses_and_listens_again_at_the_same_port(proxy: TcpProxy, wire: socket.socket) -> None:
    proxy.stop()
    assert answer(wire, b"gone") == b""
    with pytest.raises(OSError, match=r"."):
        dial(proxy)

    proxy.start()

    assert ask(proxy, b"back") == b"back"


def test_a_target_that_is_away_ends_the_connection(proxy: TcpProxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with TcpProxy("127.0.0.1", port) as made:
        assert ask(made, b"anyone") == b""
    until(lambda: not made._sockets, "every socket of the proxy is forgotten")
