"""Fixed-profile enveloped XML-DSig: one reference to the whole document, exclusive C14N, SHA-256, ECDSA P-256.

The signature is the last child of the root. The verifier builds SignedInfo itself from the digest and compares it with
what came, so nothing in a message can choose transforms, references or algorithms. The certificate chain is checked
once a minute per chain; between two checks its verdict is kept.
"""

import hashlib
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification
from cryptography.x509.oid import NameOID
from lxml import etree

DS = "http://www.w3.org/2000/09/xmldsig#"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
SIGNATURE = f"{{{DS}}}Signature"
ECDSA_SHA256 = ec.ECDSA(hashes.SHA256())
HALF = 32  # bytes of r and of s on P-256; XML-DSig writes them side by side instead of in DER
VERDICT_SECONDS = 60
MOST_CERTIFICATES = 4

# SignedInfo in its canonical form, so that signing it needs no second canonicalization.
BEFORE_DIGEST = (
    f'<ds:SignedInfo xmlns:ds="{DS}">'
    f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"></ds:CanonicalizationMethod>'
    '<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"></ds:SignatureMethod>'
    '<ds:Reference URI=""><ds:Transforms>'
    f'<ds:Transform Algorithm="{DS}enveloped-signature"></ds:Transform><ds:Transform Algorithm="{EXCLUSIVE}"></ds:Transform>'
    '</ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod><ds:DigestValue>'
).encode()
AFTER_DIGEST = b"</ds:DigestValue></ds:Reference></ds:SignedInfo>"
# Inside ds:Signature the prefix is declared already; canonicalization puts it back on SignedInfo.
EMBEDDED_BEFORE_DIGEST = BEFORE_DIGEST.replace(f' xmlns:ds="{DS}"'.encode(), b"", 1)

MANY_ATTRIBUTES = etree.XPath("boolean(//*/@*[33])")  # canonicalization sorts them: its cost grows with the square


class NotVerifiedError(Exception):
    """The document is not exactly what a trusted signer signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key with its certificates in DER, the signer's own first, up to but without the root."""

    key: ec.EllipticCurvePrivateKey
    chain: tuple[bytes, ...]


def canonical(root: etree._Element) -> bytes:
    return etree.tostring(root, method="c14n", exclusive=True, with_comments=False)


class Signer:
    def __init__(self, signing: SigningKey) -> None:
        self._key = signing.key
        certificates = "".join(f"<ds:X509Certificate>{b64encode(der).decode()}</ds:X509Certificate>" for der in signing.chain)
        self._key_info = f"<ds:KeyInfo><ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo></ds:Signature>".encode()

    def sign(self, root: etree._Element) -> bytes:
        """Return the canonical document with the signature as last child of its root. `root` stays as it is."""
        body = canonical(root)
        digest = b64encode(hashlib.sha256(body).digest())
        r, s = utils.decode_dss_signature(self._key.sign(BEFORE_DIGEST + digest + AFTER_DIGEST, ECDSA_SHA256))
        value = b64encode(r.to_bytes(HALF, "big") + s.to_bytes(HALF, "big"))
        end = body.rindex(b"</")
        return b"".join(
            (
                body[:end],
                b'<ds:Signature xmlns:ds="' + DS.encode() + b'">',
                EMBEDDED_BEFORE_DIGEST + digest + AFTER_DIGEST,
                b"<ds:SignatureValue>" + value + b"</ds:SignatureValue>",
                self._key_info,
                body[end:],
            )
        )


