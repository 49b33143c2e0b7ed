"""Identifiers of messages and cases. Neither tells anything about the person."""

import base64
import secrets
from datetime import datetime
from uuid import UUID


def new_message_id(now: datetime) -> str:
    """Return a UUIDv7 (RFC 9562): 48 bits of milliseconds, then 74 random bits."""
    value = (int(now.timestamp() * 1000) & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=value))


def new_case_reference() -> str:
    """Return 26 random characters (130 bits), new for each counterparty, so that two states cannot link cases by it."""
    return base64.b32encode(secrets.token_bytes(17)).decode().rstrip("=")[:26]
