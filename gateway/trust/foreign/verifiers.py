"""Other people's verifiers, each behind one call: this signature over this envelope is by the key of this certificate.

A missing library is found when it is needed, or at the start (`require`). Facts about both: signxml accepts signatures over a
part, and any certificate of an authority, unless told otherwise; xmlsec's KeysManager takes 22 ms to make and is not needed
where the one key is known; xmlsec and lxml must be built with the same libxml2.
"""

import importlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from gateway.errors import ForeignVerifierMissing, SignatureInvalid
from gateway.trust.foreign.claims import DIGESTS, Claims
from gateway.trust.profile import DS
from gateway.wire.documents import parse_xml

Check = Callable[[bytes, Claims, bytes, bytes], None]


def check_by(name: str, body: bytes, claims: Claims, certificate: bytes, content: bytes) -> None:
    """Raise `SignatureInvalid` unless the verifier `name` finds the signature in `body` good.

    `certificate` (DER) is the pinned one, `content` the canonical form of the envelope that the signature must cover.
    """
    _CHECKS[name](body, claims, certificate, content)


def require(names: Iterable[str]) -> None:
    """Raise `ForeignVerifierMissing` unless every verifier of `names` is installed."""
    for name in names:
        _library(name)


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except Exception as error:  # xmlsec raises an error of its own, which cannot be named before it is imported
        raise ForeignVerifierMissing(
            f"the verifier {name} is not installed, or not for this lxml; install readmission-gateway[foreign]"
        ) from error


def _by_signxml(body: bytes, claims: Claims, certificate: bytes, content: bytes) -> None:
    signxml = _library("signxml")
    found = x509.load_der_x509_certificate(certificate)
    wanted = signxml.SignatureConfiguration(
        require_x509=True,
        location="./",
        expect_references=claims.references,
        signature_methods=frozenset({signxml.SignatureMethod(claims.method)}),
        digest_algorithms=frozenset(signxml.DigestAlgorithm(uri) for uri in DIGESTS),
        verification_time=found.not_valid_before_utc,  # when it counts is not the library's to judge: the trust store did
    )
    try:
        results = signxml.XMLVerifier().verify(body, x509_cert=found, expect_config=wanted)
    except (_library("signxml.exceptions").SignXMLException, InvalidSignature, etree.LxmlError, ValueError, TypeError) as error:
        raise SignatureInvalid("signxml does not find the signature good") from error
    covered = [each.signed_data for each in (results if isinstance(results, list) else [results])]
    if content not in covered:
        raise SignatureInvalid("signxml does not find the whole envelope covered")


def _by_xmlsec(body: bytes, claims: Claims, certificate: bytes, content: bytes) -> None:
    del content  # the caller compares the digest, which stands in what is verified here
    xmlsec = _library("xmlsec")
    envelope = parse_xml(body)
    signature = envelope[-1]
    pem = x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatCertPem, None)
    by_uri = {each.href: each for each in _transforms(xmlsec)}
    for transform in by_uri.values():
        if transform.usage & xmlsec.constants.TransformUsageDSigTransform or transform.href in DIGESTS:
            context.enable_reference_transform(transform)
        if transform.usage & xmlsec.constants.TransformUsageC14NMethod or transform.href == claims.method:
            context.enable_signature_transform(transform)
    for node in signature.iter(f"{{{DS}}}KeyInfo", "{*}SignedProperties"):
        if node.get("Id"):
            context.register_id(node, "Id")
    try:
        context.verify(signature)
    except xmlsec.Error as error:
        raise SignatureInvalid("xmlsec does not find the signature good") from error


def _transforms(xmlsec: Any) -> Iterable[Any]:
    known = xmlsec.constants
    return (
        known.TransformEnveloped,
        known.TransformExclC14N,
        known.TransformInclC14N,
        known.TransformInclC14N11,
        known.TransformSha256,
        known.TransformSha384,
        known.TransformSha512,
        known.TransformEcdsaSha256,
        known.TransformEcdsaSha384,
        known.TransformRsaSha256,
    )


_CHECKS: Final[Mapping[str, Check]] = {"signxml": _by_signxml, "xmlsec": _by_xmlsec}
