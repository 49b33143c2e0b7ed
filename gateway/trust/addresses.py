"""The address behind a name, looked up once, examined, and then connected to: no second look-up can lead elsewhere."""

import ipaddress
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPConnection

_MOST = 2  # addresses tried, each for as long as one exchange may take


class NotPublicError(OSError):
    """The name leads into a network that is not public."""


def addresses_of(host: str, port: int, *, private: bool) -> list[tuple[str, int]]:
    """Return the addresses to connect to, the first ones of the system's order. `private` allows some that are not public.

    Raises `NotPublicError`, and `OSError` or `ValueError` for a name that leads nowhere.
    """
    found = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not private and not all(_is_public(each) for each in found):
        raise NotPublicError
    return [(each, port) for each in dict.fromkeys(found)][:_MOST]


class DirectConnection(HTTPConnection):
    """A connection to the first that answers of addresses that were looked up before.

    With a TLS context, to whoever proves to be `host` there.
    """

    def __init__(
        self,
        addresses: Sequence[tuple[str, int]],
        host: str,
        port: int,
        *,
        timeout: float,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(host, port, timeout=timeout)
        if tls is not None:
            self.default_port = 443  # left out of the header Host
        self._to = addresses
        self._tls = tls

    def connect(self) -> None:
        self.sock = self._connected()
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)

    def _connected(self) -> socket.socket:
        *others, last = self._to
        for address in others:
            with suppress(OSError):
                return socket.create_connection(address, self.timeout)
        return socket.create_connection(last, self.timeout)


def _is_public(address: str) -> bool:
    """Tell whether an address is one of the open network, also where IPv4 is written as IPv6."""
    found = ipaddress.ip_address(address)
    inner = _inside(found) if isinstance(found, ipaddress.IPv6Address) else None
    return found.is_global and not found.is_multicast and (inner is None or inner.is_global)


# IPv4 in the last 32 bits: of a translator between both networks (RFC 6052), and the compatible form (RFC 4291).
_EMBEDDING = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))


def _inside(found: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for."""
    if any(found in network for network in _EMBEDDING):
        return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found.ipv4_mapped or found.sixtofour
