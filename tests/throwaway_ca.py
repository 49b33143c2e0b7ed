"""A certificate authority for one test: it issues anything, right or wrong, and says anything of what it issued."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from gateway.trust.algorithms import ECDSA_P256
from gateway.trust.folder import ANCHORS, PINNED, REVOCATION
from gateway.trust.keys import FileKey

DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
DAY = timedelta(days=1)


def name(common: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Specimen"), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def usage(*, signs: bool = False, issues: bool = False, lists: bool | None = None, enciphers: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=enciphers,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=issues if lists is None else lists,
        encipher_only=False,
        decipher_only=False,
    )


def offers(*, crl: Sequence[str] = (), responder: Sequence[str] = ()) -> list[tuple[x509.ExtensionType, bool]]:
    """Return the extensions that name a list and a responder."""
    found: list[tuple[x509.ExtensionType, bool]] = []
    if crl:
        names = [x509.UniformResourceIdentifier(url) for url in crl]
        point = x509.DistributionPoint(full_name=names, relative_name=None, reasons=None, crl_issuer=None)
        found.append((x509.CRLDistributionPoints([point]), False))
    if responder:
        ways = [
            x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(url)) for url in responder
        ]
        found.append((x509.AuthorityInformationAccess(ways), False))
    return found


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A certificate with its key, and those above it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    above: tuple[x509.Certificate, ...] = ()  # issuers without the root, nearest first
    now: datetime

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def fingerprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def signer(self, authority: str = "BA-MS") -> FileKey:
        """Return it as a signing key with its chain."""
        chain = (self.certificate, *self.above)
        return FileKey(
            authority=authority,
            chain=tuple(each.public_bytes(Encoding.DER) for each in chain),
            algorithm=ECDSA_P256,
            private_key=self.key,
        )

    def issue(
        self,
        common: str = "BA-MS signing",
        *,
        ca: bool = False,
        path_length: int | None = None,
        key_usage: x509.KeyUsage | None = None,
        purposes: Sequence[x509.ObjectIdentifier] | None = (DOCUMENT_SIGNING,),
        purposes_critical: bool = False,
        more: Sequence[tuple[x509.ExtensionType, bool]] = (),
        begins: timedelta = -30 * DAY,
        ends: timedelta = 300 * DAY,
        signed_with: ec.EllipticCurvePrivateKey | None = None,
        issuer_name: x509.Name | None = None,
        key: ec.EllipticCurvePrivateKey | None = None,
        public_key: object = None,
        basic: bool = True,
        algorithm: hashes.HashAlgorithm | None = None,
    ) -> "Holder":
        """Return a certificate; without arguments a good one for signing documents."""
        own = key or ec.generate_private_key(ec.SECP256R1())
        shown = own.public_key() if public_key is None else public_key
        above = self.certificate
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(common))
            .issuer_name(issuer_name or above.subject)
            .public_key(shown)  # type: ignore[arg-type]
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now + begins)
            .not_valid_after(self.now + ends)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(shown), critical=False)  # type: ignore[arg-type]
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .add_extension(key_usage or usage(signs=not ca, issues=ca), critical=True)
        )
        if basic:
            builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
        if purposes and not ca:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=purposes_critical)
        for value, critical in more:
            builder = builder.add_extension(value, critical=critical)
        made = builder.sign(signed_with or self.key, algorithm or hashes.SHA256())
        is_root = above.issuer == above.subject
        return Holder(certificate=made, key=own, above=() if is_root else (above, *self.above), now=self.now)

    def crl(
        self,
        *revoked: x509.Certificate,
        at: timedelta = -DAY,
        reason: x509.ReasonFlags | None = None,
        this: timedelta = -timedelta(hours=1),
        until: timedelta | None = DAY,
        signed_with: "Holder | None" = None,
        more: Sequence[tuple[x509.ExtensionType, bool]] = (),
        invalid_since: timedelta | None = None,
        sha1: bool = False,
    ) -> bytes:
        """Return a list of this issuer, in DER."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject).last_update(self.now + this)
        builder = builder.next_update(self.now + (until if until is not None else DAY))
        for each in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(each.serial_number).revocation_date(self.now + at)
            if reason is not None:
                entry = entry.add_extension(x509.CRLReason(reason), critical=False)
            if invalid_since is not None:
                entry = entry.add_extension(
                    x509.InvalidityDate((self.now + invalid_since).replace(tzinfo=None)), critical=False
                )
            builder = builder.add_revoked_certificate(entry.build())
        for value, critical in more:
            builder = builder.add_extension(value, critical=critical)
        key = (signed_with or self).key
        data = builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)
        return list_with_sha1(data, key) if sha1 else data

    def answer(
        self,
        certificate: x509.Certificate,
        status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
        *,
        at: timedelta = -DAY,
        reason: x509.ReasonFlags | None = None,
        this: timedelta = -timedelta(hours=1),
        until: timedelta | None = DAY,
        nonce: bytes | None = None,
        responder: "Holder | None" = None,
        named: x509.Certificate | None = None,
        beside: Sequence[x509.Certificate] | None = None,
        issuer: x509.Certificate | None = None,
        by_key: bool = False,
        produced: timedelta | None = None,
        sha1: bool = False,
    ) -> bytes:
        """Return an OCSP answer about `certificate`, in DER; of this issuer itself or of `responder`."""
        gone = status is ocsp.OCSPCertStatus.REVOKED
        signer = responder or self
        encoding = ocsp.OCSPResponderEncoding.HASH if by_key else ocsp.OCSPResponderEncoding.NAME
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                cert=certificate,
                issuer=issuer or self.certificate,
                algorithm=hashes.SHA1(),
                cert_status=status,
                this_update=self.now + this,
                next_update=None if until is None else self.now + until,
                revocation_time=self.now + at if gone else None,
                revocation_reason=reason if gone else None,
            )
            .responder_id(encoding, named or signer.certificate)
        )
        extra = beside if beside is not None else ([responder.certificate] if responder else [])
        if extra:
            builder = builder.certificates(list(extra))
        if nonce is not None:
            builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        data = builder.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.DER)
        return answer_signed_again(data, signer.key, produced_at=self.now + (this if produced is None else produced), sha1=sha1)

    def make_responder(self, *, no_check: bool = True, purposes: Sequence[x509.ObjectIdentifier] | None = None) -> "Holder":
        """Return a responder of this issuer."""
        more: list[tuple[x509.ExtensionType, bool]] = [(x509.OCSPNoCheck(), False)] if no_check else []
        return self.issue("Specimen responder", purposes=purposes or [ExtendedKeyUsageOID.OCSP_SIGNING], more=more)


