"""The signing keys that this process holds, and which of them signs at an instant.

Two keys of an authority may be valid at once while partners change over: the newer one signs from the instant that stands
beside it (gateway/trust/places.py), the older one until then.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.errors import KeyMissing, TrustInvalid
from gateway.trust import algorithms
from gateway.trust.folder import AUTHORITY, authority_files, private_folder, read_private
from gateway.trust.hardware import HardwareKey
from gateway.trust.places import KeyPlace, TokenPlace, read_place
from gateway.trust.revocation import local
from gateway.trust.revocation.local import LocalRevocation
from gateway.trust.signing_key import SigningKey, read_signing_key

_VARIABLE = re.compile(r"GATEWAY_SIGNING_KEY_(.+)_FILE")
_LEAST = timedelta(microseconds=1)  # at the instant of a revocation it signs no more
_EARLIEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKey:
    """A signing key with the time in which it signs."""

    key: SigningKey
    signs_from: datetime  # UTC; planned, and never before the certificate is valid
    not_after: datetime  # UTC; of the certificate, or the last instant before a person here revoked it

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 of the signing certificate, lower-case hex."""
        return sha256(self.key.chain[0]).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKeys:
    """Every signing key of the key folder and of the environment."""

    keys: Mapping[str, tuple[HeldKey, ...]]  # by authority; the one that signs from the latest instant on first

    @classmethod
    def load(cls, folder: Path, environment: Mapping[str, str]) -> "HeldKeys":
        """Read them. Raises `KeyMissing` if there is no key folder, `TrustInvalid` for a file that cannot be used."""
        found: dict[str, list[HeldKey]] = {}
        revoked = local.read(folder)
        for authority, path in signing_files(folder, environment):
            found.setdefault(authority, []).append(read_held(authority, path, revoked))
        keys: dict[str, tuple[HeldKey, ...]] = {}
        for authority, own in found.items():
            if len({each.signs_from for each in own}) < len(own):  # which one signs must never depend on the order of files
                raise TrustInvalid(
                    f"private/ holds two signing keys of {authority} that sign from the same instant on; keep the one in use"
                )
            keys[authority] = tuple(sorted(own, key=lambda each: each.signs_from, reverse=True))
        return cls(keys=keys)

    def authorities(self) -> tuple[str, ...]:
        return tuple(sorted(self.keys))

    def key(self, authority: str, at: datetime) -> SigningKey:
        return key_at(self.keys, authority, at).key


def key_at(keys: Mapping[str, tuple[HeldKey, ...]], authority: str, at: datetime) -> HeldKey:
    """Return the key of the authority that signs at an instant. Raises `KeyMissing`."""
    own = keys.get(authority, ())
    if not own:
        raise KeyMissing(f"there is no private signing key of {authority} in the key folder")
    for held in own:
        if held.signs_from <= at <= held.not_after:
            return held
    raise KeyMissing(f"no signing key of {authority} is valid at {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")


def signing_files(folder: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    """Yield (authority, file) for each signing key. Raises `KeyMissing`, `TrustInvalid`."""
    named = dict(_named(environment))
    yield from named.items()
    for authority, path in authority_files(private_folder(folder), ".signing.pem"):
        if authority in named:
            raise TrustInvalid(f"private/{path.name} and the environment both give a signing key of {authority}; keep one")
        yield authority, path


def _named(environment: Mapping[str, str]) -> Iterator[tuple[str, Path]]:
    for variable, value in sorted(environment.items()):
        found = _VARIABLE.fullmatch(variable)
        if found is None or not value:
            continue
        authority = found[1].replace("_", "-", 1)
        if not AUTHORITY.fullmatch(authority):
            raise TrustInvalid(f"{variable} names no authority: GATEWAY_SIGNING_KEY_BA_MS_FILE is that of BA-MS")
        yield authority, Path(value)


def read_held(authority: str, path: Path, revoked: Mapping[str, LocalRevocation]) -> HeldKey:
    """Read a signing key and what stands beside it. Raises `KeyMissing`, `TrustInvalid`."""
    place = read_place(path.with_suffix(".toml"))
    key = read_signing_key(authority, path) if place.token is None else _in_token(authority, path, place.token)
    leaf = x509.load_der_x509_certificate(key.chain[0])
    taken_back = revoked.get(sha256(key.chain[0]).hexdigest())
    end = leaf.not_valid_after_utc
    return HeldKey(key=key, signs_from=_start(place, leaf), not_after=min(end, taken_back.at - _LEAST) if taken_back else end)


def _start(place: KeyPlace, leaf: x509.Certificate) -> datetime:
    return max(place.signs_from or _EARLIEST, leaf.not_valid_before_utc)


def _in_token(authority: str, path: Path, token: TokenPlace) -> HardwareKey:
    data = read_private(path)
    try:
        if b"PRIVATE KEY" in data:
            raise TrustInvalid(f"private/{path.name} holds a private key, but its key is said to lie in a token")
        chain = x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise TrustInvalid(f"private/{path.name} holds no certificate in PEM") from error
    public_key = chain[0].public_key()
    algorithm = algorithms.of_key(public_key)
    if algorithm is None:
        raise TrustInvalid(f"private/{path.name} is not a certificate of an algorithm we sign with ({algorithms.names()})")
    assert isinstance(public_key, algorithms.PublicKey), "of_key takes no other kind"
    return HardwareKey(
        authority=authority,
        chain=tuple(each.public_bytes(Encoding.DER) for each in chain),
        algorithm=algorithm,
        public_key=public_key,
        place=token,
    )
