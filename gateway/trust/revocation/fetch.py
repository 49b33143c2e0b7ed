"""Fetching one list or answer over http: bounded in size and time, to public addresses only, without redirects or proxies.

What is fetched is signed, so the way there need not be trusted; but the addresses come from certificates, and a certificate
must not make the gateway knock at doors inside its own network.
"""

import ipaddress
import socket
import threading
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from gateway.errors import RevocationUnreachable
from gateway.trust.revocation.states import MOST_BYTES

SECONDS = 15.0  # for one exchange, from the first byte to the last
_OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """How this installation fetches."""

    private_addresses: bool = False  # whether addresses that are not public may be asked: partners on a closed network, tests
    seconds: float = SECONDS

    def get(self, url: str) -> bytes:
        """Return what lies at `url`. Raises `RevocationUnreachable`."""
        return self._exchange(url, "GET", None)

    def post(self, url: str, body: bytes) -> bytes:
        """Return the answer of the OCSP responder at `url`. Raises `RevocationUnreachable`."""
        return self._exchange(url, "POST", body)

    def _exchange(self, url: str, method: str, body: bytes | None) -> bytes:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or 80
        except ValueError as error:
            raise RevocationUnreachable("an address in a certificate cannot be read") from error
        if parts.scheme != "http" or not host or parts.username is not None:
            raise RevocationUnreachable("an address in a certificate is not a plain http address")
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        headers = {"Content-Type": "application/ocsp-request"} if body is not None else {}
        connection = _Direct(self._address(host, port), host, port, timeout=self.seconds)
        try:
            return self._read(connection, method, target, body, headers)
        except (OSError, HTTPException, ValueError) as error:  # ValueError: an address that cannot stand in a request
            raise RevocationUnreachable(f"{host} did not answer as it should: {type(error).__name__}") from error
        finally:
            connection.close()

    def _address(self, host: str, port: int) -> tuple[str, int]:
        """Return the address to connect to; it is looked up once, so that it is the one that was examined."""
        try:
            found = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (OSError, ValueError) as error:
            raise RevocationUnreachable(f"the address of {host} cannot be found") from error
        if not self.private_addresses and not all(ipaddress.ip_address(each).is_global for each in found):
            raise RevocationUnreachable(f"{host} is not at a public address; revocation_private_addresses allows it")
        return found[0], port

    def _read(self, connection: HTTPConnection, method: str, target: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        connection.connect()
        # The time limit of a socket starts anew with each byte; this one does not.
        limit = threading.Timer(self.seconds, _hang_up, args=[connection.sock])
        limit.daemon = True
        limit.start()
        try:
            connection.request(method, target, body=body, headers={"Accept": "*/*", "Connection": "close", **headers})
            response = connection.getresponse()
            if response.status != _OK:
                raise HTTPException(f"status {response.status}")
            data = response.read(MOST_BYTES + 1)
            if len(data) > MOST_BYTES or (response.length or 0) > 0:
                raise HTTPException("too large, or cut short")
            return data
        finally:
            limit.cancel()


class _Direct(HTTPConnection):
    """A connection to an address that was looked up before."""

    def __init__(self, address: tuple[str, int], host: str, port: int, *, timeout: float) -> None:
        super().__init__(host, port, timeout=timeout)
        self._to = address

    def connect(self) -> None:
        self.sock = socket.create_connection(self._to, self.timeout)


def _hang_up(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # closed already
