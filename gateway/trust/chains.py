"""Chains of certificates: whether one ends at an anchor at an instant, with every certificate used for what it is meant for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store, VerificationError

from gateway.errors import SignerNotTrusted

MAX_CHAIN = 4  # certificates without the anchor
# What the library raises for bytes that are no certificate, list or answer, some of it only when a part is looked at.
UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)

# A certificate may state its purposes (RFC 5280, 4.2.1.12); then signing documents must be one of them.
# Document signing is RFC 9336; the other is the older number in wide use for the same.
SIGNING_PURPOSES = {
    x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36"),
    x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.12"),
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
}
# Extensions of a signing certificate that may be critical: the policy below acts on them. An extension is made critical so
# that whoever does not act on it refuses, and certificate policies are not acted on: who may sign is decided by pins.
UNDERSTOOD = {ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE, ExtensionOID.BASIC_CONSTRAINTS}


def _may_sign(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage) -> None:
    if not usage.digital_signature:
        raise ValueError("the certificate is not for digital signatures")


def _meant_for_documents(_policy: Policy, _certificate: x509.Certificate, usage: x509.ExtendedKeyUsage | None) -> None:
    if usage is not None and SIGNING_PURPOSES.isdisjoint(usage):
        raise ValueError("the certificate is for other purposes than signing documents")


def _not_an_issuer(_policy: Policy, _certificate: x509.Certificate, basic: x509.BasicConstraints | None) -> None:
    if basic is not None and basic.ca:
        raise ValueError("the certificate is a certificate authority's")


_SIGNER_POLICY = (
    ExtensionPolicy.permit_all()
    .require_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign)
    .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _meant_for_documents)
    .may_be_present(x509.BasicConstraints, Criticality.AGNOSTIC, _not_an_issuer)
)


def verify(
    certificates: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], at: datetime, authority: str
) -> tuple[x509.Certificate, ...]:
    """Return the chain with its anchor at the end. `certificates` are the signing certificate and exactly its issuers.

    Raises `SignerNotTrusted`.
    """
    verifier = (
        PolicyBuilder()
        .store(Store(list(anchors)))
        .time(at)
        .max_chain_depth(MAX_CHAIN)
        .extension_policies(ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=_SIGNER_POLICY)
        .build_client_verifier()
    )
    if any(each.critical and each.oid not in UNDERSTOOD for each in _extensions(certificates[0])):
        raise SignerNotTrusted(f"the certificate of {authority} has a critical extension that is not understood")
    try:
        path = verifier.verify(certificates[0], list(certificates[1:])).chain
    except (VerificationError, *UNREADABLE) as error:
        raise SignerNotTrusted(f"the chain of {authority}'s certificate does not verify") from error
    if path[:-1] != list(certificates):  # nothing may travel beside the chain, under a signature that does not cover it
        raise SignerNotTrusted(f"the certificates sent by {authority} are not exactly its chain")
    return tuple(path)


def _extensions(certificate: x509.Certificate) -> list[x509.Extension[x509.ExtensionType]]:
    try:
        return list(certificate.extensions)
    except UNREADABLE:
        raise SignerNotTrusted("an extension of the certificate cannot be read") from None
