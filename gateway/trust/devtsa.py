"""A timestamp authority for a laptop, the demo and the tests: RFC 3161 answers without a network. It proves nothing.

It answers as a real authority does, in the same bytes, so that everything behind it is the code that runs in production.
Its key and certificate lie in ca/timestamps.pem of the key folder (gateway/trust/devca.py makes them).
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from asn1crypto import algos, cms, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from gateway.errors import TimestampMalformed, TrustInvalid
from gateway.trust.folder import CA, read_private

KEY_FILE = "timestamps.pem"
_POLICY = "2.999.1"  # an arc for examples: no policy stands behind these timestamps


@dataclass(frozen=True, slots=True, kw_only=True)
class DevelopmentAuthority:
    """Answers timestamp queries with the development key. `clock` returns an aware UTC instant."""

    certificate: x509.Certificate
    private_key: ec.EllipticCurvePrivateKey
    clock: Callable[[], datetime]
    name: str = "development"

    @classmethod
    def load(cls, folder: Path, clock: Callable[[], datetime]) -> "DevelopmentAuthority":
        """Read key and certificate from the key folder. Raises `KeyMissing`, `TrustInvalid`."""
        data = read_private(folder / CA / KEY_FILE)
        try:
            key = load_pem_private_key(data, password=None)
            certificate = x509.load_pem_x509_certificate(data)
        except (ValueError, TypeError) as error:
            raise TrustInvalid(f"{CA}/{KEY_FILE} is not a private key followed by its certificate, in PEM") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
            raise TrustInvalid(f"{CA}/{KEY_FILE} does not hold an elliptic curve key and its certificate")
        return cls(certificate=certificate, private_key=key, clock=clock)

    def __repr__(self) -> str:
        return f"DevelopmentAuthority({self.name})"

    def answer(self, query: bytes) -> bytes:
        """Return the response (DER) to a timestamp request (DER). Raises `TimestampMalformed` for what is none."""
        try:
            asked = tsp.TimeStampReq.load(query, strict=True)
            content = self._content(asked).dump()
        except ValueError as error:
            raise TimestampMalformed("the development timestamp authority was sent what is no request") from error
        signed = {
            "version": "v3",
            "digest_algorithms": [algos.DigestAlgorithm({"algorithm": "sha256"})],
            "encap_content_info": {"content_type": "tst_info", "content": cms.ParsableOctetString(content)},
            "certificates": [asn1_x509.Certificate.load(self.certificate.public_bytes(Encoding.DER))],
            "signer_infos": [self._signer_info(content)],
        }
        token = {"content_type": "signed_data", "content": cms.SignedData(signed)}
        made: bytes = tsp.TimeStampResp({"status": {"status": "granted"}, "time_stamp_token": token}).dump()
        return made

    def _content(self, asked: tsp.TimeStampReq) -> tsp.TSTInfo:
        values = {
            "version": "v1",
            "policy": _POLICY,
            "message_imprint": asked["message_imprint"],
            "serial_number": secrets.randbits(159),
            "gen_time": self.clock().astimezone(UTC).replace(microsecond=0),
            "accuracy": {"seconds": 1},
        }
        if asked["nonce"].native is not None:
            values["nonce"] = asked["nonce"]
        return tsp.TSTInfo(values)

    def _signer_info(self, content: bytes) -> cms.SignerInfo:
        der = self.certificate.public_bytes(Encoding.DER)
        loaded = asn1_x509.Certificate.load(der)
        about = tsp.SigningCertificateV2({"certs": [{"cert_hash": sha256(der).digest()}]})
        attributes = cms.CMSAttributes(
            [
                {"type": "content_type", "values": ["tst_info"]},
                {"type": "message_digest", "values": [sha256(content).digest()]},
                {"type": "signing_certificate_v2", "values": [about]},
            ]
        )
        # RFC 5652, 5.4: what is signed is the SET OF itself, not with the tag it has inside the SignerInfo.
        value = self.private_key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256()))
        sid = {"issuer": loaded.issuer, "serial_number": loaded.serial_number}
        return cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier(name="issuer_and_serial_number", value=cms.IssuerAndSerialNumber(sid)),
                "digest_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
                "signed_attrs": attributes,
                "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
                "signature": value,
            }
        )
