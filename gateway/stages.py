"""The frozen types a message passes through. Read this first.

A value changes its type at each stage, and each step accepts only the type of the step before it:

    inbound    Received -> Opened -> Checked -> Message (domain/messages.py) -> saved
    outbound   Submitted -> Checked -> Message -> Signed -> Sealed -> saved in the outbox -> carried

XML that nobody verified is a `Received`; `validate` takes an `Opened`. Skipping a step does not type-check.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

# An lxml element. The stubs of lxml are stricter than lxml itself, so the tree is typed where it is built: in wire and trust.
Tree: TypeAlias = Any

MAX_MESSAGE_BYTES = 1_048_576  # 1 MiB without attachments; attachments never travel inside the XML


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """Bytes as a transport handed them over. Nothing about them is trusted."""

    body: bytes
    received_at: datetime  # UTC
    transport: str  # name of the transport, for the journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """Bytes as a home authority handed them in, in one of its dialects or in canonical form."""

    body: bytes
    authority: str  # the home authority on whose behalf it was handed in
    dialect: str  # "ba/ms-xml" or "canonical"
    submitted_at: datetime  # UTC
    actor: str  # account or API key that handed it in


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Unsealed and verified: `document` is parsed again from exactly the bytes that were signed."""

    document: Tree  # root of the canonical message inside the envelope
    signed: bytes  # the signed envelope, as it came out of the seal; without its timestamp, if it had one
    digest: str  # SHA-256 of `signed`, lower-case hex; what receipts and answers refer to
    inside: str  # SHA-256 of the canonical message inside the envelope, lower-case hex; what a mapping report refers to
    signer: str  # authority whose pinned certificate signed it
    signed_at: datetime  # UTC, as claimed in the signed properties
    sealed_for: str | None  # authority whose key opened it; None for an envelope that was not sealed
    sealed_id: str | None  # message id bound into the seal
    stamped_at: datetime | None = None  # UTC, time of its timestamp (profile T); None for an envelope without one
    timestamp_authority: str | None = None  # subject of the certificate of the authority that gave it, RFC 4514


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A canonical document that meets the schema and the rules between fields."""

    document: Tree
    type: str  # local name of the root, e.g. "ReadmissionApplication"
    schema_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signed envelope, not yet encrypted."""

    body: bytes
    digest: str  # SHA-256 of `body`, lower-case hex
    signer: str
    signed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A signed envelope encrypted for one authority. A retry sends these identical bytes."""

    body: bytes
    message_id: str
    sender: str
    recipient: str
    digest: str  # of the signed envelope inside
