"""A signed webhook: documents are posted to the address of the authority's system; it hands in by the REST API.

What an answer means stands in `docs/edges.md`, and in `_judge` below.
"""

import base64
import hashlib
import re
import ssl
from collections.abc import Callable, Iterator
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPException
from urllib.parse import SplitResult, urlsplit

from gateway.edge.giving import GivingEdge
from gateway.edge.port import Item
from gateway.edge.webhook import read_secrets, signed_headers
from gateway.edge_settings import EdgeSettings
from gateway.errors import EdgeFailed, EdgeRefused, EdgeUnavailable, SettingsInvalid
from gateway.trust.addresses import DirectConnection, NotPublicError, addresses_of
from gateway.trust.exchange import ask

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_MOST_ANSWER_BYTES = 65_536  # an answer is its status; what stands in it is not looked at
_SECONDS = re.compile("[0-9]{1,6}")  # the other form of the header, a date, is not looked at
_MOST_AFTER_SECONDS = 3600  # a system that asks for a longer pause is asked again sooner
# Not about one document: the address, the secret or the moment is wrong, and the next document would fare no better.
_OF_THE_SYSTEM = {
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.MISDIRECTED_REQUEST,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}


class PushEdge(GivingEdge):
    """The webhook of one authority."""

    def __init__(self, authority: str, settings: EdgeSettings, clock: Callable[[], datetime]) -> None:
        """Raises `SettingsInvalid` for settings that are missing or cannot be used."""
        if settings.url is None or settings.secret_file is None:
            raise SettingsInvalid(f"{authority} is connected by push: [edges.{authority}] must name url and secret_file")
        self._url = _address(settings.url, authority)
        self._host = self._url.hostname or ""
        self._port = self._url.port or (443 if self._url.scheme == "https" else 80)
        self._tls = _tls(settings, authority) if self._url.scheme == "https" else None
        self._authority, self._settings, self._clock = authority, settings, clock
        read_secrets(settings.secret_file)

    def hand_over(self, item: Item) -> bool:
        """Post the document; the id holds the sender, whose message ids are unique."""
        about = {"Content-Type": item.media_type, "Gateway-Message-Type": item.type}
        self._post(f"message_{item.sender}_{item.message_id}", item.body, about)
        return True

    def hand_over_file(self, name: str, parts: Iterator[bytes]) -> None:
        """Post an attachment under its digest."""
        body = b"".join(parts)
        about = {"Content-Type": "application/octet-stream", "Gateway-File-Name": name}
        self._post(f"file_{hashlib.sha256(body).hexdigest()}", body, about)

    def examine(self) -> str:
        """Connect, with TLS if it is used, and send nothing."""
        self._secrets()
        connection = self._connection()
        try:
            connection.connect()
        except OSError as error:
            raise EdgeUnavailable(f"the system of {self._authority} cannot be reached: {_why(error)}") from error
        finally:
            connection.close()
        return f"push to {self._host}"

    def _post(self, webhook_id: str, body: bytes, about: dict[str, str]) -> None:
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        headers = {"Content-Digest": f"sha-256=:{digest}:", "User-Agent": "readmission-gateway"} | about
        headers |= signed_headers(self._secrets(), webhook_id, self._clock(), body)
        target = f"{self._url.path or '/'}{'?' + self._url.query if self._url.query else ''}"
        seconds = self._settings.timeout_seconds
        try:
            reply = ask(
                self._connection(), "POST", target, body=body, headers=headers, seconds=seconds, most=_MOST_ANSWER_BYTES
            )
        except (OSError, HTTPException, ValueError) as error:
            raise EdgeUnavailable(f"the system of {self._authority} cannot be reached: {_why(error)}") from error
        _judge(self._authority, reply.status, reply.retry_after)

    def _secrets(self) -> tuple[bytes, ...]:
        """Read the secrets anew, so that a change needs no restart; a file in the middle of its change is waited for."""
        assert self._settings.secret_file is not None
        try:
            return read_secrets(self._settings.secret_file)
        except SettingsInvalid as error:
            raise EdgeUnavailable(error.message) from error

    def _connection(self) -> DirectConnection:
        try:
            to = addresses_of(self._host, self._port, private=self._settings.private_addresses)
        except NotPublicError as error:
            raise EdgeUnavailable(
                f"the system of {self._authority} is not at a public address; private_addresses allows it"
            ) from error
        except (OSError, ValueError) as error:
            raise EdgeUnavailable(f"the address of the system of {self._authority} cannot be found") from error
        return DirectConnection(to, self._host, self._port, timeout=self._settings.timeout_seconds, tls=self._tls)


def _judge(authority: str, status: int, retry_after: str | None) -> None:
    """Tell by the status whether the authority has the document."""
    if 200 <= status <= 299:  # noqa: PLR2004  # the ranges of HTTP
        return
    if status in _OF_THE_SYSTEM or not 400 <= status <= 599:  # noqa: PLR2004  # a redirect is not followed
        asked = int(retry_after) if retry_after is not None and _SECONDS.fullmatch(retry_after) else 0
        raise EdgeUnavailable(
            f"the system of {authority} takes nothing now (status {status})", after_seconds=min(asked, _MOST_AFTER_SECONDS)
        )
    if status >= 500:  # noqa: PLR2004
        raise EdgeFailed(f"the system of {authority} failed over this message (status {status})")
    raise EdgeRefused(f"the system of {authority} does not take this message (status {status})")


def _address(url: str, authority: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0 and parts.username is None and url.isascii()
    except ValueError:
        raise SettingsInvalid(f"the url of [edges.{authority}] cannot be read") from None
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not usable or not safe:
        raise SettingsInvalid(f"the url of [edges.{authority}] must be an https:// address without a user name")
    return parts


def _tls(settings: EdgeSettings, authority: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.certificate_file is not None and settings.key_file is not None:
            # An encrypted key would ask for its password on the terminal: it is refused instead.
            context.load_cert_chain(settings.certificate_file, settings.key_file, password=_no_password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise SettingsInvalid(f"ca_file, certificate_file or key_file of [edges.{authority}] cannot be used") from error
    return context


def _no_password() -> str:
    raise ValueError("the key is encrypted")


def _why(error: Exception) -> str:
    """Say what went wrong in words of ours."""
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not good for the name in the url ({error.verify_message.rstrip('.')})"
    return type(error).__name__
