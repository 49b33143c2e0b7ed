"""Seal one part of an attachment for one authority, and open what others sealed for ours.

A sealed part is one line of JSON, a newline, and the HPKE ciphertext (RFC 9180, base mode), as a sealed message is:

    {"part":1,"suite":...,"sender":...,"recipient":...,"message_id":...,"sha256":...,"number":...,"of":...,"key":...}

The line is given to HPKE as `info`, byte for byte, so no part can stand in another place or belong to another message. Its
first member tells it from a message before anything is parsed. A part carries no signature: the signed message names the digest
of the whole file, and no file is used before it has that digest.
"""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cryptography.exceptions import InvalidTag

from gateway.errors import CannotOpen, KeyMissing, SealMismatch, TooLarge
from gateway.stages import MAX_ATTACHMENT_BYTES, PART_BYTES
from gateway.trust.certificates import TrustStore
from gateway.trust.folder import AUTHORITY
from gateway.trust.keys import KeyRing
from gateway.trust.seal import CANNOT_OPEN, KEY_ID, UUID
from gateway.trust.suites import SUITES

MOST_PARTS: Final = MAX_ATTACHMENT_BYTES // PART_BYTES
_BEGINS: Final = b'{"part":1,'
_MAX_HEADER_BYTES: Final = 512  # the longest header has about 340 bytes
_MAX_PART_BYTES: Final = PART_BYTES + 2048  # with header, encapsulated key (1,120) and tag
_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAMES: Final = ("suite", "sender", "recipient", "message_id", "sha256", "number", "of", "key")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartHeader:
    """The first line of a sealed part. Until the part is open it is a claim of whoever sent the bytes."""

    suite: str
    sender: str
    recipient: str
    message_id: str
    sha256: str  # of the whole file
    number: int  # from 1
    of: int  # parts of the file
    key: str  # id of the recipient's sealing key

    def well_formed(self) -> bool:
        """Tell whether every value has the form of its kind."""
        return (
            self.suite in SUITES
            and AUTHORITY.fullmatch(self.sender) is not None
            and AUTHORITY.fullmatch(self.recipient) is not None
            and UUID.fullmatch(self.message_id) is not None
            and _DIGEST.fullmatch(self.sha256) is not None
            and type(self.number) is int  # True is an int too, and would be written differently
            and type(self.of) is int
            and 1 <= self.number <= self.of <= MOST_PARTS
            and KEY_ID.fullmatch(self.key) is not None
        )

    def as_line(self) -> bytes:
        """Return the one form of the line, without its newline."""
        return json.dumps({"part": 1, **{name: getattr(self, name) for name in _NAMES}}, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An opened part. Who sealed it is not proven; the whole file proves itself by its digest."""

    header: PartHeader
    data: bytes


def is_part(body: bytes) -> bool:
    """Tell a sealed part from a sealed message."""
    return body.startswith(_BEGINS)


def seal_part(
    data: bytes,
    *,
    sender: str,
    recipient: str,
    message_id: str,
    sha256: str,
    number: int,
    of: int,
    trust: TrustStore,
    at: datetime,
) -> bytes:
    """Return one part encrypted for the recipient's newest sealing key that is valid at `at`.

    Sealing it again gives other bytes; a receiver keeps whichever comes first. Raises `SealMismatch`, `KeyMissing`.
    """
    key = trust.sealing_key(recipient, at)
    header = PartHeader(
        suite=key.suite.name,
        sender=sender,
        recipient=recipient,
        message_id=message_id,
        sha256=sha256,
        number=number,
        of=of,
        key=key.key_id,
    )
    if not header.well_formed():
        raise SealMismatch("a name or number of the part has not the form of one")
    line = header.as_line()
    return line + b"\n" + key.suite.hpke.encrypt(data, key.public_key, info=line)


def open_part(body: bytes, ring: KeyRing) -> Part:
    """Open a sealed part.

    Raises `TooLarge`, and `CannotOpen` with one and the same text whatever keeps it shut or is wrong with its form.
    """
    if len(body) > _MAX_PART_BYTES:
        raise TooLarge(f"the sealed part has {len(body)} bytes; at most {_MAX_PART_BYTES} are taken in")
    header, line = _header(body)
    try:
        key = ring.sealing(header.recipient, header.key)
        if key.suite.name != header.suite:
            raise CannotOpen(CANNOT_OPEN)
        data = key.suite.hpke.decrypt(body[len(line) + 1 :], key.private_key, info=line)
    except (KeyMissing, InvalidTag, ValueError):
        raise CannotOpen(CANNOT_OPEN) from None
    whole = header.number < header.of
    if not data or len(data) > PART_BYTES or (whole and len(data) != PART_BYTES):
        raise CannotOpen(CANNOT_OPEN)
    return Part(header=header, data=data)


def _header(body: bytes) -> tuple[PartHeader, bytes]:
    """Return the header and its line without the newline. Raises `CannotOpen`."""
    line, newline, _ = body[:_MAX_HEADER_BYTES].partition(b"\n")
    if not newline:
        raise CannotOpen(CANNOT_OPEN)
    try:
        content: dict[str, Any] = json.loads(line)
        header = PartHeader(**{name: content[name] for name in _NAMES})
        shaped = header.well_formed() and header.as_line() == line  # one form: no second header with the same meaning
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CannotOpen(CANNOT_OPEN) from None
    if not shaped:
        raise CannotOpen(CANNOT_OPEN)
    return header, line
