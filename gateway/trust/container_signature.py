"""Sign a container, and verify its signature: numbered steps that accept nothing but the one profile.

As with an envelope (verify.py) nothing that the signature says about itself is followed: the files it names, their digests,
its time and its certificates are read, the signature is made again from them, and the bytes are compared.
"""

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from gateway.errors import (
    ContainerChanged,
    ContainerForm,
    ContainerIncomplete,
    ContainerUnsigned,
    SignatureMissing,
    SignatureProfile,
    TimestampNotTrusted,
)
from gateway.stages import MAX_MESSAGE_BYTES
from gateway.trust import container_profile as profile
from gateway.trust import policy as rules
from gateway.trust import timestamps
from gateway.trust.certificates import TrustStore
from gateway.trust.container_profile import MANIFEST, MEDIA_TYPES, SIGNATURES, SignedFile
from gateway.trust.keys import SigningKey
from gateway.trust.profile import digest, signature_value_alone
from gateway.trust.timestamps import Stamp
from gateway.wire.container import MEDIA_TYPE, META, MIMETYPE, Container
from gateway.wire.documents import parse_xml

STEPS = (
    "one signature file and one manifest",
    "read what the signature claims",
    "the signer's certificate is trusted and valid at the time of signing",
    "the signing time is not in the future",
    "the signature is the one profile, byte for byte",
    "the signature value is the signer's",
    "every file is signed, and every signed file is there",
    "every file is the one that was signed",
    "the manifest lists the signed files",
    "the timestamp is over this signature, by a trusted authority",  # of a stamped container only
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """A container whose signature was verified: who answers for it, since when, and its files."""

    signer: str  # authority
    signed_at: datetime  # UTC, as claimed
    files: Mapping[str, str]  # SHA-256 in lower-case hex by name, in the order of the container
    chain: tuple[bytes, ...]  # DER
    stamp: Stamp | None  # by an authority that is trusted; None without one


def signed_file(name: str, media_type: str, sha256_: bytes) -> SignedFile:
    """Return the line of one file; `sha256_` is raw."""
    assert media_type in MEDIA_TYPES, media_type
    return SignedFile(name=name, media_type=media_type, digest=b64encode(sha256_))


def sign_container(
    files: Sequence[SignedFile], key: SigningKey, at: datetime, *, stamp: Callable[[bytes], Stamp] | None = None
) -> tuple[tuple[str, bytes], ...]:
    """Return the files under META-INF/ that make a container signed: manifest and signature.

    `stamp` returns a timestamp over bytes; with it the signature is of level T. Raises what the key and `stamp` raise.
    """
    signing_time = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    certificate_digest = digest(key.chain[0])
    properties_digest = digest(profile.signed_properties_alone(files, signing_time, certificate_digest))
    value = key.algorithm.to_only_form(key.sign(profile.signed_info_alone(key.algorithm, files, properties_digest)))
    signature = profile.signatures_file(
        algorithm=key.algorithm,
        files=files,
        properties_digest=properties_digest,
        value=value,
        chain=key.chain,
        signing_time=signing_time,
        certificate_digest=certificate_digest,
        token=stamp(signature_value_alone(b64encode(value))).token if stamp else None,
    )
    return (MANIFEST, profile.manifest_file(files, MEDIA_TYPE.decode())), (SIGNATURES, signature)


def claimed_chain(container: Container) -> tuple[bytes, ...]:
    """Return the certificates (DER) that a container says it was signed with. Nothing about them is trusted.

    Raises `SignatureMissing`, `SignatureProfile`, and what reading a file of the container raises.
    """
    return _chain(_claims(_signature_file(container)))


def verify_container(container: Container, trust: TrustStore, at: datetime, policy: rules.Policy = rules.STANDARD) -> Sealing:
    """Return who signed a container and what; every byte of it was read and is either signed or fixed.

    `at` is now: the signing time must not lie after it. The signer's certificate must be valid at the time of signing only:
    a record is verified long after its certificate ended.

    Raises `SignatureMissing`, `SignatureProfile`, `SignatureInvalid`, `SigningTimeInvalid`, what `TrustStore.verdict` raises,
    `ContainerUnsigned`, `ContainerIncomplete`, `ContainerChanged` or `ContainerForm`.
    """
    # 1 one signature file and one manifest, and nothing else under META-INF/
    body = _signature_file(container)

    # 2 read what the signature claims
    claims = _claims(body)
    chain = _chain(claims)
    value, signed_at = _decoded(claims.value), _instant(claims.signing_time)

    # 3 the signer's certificate is trusted and valid at the time of signing
    stamp = _stamp(claims, trust)
    signer = trust.verdict(chain, signed_at, claimed=stamp is None)

    # 4 the signing time is not in the future
    rules.check_time(signed_at, at, policy)

    # 5 the signature is the one profile, byte for byte: made again from the claims, with our own digest of the properties
    properties_digest = digest(profile.signed_properties_alone(claims.files, claims.signing_time, signer.digest))
    rebuilt = profile.signatures_file(
        algorithm=signer.algorithm,
        files=claims.files,
        properties_digest=properties_digest,
        value=value,
        chain=chain,
        signing_time=claims.signing_time,
        certificate_digest=signer.digest,
        token=None if claims.token is None else _decoded(claims.token),
    )
    if body != rebuilt or not signer.algorithm.is_only_form(value):
        raise SignatureProfile("the signature of the container is not the one profile")
    if any(file.media_type not in MEDIA_TYPES for file in claims.files):
        raise SignatureProfile("the signature of the container names a kind of file that a case file does not hold")

    # 6 the signature value is the signer's
    signer.check(profile.signed_info_alone(signer.algorithm, claims.files, properties_digest), value)

    # 7 to 9 every file is signed and there, and is the one that was signed; the manifest lists them
    digests = _check_files(container, claims.files)

    # 10 the timestamp is not before the signature, and the certificate was valid then
    if stamp is not None:
        rules.check_stamp(signed_at, stamp.at, at, policy)
        trust.verdict(chain, max(stamp.at, signed_at))
    return Sealing(signer=signer.authority, signed_at=signed_at, files=digests, chain=chain, stamp=stamp)


def _check_files(container: Container, files: Sequence[SignedFile]) -> dict[str, str]:
    """Return the digests of the files, in lower-case hex by name."""
    # 7 every file is signed, and every signed file is there, in this order
    signed, there = [file.name for file in files], [name for name in container.entries if not _is_fixed(name)]
    if set(there) - set(signed):
        raise ContainerUnsigned("the container holds a file that its signature does not cover")
    if set(signed) - set(there):
        raise ContainerIncomplete("a file that was signed is not in the container")
    if signed != there:
        raise ContainerForm("the files of the container do not stand in the order in which they were signed")

    # 8 every file is the one that was signed
    digests: dict[str, str] = {}
    for file in files:
        found = sha256()
        for chunk in container.chunks(file.name):
            found.update(chunk)
        if b64encode(found.digest()) != file.digest:
            raise ContainerChanged(f"the file {file.name} was changed after the container was signed")
        digests[file.name] = found.hexdigest()

    # 9 the manifest lists the signed files
    if container.content(MANIFEST, most=MAX_MESSAGE_BYTES) != profile.manifest_file(files, MEDIA_TYPE.decode()):
        raise ContainerForm("the manifest of the container does not list the files that were signed")
    return digests


def _stamp(claims: profile.Claims, trust: TrustStore) -> Stamp | None:
    """Return the timestamp over the signature value, None where there is none, or none that is trusted here.

    Raises `TimestampMalformed` or `TimestampMismatch`.
    """
    if claims.token is None:
        return None
    try:
        return timestamps.check(_decoded(claims.token), signature_value_alone(claims.value), trust.timestamp_anchors)
    except TimestampNotTrusted:
        return None  # somebody else's word: the signature is then judged as if it had none


def _is_fixed(name: str) -> bool:
    return name == MIMETYPE or name.startswith(META)


def _signature_file(container: Container) -> bytes:
    meta = {name for name in container.entries if name.startswith(META)}
    if SIGNATURES not in meta:
        raise SignatureMissing("the container is not signed")
    if meta != {SIGNATURES, MANIFEST}:
        raise ContainerForm("META-INF/ holds something else than one signature and one manifest")
    body = container.content(SIGNATURES, most=MAX_MESSAGE_BYTES)
    parse_xml(body)  # hostile XML is refused under its own code; the tree is not used
    return body


def _claims(body: bytes) -> profile.Claims:
    claims = profile.read_claims(body)
    if claims is None or body.count(b"<ds:Signature ") != 1:
        raise SignatureProfile("the signature of the container is not the one profile")
    return claims


def _chain(claims: profile.Claims) -> tuple[bytes, ...]:
    return tuple(_decoded(each) for each in claims.certificates)


def _decoded(text: bytes) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError:
        raise SignatureProfile("the signature of the container holds a value that is not base64") from None


def _instant(text: bytes) -> datetime:
    try:
        return datetime.fromisoformat(text.decode())
    except ValueError:
        raise SignatureProfile("the signing time of the container is no instant") from None
