"""Timestamp authorities: asked in order until one gives a good timestamp. Nothing but what the settings name is asked.

A `TimestampAuthority` is a port: an HTTP service (RFC 3161, 3.4) or the development authority. It carries bytes; what they
are worth is decided in gateway/trust/timestamps.py.
"""

import http.client
import ssl
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from gateway.errors import GatewayError, Misconfigured, SettingsInvalid, TimestampUnavailable
from gateway.log import logger
from gateway.trust import timestamps
from gateway.trust.devtsa import KEY_FILE, DevelopmentAuthority
from gateway.trust.exchange import UnusableAnswer, exchange
from gateway.trust.folder import CA
from gateway.trust.timestamps import MAX_TOKEN_BYTES, Anchors, Stamp

log = logger("timestamps")

DEVELOPMENT = "development"  # in the settings: the authority whose key lies in the key folder
SECONDS = 10.0  # to connect, and again for the whole answer
_MAX_ANSWER_BYTES = MAX_TOKEN_BYTES + 1024


class TimestampAuthority(Protocol):
    """Answers timestamp queries."""

    @property
    def name(self) -> str:
        """Return how log lines name it: a host, never an address with a password in it."""
        ...

    def answer(self, query: bytes) -> bytes:
        """Return the answer (DER of a TimeStampResp) to a query (DER). Raises `TimestampUnavailable`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAuthority:
    """An authority at an http:// or https:// address, perhaps with a name and a password in it. Redirects are not followed."""

    address: SplitResult
    seconds: float = SECONDS

    @classmethod
    def at(cls, url: str, *, seconds: float = SECONDS) -> "HttpAuthority":
        """Return the authority at `url`. Raises `SettingsInvalid` for what is no such address."""
        try:
            address = urlsplit(url)
            usable = address.scheme in {"http", "https"} and address.hostname and address.port != 0
        except ValueError:
            usable = None
        if not usable:
            raise SettingsInvalid("timestamp_authorities must name http:// or https:// addresses, or 'development'")
        return cls(address=address, seconds=seconds)

    @property
    def name(self) -> str:
        return self.address.hostname or ""

    def __repr__(self) -> str:
        return f"HttpAuthority({self.name})"

    def answer(self, query: bytes) -> bytes:
        target = (self.address.path or "/") + (f"?{self.address.query}" if self.address.query else "")
        try:
            return exchange(
                self._connection(),
                "POST",
                target,
                body=query,
                headers=self._headers(),
                seconds=self.seconds,
                most=_MAX_ANSWER_BYTES,
            )
        except (OSError, http.client.HTTPException, ValueError) as error:
            why = error if isinstance(error, UnusableAnswer) else type(error).__name__  # its text may be the other side's
            raise TimestampUnavailable(f"the timestamp authority {self.name} did not answer as it should: {why}") from error

    def _connection(self) -> http.client.HTTPConnection:
        host, port = self.address.hostname or "", self.address.port
        if self.address.scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=self.seconds, context=ssl.create_default_context())
        return http.client.HTTPConnection(host, port, timeout=self.seconds)

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        if self.address.username is not None:
            pair = f"{unquote(self.address.username)}:{unquote(self.address.password or '')}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        return headers


def named(names: Sequence[str], keys: Path, clock: Callable[[], datetime]) -> tuple[TimestampAuthority, ...]:
    """Return the authorities that the settings name, in their order.

    Where they name none, the development authority of the key folder, if there is one: a fresh installation then makes
    timestamps without a network. Raises `SettingsInvalid`, `KeyMissing`, `TrustInvalid`.
    """
    if not names and (keys / CA / KEY_FILE).exists():
        names = (DEVELOPMENT,)
    return tuple(DevelopmentAuthority.load(keys, clock) if name == DEVELOPMENT else HttpAuthority.at(name) for name in names)


def obtain(data: bytes, authorities: Sequence[TimestampAuthority], anchors: Anchors, clock: Callable[[], datetime]) -> Stamp:
    """Return a timestamp over `data` from the first authority that gives a good one; each failure is logged with its name.

    Raises `TimestampUnavailable` when none does.
    """
    for authority in authorities:
        asked = timestamps.query(data)
        try:
            return timestamps.accept(authority.answer(asked.as_bytes()), asked, data, anchors, clock())
        except Misconfigured:
            raise
        except GatewayError as error:
            log.warning("timestamp.failed", authority=authority.name, code=error.code)
    raise TimestampUnavailable(f"none of {len(authorities)} timestamp authorities gave a good timestamp")
