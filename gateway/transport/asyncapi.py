"""The contract of the broker as an AsyncAPI 3 document; docs/asyncapi.json is this one.

Three sides read it: the gateway that receives, gateways and shovels that send to it, and the system of a home authority that
is connected by queues. Names, arguments and permissions are taken from where they are declared.
"""

from collections.abc import Iterator
from typing import Any

from gateway.stages import MAX_MESSAGE_BYTES
from gateway.transport import authority_queue, topology
from gateway.transport.definitions import definitions
from gateway.transport.intake import ATTEMPTS, CODE, USER
from gateway.transport.topology import BrokerQueue

_STEPS = (30, 300, 3600, 21600)  # the default of the setting retry_seconds
_AUTHORITY = "{authority}"
_BINDING = "0.3.0"
_KEPT = {"deliveryMode": 2, "mandatory": True}  # persistent, and given back when there is no such queue
_PARAMETERS = {"authority": {"description": "Code of an authority, e.g. BA-MS."}}
_DELAY = "retry"
_TOLD = {  # channel -> what lies there, which message it is
    "inbound": ("What was sent to an authority.", "sealed"),
    "parts": ("Parts of attachments that were sent to an authority; they do not stand before messages.", "part"),
    _DELAY: ("A delay step: what lies here goes back to `in` after its time.", "set-back"),
    "parked": ("What the gateway set aside for operations; it leaves by hand alone.", "set-back"),
    "unrouted": ("What was relayed to a queue that nobody has; for operations.", "sealed"),
    "system-to": ("Documents for the system of a home authority, before each the parts of its attachments.", "document"),
    "system-from": ("What the system of a home authority hands in.", "document"),
    "system-answers": ("What became of what was handed in.", "answer"),
}


def asyncapi_document(version: str) -> dict[str, Any]:
    """Return the document: queues and exchanges with their arguments, what is published, and who may."""
    queues = dict(_queues())
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Readmission Gateway, over AMQP",
            "version": version,
            "description": "AMQP 0-9-1, persistent messages, publisher confirms. The gateway that receives declares exchanges "
            f"and queues; senders declare nothing. Gateways publish to the exchange `{topology.INBOUND}` with mandatory set: "
            "what has no queue comes back to them. Shovels and others that cannot set it publish to "
            f"`{topology.RELAYED}`: what has no queue there is kept in `{topology.UNROUTED}`. A publisher that names a user "
            "names the one it logged in as, or the broker refuses the message. Nothing is trusted from properties or headers: "
            "who sent a message is known once its seal is open and its signature verified.",
        },
        "channels": {key: _channel(key, queue) for key, queue in queues.items()} | dict(_exchange_channels()),
        "operations": dict(_operations(list(queues))),
        "components": {"messages": _messages()},
        "x-exchanges": {
            exchange.name: {"type": exchange.kind, "durable": True, "arguments": exchange.arguments}
            for exchange in topology.exchanges()
        },
        "x-permissions": {
            "what": "In the virtual host of `receiver`, where partners share a broker: its own user, and that of any other.",
            "receiver": _permissions("receiver"),
            "other": _permissions("other"),
        },
    }


def _queues() -> Iterator[tuple[str, BrokerQueue]]:
    """Yield each queue with the key of its channel."""
    keys = {topology.delay(_AUTHORITY, step): f"{_DELAY}-{step}s" for step in _STEPS}
    keys |= {getattr(topology, key)(_AUTHORITY): key for key in ("inbound", "parts", "parked")}
    for queue in topology.queues_of(_AUTHORITY, _STEPS):
        yield keys[queue.name], queue
    yield "unrouted", topology.unrouted()
    for queue in authority_queue.queues(_AUTHORITY):
        yield f"system-{queue.name.partition('-')[0]}", queue


def _channel(key: str, queue: BrokerQueue) -> dict[str, Any]:
    what, message = _TOLD[key if key in _TOLD else _DELAY]
    messages = [message] + (["attachment"] if key in {"system-to", "system-from"} else [])
    return {
        "address": queue.name,
        "description": what,
        **({"parameters": _PARAMETERS} if _AUTHORITY in queue.name else {}),
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "amqp": {
                "is": "queue",
                "queue": {"name": queue.name, "durable": True, "exclusive": False, "autoDelete": False},
                "bindingVersion": _BINDING,
            }
        },
        "x-arguments": queue.arguments,
        "x-exchanges": list(queue.exchanges),
    }


