"""One HTTP exchange, bounded in size and in the whole of its time: no answer, however slow or long, holds its reader up."""

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

_OK = 200


class UnusableAnswer(HTTPException):
    """An answer that came and is no use; its text holds nothing that the other side wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back."""

    status: int
    retry_after: str | None  # the header of that name, as it was written
    body: bytes  # of status 200 only; at most one byte more than was asked for
    whole: bool  # whether all of the body came, and it is not too large


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
    reply = ask(connection, method, target, body=body, headers=headers, seconds=seconds, most=most)
    if reply.status != _OK:
        raise UnusableAnswer(f"status {reply.status}")
    if not reply.whole:
        raise UnusableAnswer("too late, too large, or cut short")
    return reply.body


def ask(
    connection: HTTPConnection,
    method: str,
    target: str,
    *,
    body: bytes | None,
    headers: dict[str, str],
    seconds: float,
    most: int,
) -> Reply:
    """Do as `exchange`, and return what came back, whatever its status."""
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
                data = response.read(most + 1) if response.status == _OK else b""
                return Reply(
                    status=response.status,
                    retry_after=response.headers.get("Retry-After"),
                    body=data,
                    whole=not (late.is_set() or len(data) > most or (response.length or 0) > 0),
                )
        finally:
            limit.cancel()
    finally:
        connection.close()


def _hang_up(sock: socket.socket, late: threading.Event) -> None:
    """Wake whoever waits for a byte; the flag tells a late answer from a short one."""
    late.set()
    with suppress(OSError):  # closed already
        sock.shutdown(socket.SHUT_RDWR)
