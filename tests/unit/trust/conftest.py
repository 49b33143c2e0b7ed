"""A development key folder and specimen messages; what must be refused is forged by tests/forgeries."""

from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from gateway.partners.trust_rules import TrustRules
from gateway.simulation.forgeries import Forge
from gateway.stages import Signed, Tree
from gateway.trust.certificates import TrustStore
from gateway.trust.devca import ANCHOR_FILE, make_development_keys
from gateway.trust.keys import FileKey, KeyRing
from gateway.trust.sign import sign
from gateway.wire.documents import NS, parse_xml

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
        f"<CaseReference>ABCDEFGHIJKLMNOP</CaseReference><Sender>{sender}</Sender><Recipient>{recipient}</Recipient>"
        "<Created>2026-11-24T11:59:00Z</Created></Header>"
        f"<Person><Name>{NAME}</Name></Person><Observations>{text}</Observations>{inside}"
        "</ReadmissionApplication>".encode()
    )


@pytest.fixture(scope="session")
def message() -> Callable[..., Tree]:
    return make_message


@pytest.fixture(scope="session")
def signed(ring: KeyRing) -> Signed:
    return sign(make_message(), ring.signing("BA-MS"), NOW)


@pytest.fixture(scope="session")
def forge(folder: Path) -> Forge:
    return Forge.load(folder, NOW, make_message())


@pytest.fixture
def pin(folder: Path, tmp_path: Path) -> Callable[..., TrustStore]:
    """Return a function that gives a store in which exactly this key is pinned for its authority; rules as `BA_MS=...`."""

    def pinned(key: FileKey, **rules: TrustRules) -> TrustStore:
        for name in ("anchors", "timestamp-anchors", "pinned"):
            (tmp_path / name).mkdir(exist_ok=True)
        for name in ("anchors", "timestamp-anchors"):
            (tmp_path / name / ANCHOR_FILE).write_bytes((folder / name / ANCHOR_FILE).read_bytes())
        certificates = (x509.load_der_x509_certificate(each) for each in key.chain)
        pem = b"".join(each.public_bytes(Encoding.PEM) for each in certificates)
        (tmp_path / "pinned" / f"{key.authority}.pem").write_bytes(pem)
        return TrustStore.load(tmp_path, rules={name.replace("_", "-"): each for name, each in rules.items()})

    return pinned


@pytest.fixture(scope="session")
def certificate_of() -> Callable[[bytes], bytes]:
    """Return a function that gives the first certificate (DER) of an envelope."""

    def first(body: bytes) -> bytes:
        return b64decode(etree.fromstring(body).findtext(f".//{DS}X509Certificate") or "")

    return first
