"""Seal a signed envelope for one authority, and open what others sealed for ours.

A sealed body is one line of JSON, a newline, and the HPKE ciphertext (RFC 9180, base mode):

    {"v":1,"suite":...,"sender":...,"recipient":...,"message_id":...,"key":...}

The line is given to HPKE as `info`, byte for byte, so none of its members can be changed. Base mode does not prove who sealed:
the signature inside does, and the three names on the line must be those of the signed header.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from cryptography.exceptions import InvalidTag

from gateway.errors import CannotOpen, KeyMissing, SealMismatch, SignerMismatch, TooLarge
from gateway.stages import MAX_MESSAGE_BYTES, Opened, Received, Sealed, Signed, Tree
from gateway.trust import policy as rules
from gateway.trust.certificates import TrustStore
from gateway.trust.folder import AUTHORITY
from gateway.trust.keys import KeyRing
from gateway.trust.suites import SUITES
from gateway.trust.verify import verify
from gateway.wire.documents import NS

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_KEY_ID = re.compile(r"[0-9a-f]{16}")
_MAX_HEADER_BYTES: Final = 512  # the longest header has about 250 bytes
_CANNOT_OPEN: Final = "the sealed message cannot be opened"
_NAMES: Final = ("suite", "sender", "recipient", "message_id", "key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line of a sealed body. Until the seal is open it is a claim of whoever sent the bytes."""

    suite: str
    sender: str
    recipient: str
    message_id: str
    key: str  # id of the recipient's sealing key

    def well_formed(self) -> bool:
        """Tell whether every value has the form of its kind; such values are harmless in a log or a journal."""
        return (
            self.suite in SUITES
            and AUTHORITY.fullmatch(self.sender) is not None
            and AUTHORITY.fullmatch(self.recipient) is not None
            and _UUID.fullmatch(self.message_id) is not None
            and _KEY_ID.fullmatch(self.key) is not None
        )

    def as_dict(self) -> dict[str, str]:
        """Return the members but `v`."""
        return {name: getattr(self, name) for name in _NAMES}

    def as_line(self) -> bytes:
        """Return the one form of the line, without its newline."""
        return json.dumps({"v": 1, **self.as_dict()}, separators=(",", ":")).encode()


def seal(signed: Signed, *, message_id: str, sender: str, recipient: str, trust: TrustStore) -> Sealed:
    """Return `signed` encrypted for the recipient's newest sealing key that is valid when it was signed.

    Raises `SignerMismatch` if the sender did not sign it, `SealMismatch` for a name that cannot stand in a header,
    `KeyMissing` if no sealing key of the recipient is valid.
    """
    if sender != signed.signer:
        raise SignerMismatch(f"the message was signed by {signed.signer}, not by {sender}")
    key = trust.sealing_key(recipient, signed.signed_at)
    header = Header(suite=key.suite.name, sender=sender, recipient=recipient, message_id=message_id, key=key.key_id)
    if not header.well_formed():
        raise SealMismatch("the sender, the recipient or the message id has not the form of one")
    line = header.as_line()
    ciphertext = key.suite.hpke.encrypt(signed.body, key.public_key, info=line)
    return Sealed(
        body=line + b"\n" + ciphertext, message_id=message_id, sender=sender, recipient=recipient, digest=signed.digest
    )


def peek(body: bytes) -> dict[str, str]:
    """Return the header of a sealed body: suite, sender, recipient, message_id, key.

    Nothing of it is proven: it serves to route, and to journal a message that was refused. The values have the form of their
    kind. Raises `CannotOpen`.
    """
    return _split(body)[0].as_dict()


def unseal(
    received: Received,
    ring: KeyRing,
    trust: TrustStore,
    policy: rules.Policy = rules.STANDARD,
    *,
    screen: Callable[[bytes], None] | None = None,
) -> Opened:
    """Open, verify, and check that the seal names the sender, recipient and message of the signed header.

    Raises `CannotOpen` with one and the same text whatever keeps it shut, `SealMismatch`, and what `verify` raises;
    judged at `received.received_at`. `screen` sees what was sealed before it is parsed here, and raises what it will.
    """
    header, plain = decrypt(received.body, ring)
    if screen is not None:
        screen(plain)
    opened = verify(plain, trust, received.received_at, policy)
    if header.sender != opened.signer or _addressed(opened.document) != (header.recipient, header.message_id):
        raise SealMismatch("the seal names another sender, recipient or message than the signed header")
    return replace(opened, sealed_for=header.recipient, sealed_id=header.message_id)


def decrypt(body: bytes, ring: KeyRing) -> tuple[Header, bytes]:
    """Return the header of a sealed body and what was sealed; nobody has verified that yet. Raises `CannotOpen`, `TooLarge`."""
    header, line, ciphertext = _split(body)
    try:
        key = ring.sealing(header.recipient, header.key)
        if key.suite.name != header.suite:
            raise CannotOpen(_CANNOT_OPEN)
        return header, key.suite.hpke.decrypt(ciphertext, key.private_key, info=line)
    except (KeyMissing, InvalidTag, ValueError):
        raise CannotOpen(_CANNOT_OPEN) from None


def _split(body: bytes) -> tuple[Header, bytes, bytes]:
    """Return header, its line without the newline, and the ciphertext."""
    if len(body) > MAX_MESSAGE_BYTES:
        raise TooLarge(f"the sealed message has {len(body)} bytes; at most {MAX_MESSAGE_BYTES} are taken in")
    line, newline, ciphertext = body[:_MAX_HEADER_BYTES].partition(b"\n")
    ciphertext = body[len(line) + 1 :]
    if not newline:
        raise CannotOpen(_CANNOT_OPEN)
    try:
        content = json.loads(line)
        header = Header(**{name: content[name] for name in _NAMES})
        shaped = header.well_formed() and header.as_line() == line  # one form: no second header with the same meaning
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CannotOpen(_CANNOT_OPEN) from None
    if not shaped:
        raise CannotOpen(_CANNOT_OPEN)
    return header, line, ciphertext


def _addressed(document: Tree) -> tuple[str | None, str | None]:
    """Return recipient and message id of the signed header."""
    return (
        document.findtext(f"{{{NS}}}Header/{{{NS}}}Recipient"),
        document.findtext(f"{{{NS}}}Header/{{{NS}}}MessageId"),
    )
