"""An error of ours as one line of JSON, {"code", "message"}: what a child process says to the one that started it."""

import json

from gateway.errors import GatewayError, catalogue


def told(error: GatewayError) -> str:
    """Return the line, with its end."""
    return json.dumps({"code": error.code, "message": error.message}) + "\n"


def heard(line: str, otherwise: GatewayError) -> GatewayError:
    """Return the error that a line tells; `otherwise` for what is no such line, as of a child that ended without a word."""
    try:
        said = json.loads(line)
        return catalogue()[said["code"]](said["message"])
    except (ValueError, KeyError, TypeError):
        return otherwise
