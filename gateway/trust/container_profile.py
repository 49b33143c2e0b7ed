"""The one signature profile of a case file, as bytes: XAdES baseline B or T over the files of an ASiC-E container, detached.

    META-INF/signatures001.xml   <asic:XAdESSignatures> one ds:Signature </asic:XAdESSignatures>
    META-INF/manifest.xml        <manifest:manifest> every signed file with its media type </manifest:manifest>

One ds:Reference per file, in the order of the container, without transforms: the digest is that of the file's bytes. As in
profile.py everything is in canonical form already, so a signature is made by joining templates and checked by making it again.

Sources: ETSI EN 319 162-1 (ASiC-E with XAdES, 4.4.3.2, A.1); ETSI EN 319 132-1; OASIS OpenDocument 1.2 part 3 (manifest).
"""

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.partners.formats import document_media_types
from gateway.trust import profile, stamped
from gateway.trust.algorithms import SignatureAlgorithm
from gateway.trust.profile import DS, XADES

ASIC = "http://uri.etsi.org/02918/v1.2.1#"
SIGNATURES = "META-INF/signatures001.xml"
MANIFEST = "META-INF/manifest.xml"
MEDIA_TYPES = frozenset(
    {
        "application/x-ndjson",
        "application/pdf",
        "application/pem-certificate-chain",
        "application/octet-stream",
        "application/pkix-crl",
        "application/ocsp-response",
        "application/timestamp-reply",
        "image/jpeg",
        "image/png",
        *document_media_types(),
    }
)
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_PROPERTIES_TYPE = "http://uri.etsi.org/01903#SignedProperties"
_MANIFEST_NS = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedFile:
    """One file of a container, as its signature names it."""

    name: str
    media_type: str
    digest: bytes  # SHA-256, base64


def _empty(name: str, algorithm: str) -> str:
    return f'<ds:{name} Algorithm="{algorithm}"></ds:{name}>'


_METHOD = _empty("DigestMethod", _SHA256)
_INFO_HEAD = "<ds:SignedInfo>" + _empty("CanonicalizationMethod", _EXCLUSIVE)
_INFO_TAIL = (
    f'<ds:Reference Type="{_PROPERTIES_TYPE}" URI="#signed-properties"><ds:Transforms>'
    + _empty("Transform", _EXCLUSIVE)
    + f"</ds:Transforms>{_METHOD}<ds:DigestValue>%s</ds:DigestValue></ds:Reference></ds:SignedInfo>"
)
_PROPERTIES = (
    '<xades:SignedProperties%s Id="signed-properties"><xades:SignedSignatureProperties>'
    "<xades:SigningTime>%s</xades:SigningTime><xades:SigningCertificateV2><xades:Cert><xades:CertDigest>"
    + _METHOD.replace("<ds:DigestMethod", "<ds:DigestMethod%s")
    + "<ds:DigestValue%s>%s</ds:DigestValue></xades:CertDigest></xades:Cert></xades:SigningCertificateV2>"
    "</xades:SignedSignatureProperties><xades:SignedDataObjectProperties>%s</xades:SignedDataObjectProperties>"
    "</xades:SignedProperties>"
)
_HEAD = f'<asic:XAdESSignatures xmlns:asic="{ASIC}"><ds:Signature xmlns:ds="{DS}" Id="signature">'
_OBJECT = f'</ds:X509Data></ds:KeyInfo><ds:Object><xades:QualifyingProperties xmlns:xades="{XADES}" Target="#signature">'
_TAIL = b"</xades:QualifyingProperties></ds:Object></ds:Signature></asic:XAdESSignatures>"


def _references(files: Sequence[SignedFile]) -> str:
    return "".join(
        f'<ds:Reference Id="file-{number}" URI="{file.name}">{_METHOD}<ds:DigestValue>{file.digest.decode()}</ds:DigestValue>'
        "</ds:Reference>"
        for number, file in enumerate(files, 1)
    )


def _info(algorithm: SignatureAlgorithm, files: Sequence[SignedFile], properties_digest: bytes) -> str:
    method = _empty("SignatureMethod", algorithm.uri)
    return _INFO_HEAD + method + _references(files) + _INFO_TAIL % properties_digest.decode()


def signed_info_alone(algorithm: SignatureAlgorithm, files: Sequence[SignedFile], properties_digest: bytes) -> bytes:
    """Return the SignedInfo as it is signed; digests in base64."""
    whole = _info(algorithm, files, properties_digest)
    return whole.replace("<ds:SignedInfo>", f'<ds:SignedInfo xmlns:ds="{DS}">', 1).encode()


