"""The contract of the broker between two gateways, as an AsyncAPI 3 document; docs/asyncapi.json is this one."""

from typing import Any

from gateway.stages import MAX_MESSAGE_BYTES
from gateway.transport import topology

_STEPS = (30, 300, 3600, 21600)  # the default of the setting retry_seconds
_AUTHORITY = "{authority}"
_TOLD = {
    topology.inbound(_AUTHORITY): "What was sent to an authority. Its gateway consumes; any other gateway publishes.",
    topology.parts(_AUTHORITY): "Parts of attachments that were sent to an authority; they do not stand before messages.",
}


def asyncapi_document(version: str) -> dict[str, Any]:
    """Return the document: queues with their arguments, what is published, and by whom."""
    arguments = {queue.name: queue.arguments for queue in topology.queues_of(_AUTHORITY, _STEPS)}
    names = {"inbound": topology.inbound(_AUTHORITY), "parts": topology.parts(_AUTHORITY)}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Readmission Gateway, between gateways",
            "version": version,
            "description": "AMQP 0-9-1, default exchange, persistent messages, publisher confirms. The gateway that receives "
            "declares the queues; senders declare nothing and publish with mandatory set. Nothing is trusted from "
            "properties or headers: who sent a message is known once its seal is open and its signature verified.",
        },
        "channels": {
            key: {
                "address": name,
                "description": _TOLD[name],
                "parameters": {"authority": {"description": "Code of the authority that receives, e.g. BA-MS."}},
                "messages": {"sealed": {"$ref": f"#/components/messages/{message}"}},
                "bindings": {
                    "amqp": {
                        "is": "queue",
                        "queue": {"name": name, "durable": True, "exclusive": False, "autoDelete": False},
                        "bindingVersion": "0.3.0",
                    }
                },
                "x-arguments": arguments[name],
            }
            for (key, name), message in zip(names.items(), ("sealed", "part"), strict=True)
        },
        "operations": {
            f"{action}-{key}": {"action": action, "channel": {"$ref": f"#/channels/{key}"}}
            for key in names
            for action in ("send", "receive")
        },
        "components": {
            "messages": {
                "sealed": _message(
                    "A sealed message or receipt",
                    "A line of JSON (suite, sender, recipient, message id, key), a line feed, and the HPKE ciphertext of a "
                    "signed envelope.",
                ),
                "part": _message(
                    "A part of an attachment", "A line of JSON (also digest, number, of how many), a line feed, the ciphertext."
                ),
            }
        },
        "x-own-queues": {
            name: {"arguments": found, "what": "of the receiving gateway itself: a delay step, or set aside for operations"}
            for name, found in arguments.items()
            if name not in names.values()
        },
    }


def _message(title: str, summary: str) -> dict[str, Any]:
    return {
        "title": title,
        "summary": summary,
        "contentType": "application/octet-stream",
        "payload": {"type": "string", "format": "binary", "maxLength": MAX_MESSAGE_BYTES},
        "bindings": {"amqp": {"messageType": "sealed", "bindingVersion": "0.3.0"}},
    }
