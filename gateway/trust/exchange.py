"""One HTTP exchange, bounded in size and in the whole of its time: no answer, however slow or long, holds its reader up."""

import socket
import threading
from contextlib import suppress
from http.client import HTTPConnection, HTTPException

_OK = 200


class UnusableAnswer(HTTPException):
    """An answer that came and is no use; its text holds nothing that the other side wrote."""


def exchange(
    connection: HTTPConnection,
    method: str,
    target: str,
    *,
    body: bytes | None,
    headers: dict[str, str],
    seconds: float,
    most: int,
) -> bytes:
    """Connect, send one request, and return the body of its answer, at most `most` bytes. Closes the connection.

    A redirect is an answer like any other that is not status 200. Raises `OSError` or `HTTPException` (`UnusableAnswer` is
    one), and `ValueError` for a target that cannot stand in a request.
    """
    late = threading.Event()
    try:
        connection.connect()
        # The time limit of a socket starts anew with each byte; this one does not.
        limit = threading.Timer(seconds, _hang_up, args=[connection.sock, late])
        limit.daemon = True
        limit.start()
        try:
            connection.request(method, target, body=body, headers={"Connection": "close", **headers})
            with connection.getresponse() as response:
                if response.status != _OK:
                    raise UnusableAnswer(f"status {response.status}")
                data = response.read(most + 1)
                if late.is_set() or len(data) > most or (response.length or 0) > 0:
                    raise UnusableAnswer("too late, too large, or cut short")
                return data
        finally:
            limit.cancel()
    finally:
        connection.close()


def _hang_up(sock: socket.socket, late: threading.Event) -> None:
    """Wake whoever waits for a byte; the flag tells a late answer from a short one."""
    late.set()
    with suppress(OSError):  # closed already
        sock.shutdown(socket.SHUT_RDWR)
