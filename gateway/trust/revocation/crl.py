"""Certificate revocation lists (RFC 5280, 5): which we take, and what they say about one certificate."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from gateway.trust.chains import UNREADABLE
from gateway.trust.revocation.states import MOST_BYTES, STRONG, Said, Source, UnusableError, in_whole_bytes

COMPROMISE = {x509.ReasonFlags.key_compromise, x509.ReasonFlags.ca_compromise, x509.ReasonFlags.aa_compromise}
# Extensions of a list that may be critical: we act on it (below), or it changes nothing.
_UNDERSTOOD = {
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
    ExtensionOID.CRL_NUMBER,
    ExtensionOID.ISSUING_DISTRIBUTION_POINT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Crl:
    """A list that can be read; its signature is not yet checked."""

    parsed: x509.CertificateRevocationList
    issuer: bytes  # DER of the name
    this_update: datetime  # UTC
    next_update: datetime  # UTC
    scope: x509.IssuingDistributionPoint | None


def read(data: bytes) -> Crl:
    """Read a list in DER. Raises `UnusableError` for what is none, or none of the kind we take."""
    if len(data) > MOST_BYTES:
        raise UnusableError(f"the list is larger than {MOST_BYTES} bytes")
    try:
        parsed = x509.load_der_x509_crl(data)
        this_update, next_update = parsed.last_update_utc, parsed.next_update_utc
        extensions = list(parsed.extensions)
        issuer = parsed.issuer.public_bytes()
    except UNREADABLE as error:
        raise UnusableError("what is there is not a revocation list in DER") from error
    if next_update is None:
        raise UnusableError("the list does not say when the next one comes")
    strange = [each.oid.dotted_string for each in extensions if each.critical and each.oid not in _UNDERSTOOD]
    if strange:  # among them delta lists, which say only what changed
        raise UnusableError(f"the list has the critical extension {strange[0]}, which is not understood")
    scopes = [each.value for each in extensions if isinstance(each.value, x509.IssuingDistributionPoint)]
    scope = scopes[0] if scopes else None
    if scope and (scope.indirect_crl or scope.only_some_reasons or scope.only_contains_attribute_certs or scope.relative_name):
        raise UnusableError("the list is indirect, or only for some reasons: such lists are not taken")
    return Crl(parsed=parsed, issuer=issuer, this_update=this_update, next_update=next_update, scope=scope)


def require_signed(crl: Crl, issuer: x509.Certificate) -> None:
    """Raise `UnusableError` unless `issuer` signed the list, may sign lists, and signed it strongly enough."""
    key = issuer.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise UnusableError("the issuer of the list has a key of a kind that is not taken")
    try:
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
        if not usage.crl_sign:
            raise UnusableError("the issuer's certificate is not for signing revocation lists")
    except x509.ExtensionNotFound:
        pass  # RFC 5280, 6.3.3 (f): only if the extension is there
    try:
        strong = isinstance(crl.parsed.signature_hash_algorithm, STRONG)
        written = crl.parsed.public_bytes(Encoding.DER)
        signed = strong and in_whole_bytes(crl.parsed.signature, written) and crl.parsed.is_signature_valid(key)
    except UNREADABLE:
        strong, signed = False, False
    if not strong:
        raise UnusableError("the list is signed with a weak or unknown algorithm")
    if not signed:
        raise UnusableError("the list is not signed by the issuer of the certificate")


def said(crl: Crl, certificate: x509.Certificate) -> Said:
    """Return what a list of the certificate's issuer, its signature checked, says about it. Raises `UnusableError`."""
    entry = crl.parsed.get_revoked_certificate_by_serial_number(certificate.serial_number)
    common = {"source": Source.CRL, "known": True, "this_update": crl.this_update, "next_update": crl.next_update}
    if entry is not None:
        return Said(**common, revoked_at=_since(entry), compromised=_reason(entry) in COMPROMISE)  # type: ignore[arg-type]
    _require_in_scope(crl, certificate)
    if certificate.not_valid_after_utc < crl.this_update:
        raise UnusableError(
            "the list is younger than the end of the certificate: an issuer takes ended certificates off its list"
        )
    return Said(**common)  # type: ignore[arg-type]


def _require_in_scope(crl: Crl, certificate: x509.Certificate) -> None:
    """Raise `UnusableError` if the list speaks of other certificates of the issuer: then not to stand on it proves nothing."""
    scope = crl.scope
    if scope is None:
        return
    issues = is_issuer(certificate)
    if (scope.only_contains_user_certs and issues) or (scope.only_contains_ca_certs and not issues):
        raise UnusableError("the list is for certificates of another kind")
    if scope.full_name is not None and not set(scope.full_name) & set(_points(certificate)):
        raise UnusableError("the list belongs to another distribution point than the certificate names")


def is_issuer(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate is a certificate authority's."""
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _points(certificate: x509.Certificate) -> list[x509.GeneralName]:
    try:
        points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    except x509.ExtensionNotFound:
        return []
    return [name for point in points for name in point.full_name or ()]


def _since(entry: x509.RevokedCertificate) -> datetime:
    """Return from when on the certificate is no good: the date of revocation, or an earlier one that the issuer names."""
    try:
        invalid = entry.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc
    except (x509.ExtensionNotFound, *UNREADABLE):  # an entry that cannot be read in full is a revocation all the same
        return entry.revocation_date_utc
    return min(entry.revocation_date_utc, invalid.astimezone(UTC))


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return None
    except UNREADABLE:
        return x509.ReasonFlags.key_compromise  # a reason that cannot be read may be the worst
