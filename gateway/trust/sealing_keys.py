"""The published sealing keys: which key to seal with for an authority. The document: gateway/trust/key_documents.py."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from gateway.trust import key_documents
from gateway.trust.folder import SEALING
from gateway.trust.key_documents import Kind, PublishedKey
from gateway.trust.signing_key import SigningKey
from gateway.trust.suites import SUITES, PublicKey, SealingSuite


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingKey(PublishedKey):
    """An authority's public sealing key."""

    suite: SealingSuite
    public_key: PublicKey


def _make(fields: dict[str, Any]) -> SealingKey:
    suite = SUITES[fields["scheme"]]
    public_key = suite.load_public(fields["raw"])
    # Some bytes are read as a key and cannot be sealed with (a point of low order); better here than with a message in hand.
    suite.hpke.encrypt(b"", public_key, info=b"")
    return SealingKey(**fields, suite=suite, public_key=public_key)


SEALING_KEYS: Final = Kind(noun="sealing key", folder=SEALING, private="sealing", member="suite", make=_make)


def write_document(
    signer: SigningKey, suite: SealingSuite, public: bytes, not_before: datetime, not_after: datetime, *, version: int
) -> bytes:
    """Return the signed document of a raw public sealing key. Arguments as `key_documents.write_document`."""
    return key_documents.write_document(SEALING_KEYS, signer, suite, public, not_before, not_after, version=version)
