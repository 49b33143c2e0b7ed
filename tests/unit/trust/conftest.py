"""A development key folder, specimen messages, and tools to forge what must be refused."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID
from lxml import etree

from gateway.stages import Signed, Tree
from gateway.trust.algorithms import ECDSA_P256
from gateway.trust.certificates import TrustStore
from gateway.trust.devca import ANCHOR_FILE, make_development_keys
from gateway.trust.keys import FileKey, KeyRing
from gateway.trust.sign import sign
from gateway.wire.documents import NS, canonicalize, parse_xml

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MESSAGE_ID = "0193a000-0000-7000-8000-000000000001"
NAME = "SPECIMEN, \u0423\u0417\u041e\u0420\u0410\u041a, \u0646\u0645\u0648\u0646\u06c1"  # Latin, Cyrillic, Urdu
DS = "{http://www.w3.org/2000/09/xmldsig#}"


@pytest.fixture(scope="session")
def now() -> datetime:
    return NOW


@pytest.fixture(scope="session")
def message_id() -> str:
    return MESSAGE_ID


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("keys")
    make_development_keys(made, ["AT-BMI", "BA-MS", "PK-MOI"], NOW)
    return made


@pytest.fixture(scope="session")
def ring(folder: Path) -> KeyRing:
    return KeyRing.load(folder)


@pytest.fixture(scope="session")
def trust(folder: Path) -> TrustStore:
    return TrustStore.load(folder)


def make_message(
    *, sender: str = "BA-MS", recipient: str = "PK-MOI", message_id: str = MESSAGE_ID, inside: str = "", text: str = "3.1"
) -> Tree:
    """Return a message of the family, small but with a header; `inside` is markup at its end."""
    return parse_xml(
        f'<ReadmissionApplication xmlns="{NS}" schemaVersion="1.0"><Header><MessageId>{message_id}</MessageId>'
        f"<CaseReference>ABCDEFGHIJKLMNOP</CaseReference><Sender>{sender}</Sender><Recipient>{recipient}</Recipient></Header>"
        f"<Person><Name>{NAME}</Name></Person><Observations>{text}</Observations>{inside}"
        "</ReadmissionApplication>".encode()
    )


@pytest.fixture(scope="session")
def message() -> Callable[..., Tree]:
    return make_message


@pytest.fixture(scope="session")
def signed(ring: KeyRing) -> Signed:
    return sign(make_message(), ring.signing("BA-MS"), NOW)


@dataclass(frozen=True)
class Forge:
    """Makes what an attacker, or a careless partner, would send."""

    key: FileKey
    root: x509.Certificate
    root_key: ec.EllipticCurvePrivateKey

    def resigned(self, envelope: Tree, key: FileKey | None = None) -> bytes:
        """Return the envelope with its digests and its signature value made again: mathematically good, whatever it says."""
        signature = next(envelope.iter(f"{DS}Signature"))
        parent = signature.getparent()
        properties = next(signature.iter("{*}SignedProperties"), None)
        digests = signature.findall(f"{DS}SignedInfo/{DS}Reference/{DS}DigestValue")
        place = parent.index(signature)
        parent.remove(signature)
        if digests:
            digests[0].text = b64encode(sha256(canonicalize(envelope)).digest()).decode()
        parent.insert(place, signature)
        if len(digests) > 1 and properties is not None:
            digests[1].text = b64encode(sha256(canonicalize(properties)).digest()).decode()
        value = (key or self.key).sign(canonicalize(signature.find(f"{DS}SignedInfo")))
        signature.find(f"{DS}SignatureValue").text = b64encode(value).decode()
        return canonicalize(envelope)

    def certificate(
        self,
        authority: str = "BA-MS",
        *,
        own_issuer: bool = False,
        ca: bool = False,
        digital_signature: bool = True,
        purpose: x509.ObjectIdentifier | None = None,
        curve: ec.EllipticCurve | None = None,
        not_before: datetime = NOW - timedelta(days=1),
        not_after: datetime = NOW + timedelta(days=30),
    ) -> FileKey:
        """Return a key with a certificate of the development root, or of itself."""
        key = ec.generate_private_key(curve or ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{authority} signing")])
        issuer_key = key if own_issuer else self.root_key
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if own_issuer else self.root.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(not_before)
            .not_valid_after(not_after)
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
        certificate = builder.sign(issuer_key, hashes.SHA256())
        return FileKey(
            authority=authority, chain=(certificate.public_bytes(Encoding.DER),), algorithm=ECDSA_P256, private_key=key
        )


@pytest.fixture(scope="session")
def forge(folder: Path, ring: KeyRing) -> Forge:
    root_key = load_pem_private_key((folder / "ca" / "root.key.pem").read_bytes(), password=None)
    root = x509.load_pem_x509_certificate((folder / "anchors" / ANCHOR_FILE).read_bytes())
    key = ring.signing("BA-MS")
    assert isinstance(root_key, ec.EllipticCurvePrivateKey)
    assert isinstance(key, FileKey)
    return Forge(key=key, root=root, root_key=root_key)


@pytest.fixture
def pin(folder: Path, tmp_path: Path) -> Callable[[FileKey], TrustStore]:
    """Return a function that gives a store in which exactly this key is pinned for its authority."""

    def pinned(key: FileKey) -> TrustStore:
        for name in ("anchors", "timestamp-anchors", "pinned"):
            (tmp_path / name).mkdir(exist_ok=True)
        for name in ("anchors", "timestamp-anchors"):
            (tmp_path / name / ANCHOR_FILE).write_bytes((folder / name / ANCHOR_FILE).read_bytes())
        certificates = (x509.load_der_x509_certificate(each) for each in key.chain)
        pem = b"".join(each.public_bytes(Encoding.PEM) for each in certificates)
        (tmp_path / "pinned" / f"{key.authority}.pem").write_bytes(pem)
        return TrustStore.load(tmp_path)

    return pinned


@pytest.fixture(scope="session")
def certificate_of() -> Callable[[bytes], bytes]:
    """Return a function that gives the first certificate (DER) of an envelope."""

    def first(body: bytes) -> bytes:
        return b64decode(etree.fromstring(body).findtext(f".//{DS}X509Certificate") or "")

    return first
