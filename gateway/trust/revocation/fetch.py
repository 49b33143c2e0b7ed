"""Fetching one list or answer over http: bounded in size and time, to public addresses only, without redirects or proxies.

What is fetched is signed, so the way there need not be trusted; but the addresses come from certificates, and a certificate
must not make the gateway knock at doors inside its own network.
"""

from dataclasses import dataclass
from http.client import HTTPException
from urllib.parse import urlsplit

from gateway.errors import RevocationUnreachable
from gateway.trust.addresses import DirectConnection, NotPublicError, addresses_of
from gateway.trust.exchange import exchange
from gateway.trust.revocation.states import MOST_BYTES

SECONDS = 15.0  # for one exchange, from the first byte to the last


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
        headers = {"Accept": "*/*"} | ({"Content-Type": "application/ocsp-request"} if body is not None else {})
        connection = DirectConnection(self._addresses(host, port), host, port, timeout=self.seconds)
        try:
            return exchange(connection, method, target, body=body, headers=headers, seconds=self.seconds, most=MOST_BYTES)
        except (OSError, HTTPException, ValueError) as error:  # ValueError: an address that cannot stand in a request
            raise RevocationUnreachable(f"{host} did not answer as it should: {type(error).__name__}") from error

    def _addresses(self, host: str, port: int) -> list[tuple[str, int]]:
        """Return the addresses to connect to; they are looked up once, so that they are those that were examined."""
        try:
            return addresses_of(host, port, private=self.private_addresses)
        except NotPublicError as error:
            raise RevocationUnreachable(f"{host} is not at a public address; revocation_private_addresses allows it") from error
        except (OSError, ValueError) as error:
            raise RevocationUnreachable(f"the address of {host} cannot be found") from error