def _exchange_channels() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the ways to an inbound queue that others have: each exchange, with the name of the queue as routing key."""
    exchanges = {exchange.name: exchange for exchange in topology.exchanges()}
    for queue in topology.queues_of(_AUTHORITY, _STEPS):
        for name in queue.exchanges:
            key = "inbound" if queue.name == topology.inbound(_AUTHORITY) else "parts"
            message = _TOLD[key][1]
            exchange = {"name": name, "type": exchanges[name].kind, "durable": True, "autoDelete": False}
            yield (
                f"{key}-by-{name}",
                {
                    "address": queue.name,
                    "description": f"The way to `{queue.name}` through the exchange `{name}`.",
                    "parameters": _PARAMETERS,
                    "messages": {message: {"$ref": f"#/components/messages/{message}"}},
                    "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": _BINDING}},
                },
            )


def _operations(queues: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for key in ("inbound", "parts"):
        for name, who in ((topology.INBOUND, "gateways"), (topology.RELAYED, "shovels and other software")):
            sent = {"deliveryMode": 2, "mandatory": name == topology.INBOUND}
            yield f"send-{key}-by-{name}", _operation("send", f"{key}-by-{name}", who, sent)
        yield f"receive-{key}", _operation("receive", key, "the gateway of the authority", {"ack": True})
    for key in queues:
        if key.startswith(_DELAY) or key == "parked":
            yield f"set-back-{key}", _operation("send", key, "the gateway of the authority, by the default exchange", _KEPT)
    for key, sender, receiver in (
        ("system-to", "the gateway", "the system"),
        ("system-from", "the system", "the gateway"),
        ("system-answers", "the gateway", "the system"),
    ):
        yield f"send-{key}", _operation("send", key, f"{sender} of the authority, by the default exchange", _KEPT)
        yield f"receive-{key}", _operation("receive", key, f"{receiver} of the authority", {"ack": True})


def _operation(action: str, channel: str, who: str, binding: dict[str, Any]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": f"By {who}.",
        "bindings": {"amqp": binding | {"bindingVersion": _BINDING}},
    }


def _messages() -> dict[str, Any]:
    published = {
        "message_id": "Identifier of the message, at most 36 printable characters.",
        "app_id": "Code of the authority that sent it, as the sender claims.",
        "user_id": "The user that the publisher logged in as; the broker refuses any other. Absent where that is not known.",
        "delivery_mode": "2, persistent.",
        "content_type": "application/octet-stream.",
    }
    for_system = {
        "message_id": "Identifier of the message; with app_id it tells a repeat.",
        "correlation_id": "Comes back in the answer; the message_id does where this is missing.",
        "app_id": "Code of the authority that sent it.",
        "user_id": "The user that the publisher logged in as; the broker refuses any other. The system may leave it out.",
        "type": "Type of the message, e.g. ReadmissionReply.",
    }
    return {
        "sealed": _message(
            "A sealed message or receipt",
            "A line of JSON (suite, sender, recipient, message id, key), a line feed, and the HPKE ciphertext of a "
            "signed envelope.",
            properties=published,
        ),
        "part": _message(
            "A part of an attachment",
            "A line of JSON (also digest, number, of how many), a line feed, the ciphertext.",
            properties=published,
        ),
        "set-back": _message(
            "A message or part that the receiving gateway postponed or parked",
            "The bytes as they came, published by the gateway itself.",
            properties=published,
            headers={
                ATTEMPTS: {"type": "integer", "minimum": 0, "description": "How often it was postponed."},
                CODE: {"type": "string", "description": "Stable code of the last failure: errors.md."},
                USER: {"type": "string", "description": "user_id of its first publisher, where that had named one."},
            },
        ),
        "document": _message("A document in the authority's own format", "As the authority's dialect has it.", for_system),
        "attachment": _message(
            "A part of an attachment, at most 1 MiB from us; type `attachment`",
            "The bytes of the file.",
            for_system | {"type": "attachment"},
            headers={
                "name": {"type": "string"},
                "part": {"type": "integer", "minimum": 1},
                "last": {"type": "boolean"},
            },
        ),
        "answer": _message(
            "What became of a document or a file",
            "JSON: outcome, code, message_id, case.",
            {"correlation_id": "That of the document, its message_id, or the SHA-256 of its bytes.", "type": "answer"},
        )
        | {"contentType": "application/json", "payload": {"type": "object"}},
    }


def _message(
    title: str, summary: str, properties: dict[str, str], headers: dict[str, dict[str, Any]] | None = None
) -> dict[str, Any]:
    return {
        "title": title,
        "summary": summary,
        "contentType": "application/octet-stream",
        **({"headers": {"type": "object", "properties": headers}} if headers else {}),
        "payload": {"type": "string", "format": "binary", "maxLength": MAX_MESSAGE_BYTES},
        "x-properties": properties,
    }


def _permissions(user: str) -> dict[str, str]:
    found = definitions({"receiver": [_AUTHORITY], "other": []})["permissions"]
    (rights,) = [each for each in found if each["vhost"] == "receiver" and each["user"] == user]
    return {kind: rights[kind] for kind in ("configure", "write", "read")}
