"""Seal a signed envelope for one authority, and open what others sealed for ours.

A sealed body is one line of JSON, a newline, and the HPKE ciphertext (RFC 9180, base mode):

    {"v":1,"suite":...,"sender":...,"recipient":...,"message_id":...,"key":...}

The line is given to HPKE as `info`, byte for byte, so none of its members can be changed. Base mode does not prove who sealed:
the signature inside does, and the three names on the line must be those of the signed header. What is encrypted is the
envelope, or the line of a second signature and then the envelope (gateway/trust/second.py).
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from cryptography.exceptions import InvalidTag

from gateway.errors import (
    CannotOpen,
    KeyMissing,
    SealMismatch,
    SecondSignatureInvalid,
    SecondSignatureMissing,
    SignerMismatch,
    TooLarge,
)
from gateway.partners.trust_rules import SecondSignature as Demand
from gateway.partners.trust_rules import stricter
from gateway.stages import MAX_MESSAGE_BYTES, Opened, Received, Sealed, Signed, Tree
from gateway.trust import policy as rules
from gateway.trust.certificates import TrustStore
from gateway.trust.folder import AUTHORITY
from gateway.trust.keys import KeyRing
from gateway.trust.second import SecondSignature, sign_second, split_second
from gateway.trust.suites import SUITES
from gateway.trust.verify import verify
from gateway.wire.documents import NS

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
KEY_ID = re.compile(r"[0-9a-f]{16}")
_MAX_HEADER_BYTES: Final = 512  # the longest header has about 250 bytes
CANNOT_OPEN: Final = "the sealed message cannot be opened"
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
            and UUID.fullmatch(self.message_id) is not None
            and KEY_ID.fullmatch(self.key) is not None
        )

    def as_dict(self) -> dict[str, str]:
        """Return the members but `v`."""
        return {name: getattr(self, name) for name in _NAMES}

    def as_line(self) -> bytes:
        """Return the one form of the line, without its newline."""
        return json.dumps({"v": 1, **self.as_dict()}, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What lay under a seal. Nobody has verified it yet."""

    header: Header
    second: SecondSignature | None
    envelope: bytes
    at: datetime  # UTC, when the message came: the instant at which it is judged


