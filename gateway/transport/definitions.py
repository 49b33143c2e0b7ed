"""What a broker that several partners share is told before anybody connects: virtual hosts, users, permissions, bounds.

Each partner has a virtual host and a user, both named by its code. Its gateway receives in its own virtual host and sends by
connecting to that of the recipient. In its own it may declare, read and write what gateway/transport/topology.py names for
its own authorities, and nothing else; in another's it may publish to the two exchanges for others, and nothing else. The
broker refuses a message that names another user than the connection's.

No password is in here, and a user without one cannot log in by password: it comes in by its client certificate, or an
operator gives it a password at the broker. The same partners give the same bytes.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.transport import topology

_BOUNDS = {  # name of the policy -> which queues, how many messages; `reject-publish` is an argument of each queue already
    "bound-inbound": (r"^in\.", {"max-length": 1_000_000, "max-length-bytes": 20 * 2**30}),
    "bound-parts": (r"^parts\.", {"max-length-bytes": 20 * 2**30}),
    "bound-delayed": (r"^retry\.", {"max-length": 1_000_000, "max-length-bytes": 20 * 2**30}),
    "bound-parked": (r"^parked\.", {"max-length": 100_000}),
    "bound-unrouted": (rf"^{topology.UNROUTED}$", {"max-length": 10_000, "max-length-bytes": 2**30}),
}
_NOTHING = "^$"
_AS_A_SENDER = {"configure": _NOTHING, "write": f"^({topology.INBOUND}|{topology.RELAYED})$", "read": _NOTHING}


def definitions(partners: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return RabbitMQ's definitions; `partners` maps the code of each to its authorities.

    Exchanges are among them, so that what is sent to a partner who never connected is given back instead of ending the
    sender's channel, and the queue `unrouted`, so that what is relayed there is kept. The others are not: a gateway declares
    its own, and until then nobody receives there.
    """
    lost = topology.unrouted()
    codes = sorted(partners)
    return {
        "vhosts": [{"name": code} for code in codes],
        "users": [
            {"name": code, "password_hash": "", "hashing_algorithm": "rabbit_password_hashing_sha256", "tags": []}
            for code in codes
        ],
        "permissions": [
            {"user": user, "vhost": vhost} | (_at_home(partners[vhost]) if user == vhost else _AS_A_SENDER)
            for vhost in codes
            for user in codes
        ],
        "policies": [
            {"vhost": code, "name": name, "pattern": pattern, "apply-to": "queues", "definition": bounds, "priority": 1}
            for code in codes
            for name, (pattern, bounds) in _BOUNDS.items()
        ],
        "exchanges": [
            {
                "vhost": code,
                "name": exchange.name,
                "type": exchange.kind,
                "durable": True,
                "auto_delete": False,
                "internal": False,
                "arguments": exchange.arguments,
            }
            for code in codes
            for exchange in topology.exchanges()
        ],
        "queues": [
            {"vhost": code, "name": lost.name, "durable": True, "auto_delete": False, "arguments": lost.arguments}
            for code in codes
        ],
        "bindings": [
            {
                "vhost": code,
                "source": source,
                "destination": lost.name,
                "destination_type": "queue",
                "routing_key": lost.name,
                "arguments": {},
            }
            for code in codes
            for source in lost.exchanges
        ],
    }


def _at_home(authorities: Sequence[str]) -> dict[str, str]:
    """Return what a gateway may do in its own virtual host: with what it declares, and publish to its queues by name."""
    own = f"({'|'.join(sorted(authorities))})"  # a code has nothing in it that a pattern would read otherwise
    queues = [re.escape(name("@")).replace("@", own) for name in (topology.inbound, topology.parts, topology.parked)]
    delays = re.escape(topology.delay("@", 0)).replace("@", own).replace("0s", "[0-9]+s")
    names = "|".join([*(exchange.name for exchange in topology.exchanges()), *queues, delays])
    # "amq.default" stands for the default exchange. `unrouted` is an exchange and its queue: one name covers both.
    return {"configure": f"^({names})$", "write": rf"^({names}|amq\.default)$", "read": f"^({names})$"}
