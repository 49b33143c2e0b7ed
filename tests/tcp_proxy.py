"""A small TCP proxy between a gateway and a server, which slows, cuts and stalls what passes through it.

Threads of its own, so that it serves tests with and without an event loop, and processes beside this one.
"""

import contextlib
import socket
import struct
import threading
from types import TracebackType
from typing import Self

_CHUNK = 65_536  # bytes read at once at full speed
_STEPS_A_SECOND = 20  # portions in which a slow connection gets its bytes
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing says "reset" and forgets what was not sent


class TcpProxy:
    """Listens on a free port of the loopback and passes every connection on to one target.

    `slow`, `cut`, `cut_after` and `resume` hold for connections that are open and for those to come.
    """

    def __init__(self, target_host: str, target_port: int) -> None:
        """Nothing listens before `start`."""
        self._target = target_host, target_port
        self._changed = threading.Condition()
        self._rate: float | None = None  # bytes a second, each way and connection; None: as fast as it goes
        self._is_cut = False
        self._passing: int | None = None  # bytes that may still go to the target before the cut
        self._sockets: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self.port = 0
        self.carried = 0  # bytes that went to the target since the start

    def start(self) -> Self:
        """Listen. The port stays the same over `stop` and `start`."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), name="proxy", daemon=True).start()
        return self

    def stop(self) -> None:
        """End every connection and listen no more."""
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            listener.close()
        self._reset_all()

    def slow(self, bytes_per_second: float) -> None:
        """Let so many bytes a second pass, each way on each connection. 0: nothing passes and nothing is refused."""
        with self._changed:
            self._rate = bytes_per_second
            self._changed.notify_all()

    def cut(self) -> None:
        """Reset every connection, now; new ones are accepted and reset until `resume`."""
        with self._changed:
            self._is_cut, self._passing = True, None
        self._reset_all()

    def cut_after(self, count: int) -> None:
        """Cut once `count` further bytes went to the target: in the middle of whatever is being sent."""
        with self._changed:
            self._passing = count

    def resume(self) -> None:
        """Let everything pass again, at full speed; what was cut stays cut."""
        with self._changed:
            self._rate, self._is_cut, self._passing = None, False, None
            self._changed.notify_all()

    @property
    def is_cut(self) -> bool:
        """Whether connections are reset at present, by `cut` or because `cut_after` came true."""
        return self._is_cut

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return  # stopped
            if self._is_cut:
                _reset(client)
                client.close()
                continue
            try:
                server = socket.create_connection(self._target, timeout=10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            self._sockets |= {client, server}
            if self._is_cut or self._listener is not listener:  # meanwhile: whoever reset the others did not see these
                _reset(client)
                _reset(server)
            for source, sink, outward in ((client, server, True), (server, client, False)):
                threading.Thread(target=self._pump, args=(source, sink, outward), name="proxy", daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, outward: bool) -> None:
        """Pass bytes on until either side ends; `outward` is towards the target."""
        with contextlib.suppress(OSError):
            while data := source.recv(self._portion()):
                self._wait(len(data))
                allowed = self._allowed(len(data)) if outward else len(data)
                sink.sendall(data[:allowed])
                if outward:
                    self.carried += allowed
                if allowed < len(data):
                    self.cut()
        for each in (source, sink):  # half an AMQP or PostgreSQL connection is of no use
            _reset(each)
            self._sockets.discard(each)
            each.close()

    def _portion(self) -> int:
        return _CHUNK if not self._rate else max(1, min(_CHUNK, int(self._rate / _STEPS_A_SECOND)))

    def _wait(self, count: int) -> None:
        """Wait for as long as `count` bytes take at the present rate; a changed rate counts at once."""
        with self._changed:
            if self._rate == 0:
                self._changed.wait_for(lambda: self._rate != 0)
            elif self._rate is not None:
                self._changed.wait(count / self._rate)

    def _allowed(self, count: int) -> int:
        with self._changed:
            if self._passing is None:
                return count
            allowed = min(count, self._passing)
            self._passing -= allowed
            return allowed

    def _reset_all(self) -> None:
        for each in list(self._sockets):
            _reset(each)
        with self._changed:
            self._changed.notify_all()  # who waits for a rate finds the connection gone


def _reset(each: socket.socket) -> None:
    """Let a connection end as a broken network would; the thread that owns it closes it."""
    with contextlib.suppress(OSError):
        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        each.shutdown(socket.SHUT_RDWR)
