"""Trust for a stranger, who has anchors and nothing else: whose certificate it is, its subject must say.

An installation pins certificates for authorities. A court does not, so a certificate counts for an authority if its chain ends
at one of the court's anchors and its subject carries the authority's code: then the issuer answers for it. From the
certificates that travel in a case file a key folder is made as such a stranger would fill it, and read as any other: the
same code judges them.
"""

from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from gateway.errors import KeyMissing, SignerNotTrusted
from gateway.trust import algorithms, profile
from gateway.trust.certificates import TrustStore
from gateway.trust.chains import MAX_CHAIN, UNREADABLE
from gateway.trust.folder import ANCHORS, AUTHORITY, MAX_FILE_BYTES, PINNED, REVOCATION, TIMESTAMP_ANCHORS, read_public
from gateway.trust.pinned import DEVELOPMENT_ONLY

NOTHING: Mapping[str, bytes] = MappingProxyType({})
UNNAMED = (  # to be said of a certificate of which `names` is not true
    "its subject does not name the authority by its code, in its own state: partners trust it by its pin, but a court that "
    "has anchors only refuses what it signs in a case file"
)
_NAMES = (NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME, NameOID.COMMON_NAME, NameOID.ORGANIZATION_IDENTIFIER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """What a certificate says of its owner, for people. It is true if the chain was verified."""

    authority: str
    owner: str  # common name of the subject, the whole subject (RFC 4514) where it has none
    issuer: str  # the same of whoever issued the last certificate that travelled: the anchor
    development: bool  # a development certificate proves nothing


def introduce(chain: tuple[bytes, ...]) -> Introduction:
    """Return whose certificate leads a chain (DER), by its subject alone: exactly one authority, in its own state.

    Raises `SignerNotTrusted`.
    """
    certificates = _read(chain)
    leaf = certificates[0]
    words = [
        str(word)
        for attribute in leaf.subject
        if attribute.oid in _NAMES
        for word in str(attribute.value).replace(",", " ").split()
    ]
    codes = {word for word in words if AUTHORITY.fullmatch(word)}
    states = {str(each.value) for each in leaf.subject.get_attributes_for_oid(NameOID.COUNTRY_NAME)}
    if len(codes) != 1:
        raise SignerNotTrusted("the subject of the signing certificate does not name one authority by its code")
    (code,) = codes
    if states - {code[:2]}:
        raise SignerNotTrusted("the subject of the signing certificate names an authority of another state than its own")
    return Introduction(
        authority=code,
        owner=_short(leaf.subject),
        issuer=_short(certificates[-1].issuer),
        development=DEVELOPMENT_ONLY in leaf.subject.rfc4514_string(),
    )


def names(chain: Iterable[x509.Certificate], authority: str) -> bool:
    """Tell whether a stranger, who has no pins, would take what this chain signs for the authority's."""
    try:
        return introduce(tuple(each.public_bytes(Encoding.DER) for each in chain)).authority == authority
    except SignerNotTrusted:
        return False


def _short(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return f'"{common[0].value!s}"' if len(common) == 1 else f'"{name.rfc4514_string()}"'


def pem(chain: tuple[bytes, ...]) -> bytes:
    """Return a chain (DER) in PEM. Raises `SignerNotTrusted` for what is none."""
    return b"".join(each.public_bytes(Encoding.PEM) for each in _read(chain))


def chain_of(envelope: bytes) -> tuple[bytes, ...] | None:
    """Return the certificates (DER) that travel in a signed envelope, None for what is none. Nothing is verified."""
    claims = profile.read_signature(envelope[max(envelope.rfind(profile.SIGNATURE_START), 0) :])
    try:
        return None if claims is None else tuple(b64decode(each, validate=True) for each in claims.certificates)
    except ValueError:
        return None


@contextmanager
def strangers(
    anchors: Path,
    chains: Iterable[tuple[bytes, ...]],
    evidence: Mapping[str, bytes] = NOTHING,
    timestamp_anchors: Path | None = None,
) -> Iterator[TrustStore]:
    """Give the trust of somebody who has the certificates in the folder `anchors` and met these chains.

    `timestamp_anchors` is the folder of the roots of timestamp authorities, the same if None.

    `evidence` holds lists and answers about revocation by file name (`.crl`, `.ocsp`); each is believed only if its issuer
    signed it. A chain that names no authority is left out: what it signed is then refused as signed by nobody known.
    Raises `KeyMissing` if the folder holds no anchor, `TrustInvalid`.
    """
    roots = sorted(anchors.glob("*.pem")) if anchors.is_dir() else []
    if not roots:
        raise KeyMissing("the folder of anchors holds no certificate (*.pem)")
    with TemporaryDirectory(prefix="gateway-stranger-") as name:
        folder = Path(name)
        for part in (ANCHORS, TIMESTAMP_ANCHORS, PINNED, REVOCATION):
            (folder / part).mkdir()
        for number, root in enumerate(roots):
            (folder / ANCHORS / f"{number}.pem").write_bytes(read_public(root))
        for number, root in enumerate(sorted((timestamp_anchors or anchors).glob("*.pem"))):
            (folder / TIMESTAMP_ANCHORS / f"{number}.pem").write_bytes(read_public(root))
        for number, chain in enumerate(dict.fromkeys(chains)):
            authority = _usable(chain)
            if authority is not None:
                (folder / PINNED / f"{authority}.{number}.pem").write_bytes(pem(chain))
        for number, (file, body) in enumerate(evidence.items()):
            (folder / REVOCATION / f"{number}{Path(file).suffix}").write_bytes(body)
        yield TrustStore.load(folder)


def _usable(chain: tuple[bytes, ...]) -> str | None:
    """Return whose chain it is; None if it is nobody's, too large, or holds a key that nobody here signs with."""
    try:
        known = introduce(chain)
        key = _read(chain)[0].public_key()
        fits = len(pem(chain)) <= MAX_FILE_BYTES
    except (SignerNotTrusted, UnsupportedAlgorithm, *UNREADABLE):
        return None
    return known.authority if fits and algorithms.of_key(key) is not None else None


def _read(chain: tuple[bytes, ...]) -> list[x509.Certificate]:
    if not 0 < len(chain) <= MAX_CHAIN:
        raise SignerNotTrusted(f"a chain has one to {MAX_CHAIN} certificates")
    try:
        found = [x509.load_der_x509_certificate(each) for each in chain]
        for each in found:
            each.subject.rfc4514_string()  # read late by the library: a broken name fails here, not at the verdict
            each.issuer.rfc4514_string()
    except UNREADABLE:
        raise SignerNotTrusted("a certificate of the chain cannot be read") from None
    return found
