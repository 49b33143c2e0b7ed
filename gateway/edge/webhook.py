"""The signature of a webhook, in the form of Standard Webhooks 1.0 (symmetric, `v1`): anybody's library checks it.

    signature = base64(HMAC-SHA256(secret, "<webhook-id>.<webhook-timestamp>.<body>"))

Two secrets may be valid at once: both sign, and the receiver needs one of them.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from gateway.errors import SettingsInvalid

PREFIX = "whsec_"
_LEAST_BYTES, _MOST_BYTES = 24, 64  # of a secret, as the standard has it
_MOST_SECRETS = 2


def read_secrets(file: Path) -> tuple[bytes, ...]:
    """Read a file of one or two secrets, a line each. Raises `SettingsInvalid`."""
    try:
        lines = file.read_text("ascii").split()
    except (OSError, UnicodeDecodeError):
        raise SettingsInvalid("the secret_file of an edge cannot be read") from None  # the cause may quote it
    if not 1 <= len(lines) <= _MOST_SECRETS:
        raise SettingsInvalid("the secret_file of an edge must hold one secret, or two while they change, a line each")
    return tuple(_secret(line) for line in lines)


def _secret(line: str) -> bytes:
    try:
        secret = base64.b64decode(line.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not line.startswith(PREFIX) or not _LEAST_BYTES <= len(secret) <= _MOST_BYTES:
        raise SettingsInvalid(
            f"a secret of an edge must be written {PREFIX} and {_LEAST_BYTES} to {_MOST_BYTES} bytes in base64"
        )
    return secret


def signed_headers(secrets: Sequence[bytes], webhook_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the three headers that say who sent this body, when, and under which id."""
    timestamp = str(int(at.timestamp()))
    content = f"{webhook_id}.{timestamp}.".encode() + body
    signatures = [base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode() for secret in secrets]
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
