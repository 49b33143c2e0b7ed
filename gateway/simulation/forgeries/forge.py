"""The tools of a forger: a genuine envelope, the sender's own key, and a certificate authority that signs anything."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID

from gateway.settings import data_folder
from gateway.stages import Tree
from gateway.trust.algorithms import SignatureAlgorithm
from gateway.trust.devca import ANCHOR_FILE
from gateway.trust.keys import FileKey, KeyRing
from gateway.trust.sign import sign
from gateway.trust.specimen_keys import SpecimenSigners
from gateway.wire.documents import NS, canonicalize, parse_xml

DSIG = "http://www.w3.org/2000/09/xmldsig#"
DS = f"{{{DSIG}}}"
OWN = f"{{{NS}}}"
INFO = f"{DS}SignedInfo"
REFERENCE = f"{INFO}/{DS}Reference"
EXAMPLE = data_folder("schemas") / "readmission" / "1.0" / "examples" / "ReadmissionApplication-own-national.xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgery:
    """One envelope that must be refused."""

    name: str  # names the defect, as a file would be named
    row: int  # class of the attack catalogue, 1 to 40
    code: str  # with which it is refused
    body: bytes
    own_key: bool = False  # signed again by the sender's own key: every digest and the signature value fit


@dataclass(frozen=True, kw_only=True)
class Forge:
    """Makes what an attacker, or a careless partner, would send."""

    key: FileKey
    root: x509.Certificate
    root_key: ec.EllipticCurvePrivateKey
    ring: KeyRing
    now: datetime
    genuine: bytes
    sender: str  # authority in whose name everything is sent
    other: str  # another authority, whose key is at hand too

    @classmethod
    def load(
        cls, keys: Path, now: datetime, message: Tree | None = None, *, sender: str = "BA-MS", other: str = "PK-MOI"
    ) -> "Forge":
        """Read a development key folder; the genuine envelope holds `message`, or an example of an application."""
        ring = KeyRing.load(keys)
        root_key = load_pem_private_key((keys / "ca" / "root.key.pem").read_bytes(), password=None)
        key: Any = ring.signing(sender)
        assert isinstance(root_key, ec.EllipticCurvePrivateKey)
        document = parse_xml(EXAMPLE.read_bytes()) if message is None else message
        return cls(
            sender=sender,
            other=other,
            key=key,
            root=x509.load_pem_x509_certificate((keys / "anchors" / ANCHOR_FILE).read_bytes()),
            root_key=root_key,
            ring=ring,
            now=now,
            genuine=sign(document, key, now).body,
        )

    @classmethod
    def specimen(cls, message: Tree, now: datetime, *, sender: str, other: str) -> "Forge":
        """Return a forge whose keys follow from names: it makes the same bytes each time."""
        signers = SpecimenSigners.make((sender, other))
        key = signers.keys[sender]
        return cls(
            sender=sender,
            other=other,
            key=key,
            root=signers.root,
            root_key=signers.root_key,
            ring=signers.ring(),
            now=now,
            genuine=sign(message, key, now).body,
        )

    def envelope(self) -> Tree:
        """Return the genuine envelope as a tree of its own: message, then signature."""
        return parse_xml(self.genuine)

    def swapped(self, *pairs: tuple[bytes, bytes]) -> bytes:
        """Return the genuine bytes with each first part replaced once; a part that is not there is a slip in these scripts."""
        body = self.genuine
        for old, new in pairs:
            if old not in body:
                raise ValueError(f"{old!r} does not stand in the envelope")
            body = body.replace(old, new, 1)
        return body

    def resigned(self, envelope: Tree, key: FileKey | None = None) -> bytes:
        """Return the envelope with its digests and its signature value made again: mathematically good, whatever it says."""
        signature = next(envelope.iter(f"{DS}Signature"))
        parent = signature.getparent()
        properties = next(signature.iter("{*}SignedProperties"), None)
        digests = signature.findall(f"{REFERENCE}/{DS}DigestValue")
        place = parent.index(signature)
        parent.remove(signature)
        if digests:
            digests[0].text = b64encode(sha256(canonicalize(envelope)).digest()).decode()
        parent.insert(place, signature)
        if len(digests) > 1 and properties is not None:
            digests[1].text = b64encode(sha256(canonicalize(properties)).digest()).decode()
        return self.valued(envelope, key)

    def valued(self, envelope: Tree, key: FileKey | None = None) -> bytes:
        """Return the envelope with its signature value alone made again; the digests are as they stand."""
        signature = next(envelope.iter(f"{DS}Signature"))
        signer = key or self.key
        value = signer.algorithm.to_only_form(signer.sign(canonicalize(signature.find(INFO))))
        signature.find(f"{DS}SignatureValue").text = b64encode(value).decode()
        return canonicalize(envelope)

    def changed(self, change: Callable[[Tree], object], *, resign: bool = False) -> bytes:
        """Return the envelope after `change` of its tree; with `resign` by the sender's own key."""
        envelope = self.envelope()
        change(envelope)
        return self.resigned(envelope) if resign else canonicalize(envelope)

    def certificate(
        self,
        authority: str | None = None,
        *,
        own_issuer: bool = False,
        ca: bool = False,
        digital_signature: bool = True,
        purpose: x509.ObjectIdentifier | None = None,
        curve: ec.EllipticCurve | None = None,
        algorithm: SignatureAlgorithm | None = None,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> FileKey:
        """Return a key with a certificate of the root, or of itself; valid from a day ago for a month."""
        algorithm = algorithm or self.key.algorithm
        key: Any = algorithm.new_private() if curve is None else ec.generate_private_key(curve)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{authority or self.sender} signing")])
        issuer_key = key if own_issuer else self.root_key
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if own_issuer else self.root.subject)
            .public_key(key.public_key())
            .serial_number(int.from_bytes(sha256(repr((ca, own_issuer, digital_signature)).encode()).digest()[:15], "big") + 1)
            .not_valid_before(not_before or self.now - timedelta(days=1))
            .not_valid_after(not_after or self.now + timedelta(days=30))
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=digital_signature,
                    content_commitment=False,
                    key_encipherment=not digital_signature,
                    data_encipherment=False,
                    key_agreement=False,
                    key_cert_sign=ca,
                    crl_sign=False,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
        )
        if purpose is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        certificate = builder.sign(
            issuer_key, hashes.SHA256(), ecdsa_deterministic=isinstance(issuer_key, ec.EllipticCurvePrivateKey) or None
        )
        return FileKey(
            authority=authority or self.sender,
            chain=(certificate.public_bytes(Encoding.DER),),
            algorithm=algorithm,
            private_key=key,
        )


def set_sender(envelope: Tree, sender: str) -> None:
    """Change whom the header of the message names as its sender."""
    envelope[0].find(f"{OWN}Header/{OWN}Sender").text = sender