class Verifier:
    """Trusts what chains to one root certificate (DER)."""

    def __init__(self, root: bytes) -> None:
        self._policy = (
            verification.PolicyBuilder()
            .store(verification.Store([x509.load_der_x509_certificate(root)]))
            .extension_policies(
                ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(), ee_policy=verification.ExtensionPolicy.permit_all()
            )
        )
        self._verdicts: dict[tuple[str, ...], tuple[ec.EllipticCurvePublicKey, float]] = {}

    def verify(self, body: bytes, parse: Callable[[bytes], etree._Element]) -> etree._Element:
        """Return the document that was signed, without the signature. Raises NotVerifiedError.

        Raises cryptography's InvalidSignature and VerificationError for a false value and an untrusted chain.
        """
        if b"<!" in body or b"<?" in body:  # in text "<" is escaped, so this is markup that the profile does not have
            raise NotVerifiedError("a DTD, a comment, a CDATA section or a processing instruction")
        root = parse(body)
        if MANY_ATTRIBUTES(root):
            raise NotVerifiedError("too many attributes")
        signature = root[-1] if len(root) else None
        if signature is None or signature.tag != SIGNATURE or signature.tail:
            raise NotVerifiedError("the last child is not a signature")
        if sum(1 for _ in root.iter(SIGNATURE)) != 1:
            raise NotVerifiedError("more than one signature")
        digest = _text(signature, f"{{{DS}}}SignedInfo/{{{DS}}}Reference/{{{DS}}}DigestValue").encode()
        value = b64decode(_text(signature, f"{{{DS}}}SignatureValue"), validate=True)
        certificates = signature.findall(f"{{{DS}}}KeyInfo/{{{DS}}}X509Data/{{{DS}}}X509Certificate")
        if len(value) != 2 * HALF or not 1 <= len(certificates) <= MOST_CERTIFICATES:
            raise NotVerifiedError("the signature value or the certificates have the wrong shape")
        signed_info = BEFORE_DIGEST + digest + AFTER_DIGEST
        if canonical(signature[0]) != signed_info:
            raise NotVerifiedError("SignedInfo is not the fixed profile")
        der = utils.encode_dss_signature(int.from_bytes(value[:HALF], "big"), int.from_bytes(value[HALF:], "big"))
        self._signer(tuple(item.text or "" for item in certificates)).verify(der, signed_info, ECDSA_SHA256)
        root.remove(signature)
        if b64encode(hashlib.sha256(canonical(root)).digest()) != digest:
            raise NotVerifiedError("the digest does not fit the document")
        return root

    def _signer(self, chain: tuple[str, ...]) -> ec.EllipticCurvePublicKey:
        """Return the signer's key. `chain` holds the certificates as they stand in the signature, base64 of DER."""
        known = self._verdicts.get(chain)
        if known is not None and known[1] > time.monotonic():
            return known[0]
        certificates = [x509.load_der_x509_certificate(b64decode(text)) for text in chain]
        self._policy.build_client_verifier().verify(certificates[0], certificates[1:])
        key = certificates[0].public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise NotVerifiedError("the signer's key is not an elliptic curve key")
        self._verdicts[chain] = (key, time.monotonic() + VERDICT_SECONDS)
        return key


def _text(parent: etree._Element, path: str) -> str:
    """Return the text of the one element at `path`."""
    found = parent.findall(path)
    if len(found) != 1 or len(found[0]) or not found[0].text:
        raise NotVerifiedError(f"{path.rsplit('}', 1)[-1]} is not there exactly once")
    return found[0].text


def make_keys() -> tuple[SigningKey, bytes]:
    """Make a root, an intermediate and a signer, all P-256. Returns the signer's key and the root certificate in DER."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
    root = _certificate("root", keys[0], "root", keys[0], path_length=1)
    intermediate = _certificate("intermediate", keys[1], "root", keys[0], path_length=0)
    signer = _certificate("signer", keys[2], "intermediate", keys[1], path_length=None)
    return SigningKey(key=keys[2], chain=(signer, intermediate)), root


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey, *, path_length: int | None
) -> bytes:
    """Return a certificate in DER; `path_length` None makes an end entity."""
    authority = path_length is not None
    now = datetime.now(UTC)
    uses = {
        "content_commitment": not authority,
        "key_encipherment": False,
        "data_encipherment": False,
        "key_agreement": False,
        "encipher_only": False,
        "decipher_only": False,
    }
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=path_length), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **uses), critical=True
        )
    )
    if not authority:
        alternative = x509.SubjectAlternativeName([x509.DNSName(f"{name}.example")])  # the chain verifier insists on one
        builder = builder.add_extension(alternative, critical=False)
    return builder.sign(issuer_key, hashes.SHA256()).public_bytes(Encoding.DER)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Bench"), x509.NameAttribute(NameOID.COMMON_NAME, common)])
