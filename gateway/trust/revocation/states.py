"""The words of revocation: what is known of one certificate at one instant, where from, and how strict we are about it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives import hashes

MOST_BYTES = 8 * 1_048_576  # of a list or an answer; the lists of large public issuers stay below 1 MB when they are split


class UnusableError(ValueError):
    """A list or an answer that proves nothing; the text says why, in words for an operator."""


def in_whole_bytes(signature: bytes, written: bytes) -> bool:
    """Tell whether a signature stands in `written` (DER) as whole bytes, as every signature is made.

    ASN.1 has it in a string of bits, whose first byte says how many bits of the last one do not count. Where these are zero,
    another number there leaves the signature as good as it was, in bytes that nobody signed.
    """
    return b"\x00" + signature in written


class State(StrEnum):
    """What is known of a certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"  # nothing usable was ever received, or the responder does not know the certificate
    STALE = "stale"  # what was received is out of date
    UNREACHABLE = "unreachable"  # nothing is here, and the last attempt to fetch it failed


class Source(StrEnum):
    """Who says so."""

    OCSP = "ocsp"
    CRL = "crl"
    LOCAL = "local"  # a person here


class Mode(StrEnum):
    """How strict an installation is."""

    REQUIRED = "required"  # every certificate must be known to be good
    WHEN_OFFERED = "when-offered"  # those that name a list or a responder must be
    OFF = "off"  # only what is known to be revoked is refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one list, answer or person says about one certificate."""

    source: Source
    known: bool  # False: the responder does not know the certificate
    this_update: datetime  # UTC
    next_update: datetime  # UTC; newer information is promised by then
    revoked_at: datetime | None = None  # UTC; from then on a signature proves nothing
    compromised: bool = False  # the key was in wrong hands: no signature proves anything, whenever it is said to be made


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of one certificate at one instant."""

    state: State
    offered: bool  # whether the certificate names a list or a responder, or something is known of it anyway
    why: str  # a sentence for an operator
    source: Source | None = None
    this_update: datetime | None = None
    next_update: datetime | None = None  # until then it is known; None where nothing is
    revoked_at: datetime | None = None  # of a good certificate: later than the instant asked for


# Signatures over lists and answers: nothing weaker than over a message.
STRONG: Final[tuple[type[hashes.HashAlgorithm], ...]] = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
