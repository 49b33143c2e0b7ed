"""Where the issuer of a certificate says that its lists and answers are to be had, and under which names they are kept."""

from dataclasses import dataclass
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID

from gateway.trust.chains import UNREADABLE

_MOST = 4  # addresses of one kind that are tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a certificate offers. Only http: what is fetched is signed, and https would need what is being checked."""

    named: bool  # whether it names a list or a responder, be it at an address that cannot be used (ldap)
    responders: tuple[str, ...]  # URLs
    lists: tuple[str, ...]  # URLs
    answer_file: str  # name of the file of the answer, in the folder of revocation
    list_file: str


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of the certificate, in lower-case hex."""
    return sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def offered(certificate: x509.Certificate, issuer: x509.Certificate) -> Sources:
    """Return the addresses that stand in a certificate."""
    responders: list[x509.GeneralName] = []
    lists: list[x509.GeneralName] = []
    named = False
    for value in _values(certificate):
        if isinstance(value, x509.AuthorityInformationAccess):
            responders += [way.access_location for way in value if way.access_method == AuthorityInformationAccessOID.OCSP]
            named = named or bool(responders)
        elif isinstance(value, x509.CRLDistributionPoints):
            lists += [name for point in value for name in point.full_name or ()]
            named = True
        elif value is None:
            named = True  # what cannot be read may name one
    place = sha256(" ".join(_addresses(lists)).encode()).hexdigest()[:8]  # an issuer may split its list
    return Sources(
        named=named,
        responders=_addresses(responders),
        lists=_addresses(lists),
        answer_file=f"{fingerprint(certificate)}.ocsp",
        list_file=f"{fingerprint(issuer)}.{place}.crl",
    )


def _values(certificate: x509.Certificate) -> list[x509.ExtensionType | None]:
    """Return the extensions, None in place of all if one cannot be read."""
    try:
        return [extension.value for extension in certificate.extensions]
    except UNREADABLE:
        return [None]


def _addresses(names: list[x509.GeneralName]) -> tuple[str, ...]:
    values = [name.value for name in names if isinstance(name, x509.UniformResourceIdentifier)]
    return tuple(value for value in values if value.lower().startswith("http://"))[:_MOST]
