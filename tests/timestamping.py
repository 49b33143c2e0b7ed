"""Timestamp authorities for tests: good ones, and such as answer wrongly in one way each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from asn1crypto import cms, tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.errors import TimestampUnavailable
from gateway.trust.devca import ANCHOR_FILE
from gateway.trust.devtsa import DevelopmentAuthority
from gateway.trust.folder import ANCHORS, CA

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@dataclass
class Faulty:
    """An authority whose answers are changed on their way, or that does not answer; it counts how often it is asked."""

    behind: DevelopmentAuthority
    change: Callable[[bytes], bytes] = bytes
    down: bool = False
    name: str = "faulty"
    asked: list[bytes] = field(default_factory=list)

    def answer(self, query: bytes) -> bytes:
        self.asked.append(query)
        if self.down:
            raise TimestampUnavailable("the timestamp authority faulty does not answer")
        return self.change(self.behind.answer(query))


def certified(
    folder: Path,
    clock: Callable[[], datetime] = lambda: NOW,
    *,
    purposes: Sequence[x509.ObjectIdentifier] = (ExtendedKeyUsageOID.TIME_STAMPING,),
    critical: bool = True,
    not_before: datetime = NOW - timedelta(days=1),
    not_after: datetime = NOW + timedelta(days=30),
    own_root: bool = False,
    curve: ec.EllipticCurve | None = None,
    ca: bool = False,
) -> DevelopmentAuthority:
    """Return an authority with a certificate of the development root that differs as the arguments say."""
    root = x509.load_pem_x509_certificate((folder / ANCHORS / ANCHOR_FILE).read_bytes())
    root_key = load_pem_private_key((folder / CA / "root.key.pem").read_bytes(), password=None)
    assert isinstance(root_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(curve or ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Specimen timestamps")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if own_root else root.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(list(purposes)), critical=critical)
    certificate = builder.sign(key if own_root else root_key, hashes.SHA256())
    return DevelopmentAuthority(certificate=certificate, private_key=key, clock=clock)


def token_of(answer: bytes) -> bytes:
    """Return the token in an answer."""
    token: bytes = tsp.TimeStampResp.load(answer)["time_stamp_token"].dump()
    return token


def with_token(answer: bytes, change: Callable[[cms.ContentInfo], None]) -> bytes:
    """Return an answer whose token was changed by `change`."""
    response = tsp.TimeStampResp.load(answer)
    change(response["time_stamp_token"])
    changed: bytes = response.dump()
    return changed