def _properties(files: Sequence[SignedFile], signing_time: bytes, certificate_digest: bytes, *, alone: bool) -> str:
    formats = "".join(
        f'<xades:DataObjectFormat ObjectReference="#file-{number}"><xades:MimeType>{file.media_type}</xades:MimeType>'
        "</xades:DataObjectFormat>"
        for number, file in enumerate(files, 1)
    )
    xades, ds = (f' xmlns:xades="{XADES}"', f' xmlns:ds="{DS}"') if alone else ("", "")
    return _PROPERTIES % (xades, signing_time.decode(), ds, ds, certificate_digest.decode(), formats)


def signed_properties_alone(files: Sequence[SignedFile], signing_time: bytes, certificate_digest: bytes) -> bytes:
    """Return the SignedProperties as they are digested. `signing_time` is `YYYY-MM-DDTHH:MM:SSZ`."""
    return _properties(files, signing_time, certificate_digest, alone=True).encode()


def signatures_file(
    *,
    algorithm: SignatureAlgorithm,
    files: Sequence[SignedFile],
    properties_digest: bytes,
    value: bytes,
    chain: tuple[bytes, ...],
    signing_time: bytes,
    certificate_digest: bytes,
    token: bytes | None,
) -> bytes:
    """Return the whole META-INF/signatures001.xml. `value` is raw, `chain` and `token` are DER, digests are in base64."""
    stamp = b"" if token is None else stamped.HEAD + b64encode(token) + stamped.TAIL
    return b"".join(
        (
            (_HEAD + _info(algorithm, files, properties_digest) + "<ds:SignatureValue>").encode(),
            b64encode(value),
            b"</ds:SignatureValue><ds:KeyInfo><ds:X509Data>",
            profile.key_info(chain),
            (_OBJECT + _properties(files, signing_time, certificate_digest, alone=False)).encode(),
            stamp,
            _TAIL,
        )
    )


def manifest_file(files: Sequence[SignedFile], container_type: str) -> bytes:
    """Return META-INF/manifest.xml: the container's own type, then every signed file."""
    lines = "".join(
        f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{media_type}"/>'
        for path, media_type in (("/", container_type), *((file.name, file.media_type) for file in files))
    )
    head = f'<manifest:manifest xmlns:manifest="{_MANIFEST_NS}" manifest:version="1.2">'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}{lines}</manifest:manifest>\n'.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The values that a signature of the profile may choose; all else is fixed."""

    files: tuple[SignedFile, ...]
    value: bytes  # base64
    certificates: tuple[bytes, ...]  # base64 of DER
    signing_time: bytes
    token: bytes | None  # base64 of DER


_REFERENCE = re.compile(
    rb'<ds:Reference Id="file-[0-9]+" URI="([A-Za-z0-9._/-]+)">'
    + re.escape(_METHOD).encode()
    + rb"<ds:DigestValue>([A-Za-z0-9+/=]{44})</ds:DigestValue></ds:Reference>"
)
_FORMAT = re.compile(rb"<xades:MimeType>([a-z0-9/.+-]+)</xades:MimeType>")
_VALUE = re.compile(rb"<ds:SignatureValue>([A-Za-z0-9+/=]+)</ds:SignatureValue>")
_CERTIFICATE = re.compile(rb"<ds:X509Certificate>([A-Za-z0-9+/=]+)</ds:X509Certificate>")
_TOKEN = re.compile(re.escape(stamped.HEAD) + rb"([A-Za-z0-9+/=]+)" + re.escape(stamped.TAIL))
_SIGNING_TIME = re.compile(rb"<xades:SigningTime>(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z)</xades:SigningTime>")


def read_claims(data: bytes) -> Claims | None:
    """Return the values that `signatures_file` put into `data`, None if it cannot have written these bytes.

    Loose: whoever reads them makes the file again from what was read, and compares.
    """
    references, formats = _REFERENCE.findall(data), _FORMAT.findall(data)
    value, time, token = _VALUE.search(data), _SIGNING_TIME.search(data), _TOKEN.search(data)
    if value is None or time is None or len(references) != len(formats):
        return None
    return Claims(
        files=tuple(
            SignedFile(name=name.decode(), media_type=media_type.decode(), digest=digest)
            for (name, digest), media_type in zip(references, formats, strict=True)
        ),
        value=value.group(1),
        certificates=tuple(_CERTIFICATE.findall(data)),
        signing_time=time.group(1),
        token=token.group(1) if token else None,
    )
