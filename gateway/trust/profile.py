"""The one signature profile, as bytes: XAdES baseline B, enveloped, exclusive C14N, digests by SHA-256.

    <Envelope xmlns="urn:readmission-gateway:envelope:1.0" version="1.0"> one message <ds:Signature/> </Envelope>

Everything here is already in canonical form (W3C Exclusive XML Canonicalization 1.0), so a signature is made by joining
templates and checked by making it again. Only the signature method depends on the key (gateway/trust/algorithms.py). Names
with `_ALONE` are an element as it is digested by itself, with the namespaces it would inherit written out; without it, the
element as it stands in the envelope.

Sources: W3C XML Signature 1.1; ETSI EN 319 132-1 (XAdES): SigningTime, SigningCertificateV2, DataObjectFormat, level B.
"""

import re
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha256

from gateway.stages import MAX_MESSAGE_BYTES
from gateway.trust.algorithms import ALGORITHMS, SignatureAlgorithm
from gateway.wire.namespaces import ENVELOPE_NS

DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_PROPERTIES_TYPE = "http://uri.etsi.org/01903#SignedProperties"

OPEN = f'<Envelope xmlns="{ENVELOPE_NS}" version="1.0">'.encode()
CLOSE = b"</Envelope>"
# Leaves room for the seal and a second signature: a sealed message, too, has at most MAX_MESSAGE_BYTES.
MAX_ENVELOPE_BYTES = MAX_MESSAGE_BYTES - 8192


def _method(name: str, algorithm: str) -> str:
    return f'<ds:{name} Algorithm="{algorithm}"></ds:{name}>'


def _with_ds(name: str) -> bytes:
    return f'<{name} xmlns:ds="{DS}"'.encode()


CANONICALIZATION = _method("CanonicalizationMethod", _EXCLUSIVE).encode()
_SIGNED_INFO_START = b"<ds:SignedInfo>" + CANONICALIZATION
_SIGNED_INFO_HEAD = (
    '<ds:Reference Id="envelope" URI=""><ds:Transforms>'
    + _method("Transform", f"{DS}enveloped-signature")
    + _method("Transform", _EXCLUSIVE)
    + "</ds:Transforms>"
    + _method("DigestMethod", _SHA256)
    + "<ds:DigestValue>"
).encode()
_SIGNED_INFO_MIDDLE = (
    f'</ds:DigestValue></ds:Reference><ds:Reference Type="{_PROPERTIES_TYPE}" URI="#signed-properties"><ds:Transforms>'
    + _method("Transform", _EXCLUSIVE)
    + "</ds:Transforms>"
    + _method("DigestMethod", _SHA256)
    + "<ds:DigestValue>"
).encode()
_SIGNED_INFO_TAIL = b"</ds:DigestValue></ds:Reference></ds:SignedInfo>"
_SIGNED_INFO_START_ALONE = _SIGNED_INFO_START.replace(b"<ds:SignedInfo", _with_ds("ds:SignedInfo"), 1)
_SIGNATURE_METHODS = {name: _method("SignatureMethod", each.uri).encode() for name, each in ALGORITHMS.items()}

_PROPERTIES_HEAD = b'<xades:SignedProperties Id="signed-properties"><xades:SignedSignatureProperties><xades:SigningTime>'
_PROPERTIES_MIDDLE = (
    "</xades:SigningTime><xades:SigningCertificateV2><xades:Cert><xades:CertDigest>"
    + _method("DigestMethod", _SHA256)
    + "<ds:DigestValue>"
).encode()
_PROPERTIES_TAIL = (
    b"</ds:DigestValue></xades:CertDigest></xades:Cert></xades:SigningCertificateV2></xades:SignedSignatureProperties>"
    b'<xades:SignedDataObjectProperties><xades:DataObjectFormat ObjectReference="#envelope">'
    b"<xades:MimeType>application/xml</xades:MimeType></xades:DataObjectFormat></xades:SignedDataObjectProperties>"
    b"</xades:SignedProperties>"
)
_PROPERTIES_HEAD_ALONE = _PROPERTIES_HEAD.replace(
    b"<xades:SignedProperties", f'<xades:SignedProperties xmlns:xades="{XADES}"'.encode(), 1
)
_PROPERTIES_MIDDLE_ALONE = _PROPERTIES_MIDDLE.replace(b"<ds:DigestMethod", _with_ds("ds:DigestMethod"), 1).replace(
    b"<ds:DigestValue", _with_ds("ds:DigestValue"), 1
)

