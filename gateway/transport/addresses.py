"""Addresses of a broker: one URL may name several hosts, which are nodes of one cluster.

    amqps://user:secret@one.example:5671,two.example:5671,three.example:5671/vhost?cafile=/etc/ssl/broker.pem

User, virtual host and parameters are the same for all. Which host is dialled is decided at each connection.
"""

from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from gateway.errors import SettingsInvalid

_HEARTBEAT_SECONDS = 20  # a silent peer is given up after about three of them


def addresses_of(url: str) -> tuple[str, ...]:
    """Return one URL for each host that `url` names, in its order, each host once, with our heartbeat.

    Raises `SettingsInvalid` for a host without a name and for a port that is none; the message repeats no part of the URL.
    """
    try:
        parts = urlsplit(with_heartbeat(url))
        login, at, hosts = parts.netloc.rpartition("@")
        found = [urlunsplit(parts._replace(netloc=f"{login}{at}{host.strip()}")) for host in hosts.split(",")]
        named = all(whole.hostname and whole.port != 0 for whole in map(urlsplit, found))
    except ValueError:  # its words repeat the address
        named = False
    if not named:
        raise SettingsInvalid("broker is an address that names no host, or no port of one") from None
    return tuple(dict.fromkeys(found))


def with_heartbeat(url: str) -> str:
    """Add our heartbeat unless the operator's URL names one."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    query.setdefault("heartbeat", str(_HEARTBEAT_SECONDS))
    return urlunsplit(parts._replace(query=urlencode(query)))


def user_of(url: str) -> str | None:
    """Return the user that a connection to `url` logs in as, None when the address does not tell.

    With EXTERNAL the broker takes the name from our certificate; an address that names it too lets us say it in messages.
    """
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    if at and login:
        return unquote(login.partition(":")[0]) or None
    return None if by_certificate(url) else "guest"  # as RabbitMQ's clients agree


def by_certificate(url: str) -> bool:
    """Say whether a connection to `url` logs in by its client certificate alone (EXTERNAL)."""
    return dict(parse_qsl(urlsplit(url).query)).get("auth", "").lower() == "external"
