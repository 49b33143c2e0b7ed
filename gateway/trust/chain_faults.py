"""Why a chain is not trusted, in words, with what to do: for a person, after `chains.verify` refused it.

It looks at one rule after another and names each that is broken; it decides nothing.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtensionOID

from gateway.trust.chains import MAX_CHAIN, SIGNING_PURPOSES, UNDERSTOOD, UNREADABLE
from gateway.trust.revocation.states import STRONG

_MIN_RSA_BITS = 2048  # of an issuer
_UNDERSTOOD_OF_ISSUERS = {*UNDERSTOOD, ExtensionOID.NAME_CONSTRAINTS}


def faults(certificates: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], at: datetime) -> list[str]:
    """Return what is wrong with a chain (leaf first, without the anchor); never empty."""
    try:
        found = [*_of_leaf(certificates[0]), *_of_order(certificates, anchors), *_of_issuers(certificates[1:])]
        found += [each for one in (*certificates, *anchors_of(certificates[-1], anchors)) for each in _of_time(one, at)]
    except UNREADABLE:
        return ["an extension of a certificate cannot be read; ask for a certificate that keeps to RFC 5280"]
    return found or ["a rule of RFC 5280 is broken that is not looked at one by one; ask the issuer for a new certificate"]


def anchors_of(certificate: x509.Certificate, anchors: Sequence[x509.Certificate]) -> list[x509.Certificate]:
    """Return the anchors that bear the name of the certificate's issuer and signed it."""
    return [each for each in anchors if each.subject == certificate.issuer and _signed(certificate, each)]


def _signed(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def _of_leaf(leaf: x509.Certificate) -> Iterator[str]:
    values = {type(each.value): each.value for each in leaf.extensions}
    usage, basic = values.get(x509.KeyUsage), values.get(x509.BasicConstraints)
    if not isinstance(usage, x509.KeyUsage) or not usage.digital_signature:
        yield "the certificate is not for digital signatures (key usage); ask for one that is"
    purposes = values.get(x509.ExtendedKeyUsage)
    if isinstance(purposes, x509.ExtendedKeyUsage) and SIGNING_PURPOSES.isdisjoint(purposes):
        yield "the certificate is for other purposes than signing documents (extended key usage); ask for one that is"
    if isinstance(basic, x509.BasicConstraints) and basic.ca:
        yield "the certificate is a certificate authority's; pin the certificate of the signing key"
    for each in leaf.extensions:
        if each.critical and each.oid not in UNDERSTOOD:
            yield f"the certificate has the critical extension {each.oid.dotted_string}, which is not understood"


def _of_order(certificates: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate]) -> Iterator[str]:
    if len(certificates) > MAX_CHAIN:
        yield f"the chain has more than {MAX_CHAIN} certificates"
    for below, above in pairwise(certificates):
        if not _signed(below, above):
            yield (
                f"the certificate of {_name(below)} is not signed by the next one in the file, {_name(above)}; "
                "lay the certificates in order: the signing certificate, then each issuer, without the root"
            )
    top = certificates[-1]
    if top.issuer == top.subject:
        yield f"the chain ends in {_name(top)}, which signed itself; only a root in anchors/ may, and it is not sent along"
    elif not any(each.subject == top.issuer for each in anchors):
        yield (
            f"no anchor bears the name of the issuer {_issuer(top)}; add the missing intermediate certificate to the file, "
            "or the root to anchors/"
        )
    elif not anchors_of(top, anchors):
        yield f"the anchor that bears the name {_issuer(top)} did not sign it; ask the partner which root is the right one"


def _of_issuers(issuers: Sequence[x509.Certificate]) -> Iterator[str]:
    for below, each in enumerate(issuers):
        values = {type(one.value): one.value for one in each.extensions}
        basic, usage = values.get(x509.BasicConstraints), values.get(x509.KeyUsage)
        if not isinstance(basic, x509.BasicConstraints) or not basic.ca:
            yield f"{_name(each)} stands as an issuer but is no certificate authority's"
        elif basic.path_length is not None and below > basic.path_length:
            yield f"{_name(each)} may not stand above so many issuers (path length {basic.path_length})"
        if not isinstance(usage, x509.KeyUsage) or not usage.key_cert_sign:
            yield f"{_name(each)} stands as an issuer but may not sign certificates (key usage)"
        key = each.public_key()
        if isinstance(key, rsa.RSAPublicKey) and key.key_size < _MIN_RSA_BITS:
            yield f"the key of {_name(each)} is too weak"
        if not isinstance(each.signature_hash_algorithm, STRONG):
            yield f"{_name(each)} is signed with a weak or unknown algorithm"
        for one in each.extensions:
            if one.critical and one.oid not in _UNDERSTOOD_OF_ISSUERS:
                yield f"{_name(each)} has the critical extension {one.oid.dotted_string}, which is not understood"
        if x509.NameConstraints in values:
            yield f"{_name(each)} limits the names below it; names that it cannot judge are refused"


def _of_time(certificate: x509.Certificate, at: datetime) -> Iterator[str]:
    if at < certificate.not_valid_before_utc:
        yield f"{_name(certificate)} is not valid before {certificate.not_valid_before_utc:%Y-%m-%d}; is the clock right?"
    if at > certificate.not_valid_after_utc:
        yield f"{_name(certificate)} ended on {certificate.not_valid_after_utc:%Y-%m-%d}; ask the partner for the next one"


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or "(no name)"


def _issuer(certificate: x509.Certificate) -> str:
    return certificate.issuer.rfc4514_string() or "(no name)"
