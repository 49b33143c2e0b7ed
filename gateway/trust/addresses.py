"""The address behind a name, looked up once, examined, and then connected to: no second look-up can lead elsewhere."""

import ipaddress
import socket
import ssl
from http.client import HTTPConnection


class NotPublicError(OSError):
    """The name leads into a network that is not public."""


def address_of(host: str, port: int, *, private: bool) -> tuple[str, int]:
    """Return the address to connect to. `private` allows one that is not public.

    Raises `NotPublicError`, and `OSError` or `ValueError` for a name that leads nowhere.
    """
    found = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not private and not all(_is_public(each) for each in found):
        raise NotPublicError
    return found[0], port


class DirectConnection(HTTPConnection):
    """A connection to an address that was looked up before; with a TLS context, to whoever proves to be `host` there."""

    def __init__(
        self, address: tuple[str, int], host: str, port: int, *, timeout: float, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(host, port, timeout=timeout)
        if tls is not None:
            self.default_port = 443  # left out of the header Host
        self._to = address
        self._tls = tls

    def connect(self) -> None:
        self.sock = socket.create_connection(self._to, self.timeout)
        if self._tls is not None:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)


def _is_public(address: str) -> bool:
    """Tell whether an address is one of the open network, also where IPv4 is written as IPv6."""
    found = ipaddress.ip_address(address)
    inner = found.ipv4_mapped or found.sixtofour if isinstance(found, ipaddress.IPv6Address) else None
    return found.is_global and not found.is_multicast and (inner is None or inner.is_global)