def answer_signed_again(data: bytes, key: ec.EllipticCurvePrivateKey, *, produced_at: datetime, sha1: bool) -> bytes:
    """Return an answer with another time of making: the library takes the machine's, and signs nothing with SHA-1."""
    basic = asn1_ocsp.OCSPResponse.load(data)["response_bytes"]["response"].parsed
    basic["tbs_response_data"]["produced_at"] = produced_at
    _sign(basic, basic["tbs_response_data"], key, sha1=sha1)
    content = {"response_type": "basic_ocsp_response", "response": basic}
    made: bytes = asn1_ocsp.OCSPResponse({"response_status": "successful", "response_bytes": content}).dump(force=True)
    return made


def list_with_sha1(data: bytes, key: ec.EllipticCurvePrivateKey) -> bytes:
    found = asn1_crl.CertificateList.load(data)
    found["tbs_cert_list"]["signature"]["algorithm"] = "sha1_ecdsa"
    _sign(found, found["tbs_cert_list"], key, sha1=True)
    made: bytes = found.dump(force=True)
    return made


def _sign(whole: Any, covered: Any, key: ec.EllipticCurvePrivateKey, *, sha1: bool) -> None:
    whole["signature_algorithm"]["algorithm"] = "sha1_ecdsa" if sha1 else "sha256_ecdsa"
    whole["signature"] = key.sign(covered.dump(force=True), ec.ECDSA(hashes.SHA1() if sha1 else hashes.SHA256()))


def root(now: datetime, common: str = "Specimen root", *, ends: timedelta = 3000 * DAY) -> Holder:
    """Return a new anchor."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name(common))
        .issuer_name(name(common))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 60 * DAY)
        .not_valid_after(now + ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage(issues=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Holder(certificate=certificate, key=key, now=now)


def lay(folder: Path, anchors: Sequence[Holder], **pinned: Holder) -> Path:
    """Write a key folder with these anchors, and a chain pinned for each authority (BA_MS stands for BA-MS)."""
    for part in (ANCHORS, PINNED, REVOCATION):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for number, anchor in enumerate(anchors):
        (folder / ANCHORS / f"root-{number}.pem").write_bytes(anchor.certificate.public_bytes(Encoding.PEM))
    for authority, holder in pinned.items():
        pem = b"".join(each.public_bytes(Encoding.PEM) for each in (holder.certificate, *holder.above))
        (folder / PINNED / f"{authority.replace('_', '-')}.pem").write_bytes(pem)
    return folder
