"""Builds the ways to RabbitMQ from the settings: ours and the routes', with their certificates; none is plain by itself."""

import ssl
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from gateway.broker_settings import RouteSettings, require_pair
from gateway.errors import SettingsInvalid, TrustInvalid
from gateway.settings import Settings
from gateway.transport.addresses import addresses_of, by_certificate, user_of
from gateway.transport.broker import BrokerTransport
from gateway.transport.lines import Access
from gateway.trust.folder import exposure

# What the library would take from an address: a check that is switched off, keys whose files nobody looked at.
_NOT_IN_ADDRESSES = {"no_verify_ssl", "capath", "cadata", "certfile", "keyfile"}


def broker_transport(settings: Settings) -> BrokerTransport:
    """Return the transport over RabbitMQ. Raises `SettingsInvalid` for an address that may not be used, or is none."""
    own, routes = accesses(settings)
    return BrokerTransport(own, routes=routes, steps=settings.retry_seconds, batch=settings.batch, label=settings.name)


def accesses(settings: Settings) -> tuple[Access, dict[str, Access]]:
    """Return how our broker is reached, and how each authority that has a route. Raises as `broker_transport`."""
    require_pair(settings.broker_certificate_file, settings.broker_key_file, "broker_certificate_file and broker_key_file")
    ours = RouteSettings(
        url=settings.broker,
        ca_file=settings.broker_ca_file,
        certificate_file=settings.broker_certificate_file,
        key_file=settings.broker_key_file,
    )
    own = _access(ours, ours, "broker", plain=settings.broker_plain)
    made: dict[RouteSettings, Access] = {}  # those who are reached in the same way share it
    for authority, route in settings.routes.items():
        if route not in made:
            made[route] = _access(route, ours, f"[routes.{authority}]", plain=settings.broker_plain)
    return own, {authority: made[route] for authority, route in settings.routes.items()}


def unprotected(settings: Settings) -> list[str]:
    """Return the names of those whose broker is on another machine and reached without TLS: `broker` or an authority."""
    own, routes = accesses(settings)
    ways = {"broker": own, **routes}
    return [name for name, way in ways.items() if any(_open_to_others(address) for address in addresses_of(way.url))]


def _access(way: RouteSettings, ours: RouteSettings, place: str, *, plain: bool) -> Access:
    url = way.url if way.url is not None else _content(way.url_file, place)
    schemes = set()
    for address in addresses_of(url):
        schemes.add(urlsplit(address).scheme)
        if _open_to_others(address) and not plain:
            raise SettingsInvalid(
                f"{place}: the broker is on another machine and the way there is not protected; use amqps:// "
                "(broker_plain = true allows it all the same)"
            )
    if not schemes <= {"amqp", "amqps"}:
        raise SettingsInvalid(f"{place}: the address must be an amqp:// or amqps:// URL")
    query = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    if wrong := sorted(_NOT_IN_ADDRESSES & query.keys()):
        raise SettingsInvalid(f"{place}: the address must not name {wrong[0]}; settings name the files, and the check stays on")
    certificate = way.certificate_file or ours.certificate_file
    if by_certificate(url) and (schemes != {"amqps"} or certificate is None or user_of(url) is None):
        raise SettingsInvalid(
            f"{place}: auth=external needs amqps://, a client certificate, and before the host the user that it stands for"
        )
    if schemes == {"amqp"}:
        return Access(url=url)
    anchors = way.ca_file or (Path(query["cafile"]) if "cafile" in query else ours.ca_file)
    key = way.key_file if way.certificate_file else ours.key_file
    return Access(url=url, tls=partial(_context, anchors, certificate, key, place))


def _open_to_others(address: str) -> bool:
    """Whether what is said to this host could be read on its way."""
    parts = urlsplit(address)
    if parts.scheme == "amqps" or parts.hostname == "localhost":
        return False
    try:
        return not ip_address(parts.hostname or "").is_loopback
    except ValueError:  # a name
        return True


def _content(file: Path | None, place: str) -> str:
    assert file is not None  # a route has one or the other
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise SettingsInvalid(f"{place}: the url_file cannot be read") from None  # the cause may quote it


def _context(anchors: Path | None, certificate: Path | None, key: Path | None, place: str) -> ssl.SSLContext:
    """Return what TLS to a broker rests on, read anew. Raises `SettingsInvalid`, or `TrustInvalid` for an exposed key."""
    try:
        context = ssl.create_default_context(cafile=anchors)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if certificate is not None and key is not None:
            if (exposed := exposure(key.stat())) is not None:
                raise TrustInvalid(f"{place}: the file of the client key {exposed}")
            # An encrypted key would ask for its password on the terminal: it is refused instead.
            context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise SettingsInvalid(f"{place}: ca_file, certificate_file or key_file cannot be used") from error
    return context


def _no_password() -> str:
    raise ValueError("the key is encrypted")