_VALUE_ALONE = _with_ds("ds:SignatureValue") + b">%b</ds:SignatureValue>"
_SIGNATURE_HEAD = f'<ds:Signature xmlns:ds="{DS}" Id="signature">'.encode()
_OBJECT_HEAD = (
    f'</ds:X509Data></ds:KeyInfo><ds:Object><xades:QualifyingProperties xmlns:xades="{XADES}" Target="#signature">'.encode()
)
SIGNATURE_TAIL = b"</xades:QualifyingProperties></ds:Object></ds:Signature>"
SIGNATURE_START = _SIGNATURE_HEAD
_BASE64 = rb"([A-Za-z0-9+/=]+)"
_CERTIFICATE = re.compile(rb"<ds:X509Certificate>([A-Za-z0-9+/=]+)</ds:X509Certificate>")
_WRITTEN = re.compile(
    re.escape(_SIGNATURE_HEAD + _SIGNED_INFO_START)
    + b"(?:"
    + b"|".join(map(re.escape, _SIGNATURE_METHODS.values()))
    + b")"
    + re.escape(_SIGNED_INFO_HEAD)
    + _BASE64
    + re.escape(_SIGNED_INFO_MIDDLE)
    + _BASE64
    + re.escape(_SIGNED_INFO_TAIL + b"<ds:SignatureValue>")
    + _BASE64
    + re.escape(b"</ds:SignatureValue><ds:KeyInfo><ds:X509Data>")
    + rb"((?:<ds:X509Certificate>[A-Za-z0-9+/=]+</ds:X509Certificate>)+)"
    + re.escape(_OBJECT_HEAD + _PROPERTIES_HEAD)
    + rb"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z)"
    + re.escape(_PROPERTIES_MIDDLE)
)


_DIGEST = rb"[A-Za-z0-9+/]{43}="  # SHA-256 in base64
_SIGNED_INFO = {
    name: re.compile(
        re.escape(_SIGNED_INFO_START_ALONE + method + _SIGNED_INFO_HEAD)
        + _DIGEST
        + re.escape(_SIGNED_INFO_MIDDLE)
        + _DIGEST
        + re.escape(_SIGNED_INFO_TAIL)
    )
    for name, method in _SIGNATURE_METHODS.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The values of a signature as they stand in its bytes."""

    envelope_digest: bytes  # base64
    value: bytes  # base64
    certificates: tuple[bytes, ...]  # base64 of DER
    signing_time: bytes


def digest(data: bytes) -> bytes:
    """Return SHA-256 in base64, as a DigestValue holds it."""
    return b64encode(sha256(data).digest())


def signed_properties_alone(signing_time: bytes, certificate_digest: bytes) -> bytes:
    """Return the SignedProperties as they are digested. `signing_time` is `YYYY-MM-DDTHH:MM:SSZ`."""
    return b"".join((_PROPERTIES_HEAD_ALONE, signing_time, _PROPERTIES_MIDDLE_ALONE, certificate_digest, _PROPERTIES_TAIL))


def signed_info_alone(algorithm: SignatureAlgorithm, envelope_digest: bytes, properties_digest: bytes) -> bytes:
    """Return the SignedInfo as it is signed."""
    return b"".join(
        (
            _SIGNED_INFO_START_ALONE,
            _SIGNATURE_METHODS[algorithm.name],
            _SIGNED_INFO_HEAD,
            envelope_digest,
            _SIGNED_INFO_MIDDLE,
            properties_digest,
            _SIGNED_INFO_TAIL,
        )
    )


def is_signed_info_alone(data: bytes, algorithm: SignatureAlgorithm) -> bool:
    """Tell whether `signed_info_alone` writes exactly these bytes for some envelope and this algorithm."""
    return _SIGNED_INFO[algorithm.name].fullmatch(data) is not None


def signature_value_alone(value: bytes) -> bytes:
    """Return the SignatureValue as a timestamp covers it. `value` is in base64."""
    return _VALUE_ALONE % value


def key_info(chain: tuple[bytes, ...]) -> bytes:
    """Return the certificates (DER) as they stand in X509Data."""
    return b"".join(b"<ds:X509Certificate>%b</ds:X509Certificate>" % b64encode(each) for each in chain)


def signature(
    *,
    algorithm: SignatureAlgorithm,
    envelope_digest: bytes,
    properties_digest: bytes,
    value: bytes,
    certificates: bytes,
    signing_time: bytes,
    certificate_digest: bytes,
) -> bytes:
    """Return the whole ds:Signature. `value` is raw, `certificates` what `key_info` returns, digests are in base64."""
    return b"".join(
        (
            _SIGNATURE_HEAD,
            _SIGNED_INFO_START,
            _SIGNATURE_METHODS[algorithm.name],
            _SIGNED_INFO_HEAD,
            envelope_digest,
            _SIGNED_INFO_MIDDLE,
            properties_digest,
            _SIGNED_INFO_TAIL,
            b"<ds:SignatureValue>",
            b64encode(value),
            b"</ds:SignatureValue><ds:KeyInfo><ds:X509Data>",
            certificates,
            _OBJECT_HEAD,
            _PROPERTIES_HEAD,
            signing_time,
            _PROPERTIES_MIDDLE,
            certificate_digest,
            _PROPERTIES_TAIL,
            SIGNATURE_TAIL,
        )
    )


def read_signature(data: bytes) -> Written | None:
    """Return the values that `signature` put into `data`, None if it cannot have written these bytes.

    Loose: whoever reads them makes the signature again from what was read, and compares.
    """
    found = _WRITTEN.match(data)
    if found is None:
        return None
    envelope_digest, _, value, certificates, signing_time = found.groups()
    return Written(
        envelope_digest=envelope_digest,
        value=value,
        certificates=tuple(_CERTIFICATE.findall(certificates)),
        signing_time=signing_time,
    )