def seal(
    signed: Signed, *, message_id: str, sender: str, recipient: str, trust: TrustStore, ring: KeyRing | None = None
) -> Sealed:
    """Return `signed` encrypted for the recipient's newest sealing key that may be used when it was signed.

    `ring` holds the sender's key for a second signature, which is made where the partner folder of either side asks for one.

    Raises `SignerMismatch` if the sender did not sign it, `SealMismatch` for a name that cannot stand in a header, `TooLarge`,
    `KeyMissing` if no sealing key of the recipient is valid and of an allowed suite, or a second signature is required and
    the sender has no key for it.
    """
    if sender != signed.signer:
        raise SignerMismatch(f"the message was signed by {signed.signer}, not by {sender}")
    key = trust.sealing_key(recipient, signed.signed_at, sender=sender)
    header = Header(suite=key.suite.name, sender=sender, recipient=recipient, message_id=message_id, key=key.key_id)
    if not header.well_formed():
        raise SealMismatch("the sender, the recipient or the message id has not the form of one")
    line = header.as_line()
    plain = _with_second(signed, recipient, trust, ring)
    ciphertext = key.suite.hpke.encrypt(plain, key.public_key, info=line)
    body = line + b"\n" + ciphertext
    if len(body) > MAX_MESSAGE_BYTES:  # what `sign` writes always fits; with a timestamp it may not
        raise TooLarge(f"the sealed message has {len(body)} bytes; it may have at most {MAX_MESSAGE_BYTES}")
    return Sealed(body=body, message_id=message_id, sender=sender, recipient=recipient, digest=signed.digest)


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

    `break_seal` and then `verify_contents`; raises what they raise. Judged at `received.received_at`.
    """
    return verify_contents(break_seal(received, ring, trust), trust, policy, screen=screen)


def break_seal(received: Received, ring: KeyRing, trust: TrustStore) -> Contents:
    """Return what lies under a seal. Raises `CannotOpen` with one and the same text whatever keeps it shut, `TooLarge`."""
    header, plain = decrypt(received.body, ring)
    if not trust.may_seal(header.suite, received.received_at, header.sender, header.recipient):
        raise CannotOpen(CANNOT_OPEN)
    second, envelope = split_second(plain)
    return Contents(header=header, second=second, envelope=envelope, at=received.received_at)


def verify_contents(
    contents: Contents,
    trust: TrustStore,
    policy: rules.Policy = rules.STANDARD,
    *,
    screen: Callable[[bytes], None] | None = None,
) -> Opened:
    """Verify what lay under a seal, and check that the seal names the sender, recipient and message of the signed header.

    Raises `SealMismatch`, `SecondSignatureInvalid`, `SecondSignatureMissing`, and what `verify` raises. `screen` sees the
    envelope before it is parsed here, and raises what it will.
    """
    header, envelope = contents.header, contents.envelope
    if screen is not None:
        screen(envelope)
    opened = verify(envelope, trust, contents.at, policy)
    if header.sender != opened.signer or _addressed(opened.document) != (header.recipient, header.message_id):
        raise SealMismatch("the seal names another sender, recipient or message than the signed header")
    _check_second(contents.second, envelope, opened, header.recipient, trust, contents.at)
    return replace(opened, sealed_for=header.recipient, sealed_id=header.message_id)


def decrypt(body: bytes, ring: KeyRing) -> tuple[Header, bytes]:
    """Return the header of a sealed body and what was sealed; nobody has verified that yet. Raises `CannotOpen`, `TooLarge`.

    What was sealed is an envelope, or a second signature and an envelope: `split_second`.
    """
    header, line, ciphertext = _split(body)
    try:
        key = ring.sealing(header.recipient, header.key)
        if key.suite.name != header.suite:
            raise CannotOpen(CANNOT_OPEN)
        return header, key.suite.hpke.decrypt(ciphertext, key.private_key, info=line)
    except (KeyMissing, InvalidTag, ValueError):
        raise CannotOpen(CANNOT_OPEN) from None


def _with_second(signed: Signed, recipient: str, trust: TrustStore, ring: KeyRing | None) -> bytes:
    """Return what is encrypted: the envelope, after its second signature where one is to be made."""
    demand = _demand(trust, signed.signer, recipient)
    if demand is Demand.NONE:
        return signed.body
    for published in trust.second_keys(signed.signer, signed.signed_at):
        if ring is not None and (key := ring.second(signed.signer, published.key_id)) is not None:
            return sign_second(signed.body, key, published)
    if demand is Demand.REQUIRED:
        raise KeyMissing(f"{signed.signer} has no valid key for the second signature that is required towards {recipient}")
    return signed.body


def _check_second(
    second: SecondSignature | None, envelope: bytes, opened: Opened, recipient: str, trust: TrustStore, at: datetime
) -> None:
    """Check a second signature whenever one came; refuse a message without one where it is required.

    Its key must be valid at the claimed time of signing, and still when the message is judged: like the certificate.
    """
    if second is None:
        if _demand(trust, opened.signer, recipient) is Demand.REQUIRED:
            raise SecondSignatureMissing(f"a second signature is required between {opened.signer} and {recipient}")
        return
    for key in trust.second_keys(opened.signer, opened.signed_at):
        if key.key_id == second.key and key in trust.second_keys(opened.signer, max(at, opened.signed_at)):
            second.check(key, envelope)  # as it lies in the seal, a timestamp included
            return
    raise SecondSignatureInvalid(f"the second signature is by no key that {opened.signer} published and that is valid")


def _demand(trust: TrustStore, sender: str, recipient: str) -> Demand:
    return stricter(trust.rules(sender).second_signature, trust.rules(recipient).second_signature)


def _split(body: bytes) -> tuple[Header, bytes, bytes]:
    """Return header, its line without the newline, and the ciphertext."""
    if len(body) > MAX_MESSAGE_BYTES:
        raise TooLarge(f"the sealed message has {len(body)} bytes; at most {MAX_MESSAGE_BYTES} are taken in")
    line, newline, ciphertext = body[:_MAX_HEADER_BYTES].partition(b"\n")
    ciphertext = body[len(line) + 1 :]
    if not newline:
        raise CannotOpen(CANNOT_OPEN)
    try:
        content = json.loads(line)
        header = Header(**{name: content[name] for name in _NAMES})
        shaped = header.well_formed() and header.as_line() == line  # one form: no second header with the same meaning
    except (ValueError, KeyError, TypeError, RecursionError):
        raise CannotOpen(CANNOT_OPEN) from None
    if not shaped:
        raise CannotOpen(CANNOT_OPEN)
    return header, line, ciphertext


def _addressed(document: Tree) -> tuple[str | None, str | None]:
    """Return recipient and message id of the signed header."""
    return (
        document.findtext(f"{{{NS}}}Header/{{{NS}}}Recipient"),
        document.findtext(f"{{{NS}}}Header/{{{NS}}}MessageId"),
    )
