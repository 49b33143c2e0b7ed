"""The signed document of a public key: what an authority publishes, for sealing or for second signatures.

    {"v": 2, "authority": "PK-MOI", "version": 3, "key_id": ..., "suite": ..., "public_key": base64, "not_before": instant,
     "not_after": instant, "certificates": [base64 DER, leaf first], "signature": base64}

`v` is the format; `version` is a whole number that grows with each document of the same kind of an authority, so that an old
one cannot be passed off as new. The signature, by the authority's signing key, covers a first line that is fixed for the kind
of document, and the JSON of all members but `signature`, keys sorted, no spaces.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Generic, Protocol, TypeVar

from gateway.errors import KeyDocumentRefused, Refused, TrustInvalid
from gateway.trust.algorithms import SignatureAlgorithm
from gateway.trust.folder import authority_files, read_public
from gateway.trust.private_documents import HasName, key_id
from gateway.trust.signing_key import SigningKey
from gateway.wire.documents import parse_json

FORMAT: Final = 2
_MAX_VERSION: Final = 999_999  # so that a slip cannot use up all versions that may follow
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)


class Signer(Protocol):
    """Who signed a document, as the trust store found it."""

    @property
    def authority(self) -> str: ...

    @property
    def algorithm(self) -> SignatureAlgorithm: ...

    def check(self, data: bytes, signature: bytes) -> None:
        """Raise `SignatureInvalid` unless it signed `data`."""
        ...


Verdict = Callable[[tuple[bytes, ...], datetime], Signer]
Published = TypeVar("Published", bound="PublishedKey")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedKey:
    """An authority's public key, its document checked."""

    authority: str
    version: int  # 1 to 999,999
    key_id: str
    scheme: str  # name of the suite or algorithm
    raw: bytes  # public key
    not_before: datetime  # UTC; also the instant at which the document was signed
    not_after: datetime  # UTC
    vouched_by: str  # name of the algorithm that the document is signed with
    chain: tuple[bytes, ...]  # DER, leaf first: the certificate that vouches for it
    revoked_from: datetime | None = None  # from when on a certificate of that chain is revoked

    def valid(self, at: datetime) -> bool:
        return self.not_before <= at <= self.not_after

    def revoked(self, at: datetime) -> bool:
        """Tell whether at `at` a certificate that vouches for it was revoked."""
        return self.revoked_from is not None and at >= self.revoked_from

    @property
    def voucher(self) -> str:
        """Return the fingerprint (SHA-256, lower-case hex) of the certificate that vouches for it."""
        return sha256(self.chain[0]).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[Published]):
    """One kind of key that authorities publish."""

    noun: str  # "sealing key", as an error says it
    folder: str  # in the key folder
    private: str  # how the files of its private keys are called: "sealing" in BA-MS.sealing.json
    member: str  # the member that names the scheme
    make: Callable[[dict[str, Any]], Published]  # fields of `PublishedKey` -> the key; ValueError or KeyError if it is none

    @property
    def context(self) -> bytes:
        """Return the first line under the signature: a document of one kind can never be mistaken for another."""
        return f"readmission-gateway {self.noun} {FORMAT}\n".encode()

    @property
    def members(self) -> set[str]:
        fixed = {"v", "authority", "version", "key_id", "public_key", "not_before", "not_after", "certificates", "signature"}
        return fixed | {self.member}

    def covered(self, content: Mapping[str, Any]) -> bytes:
        rest = {name: value for name, value in content.items() if name != "signature"}
        return self.context + json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()


def write_document(
    kind: Kind[Any],
    signer: SigningKey,
    scheme: HasName,
    public: bytes,
    not_before: datetime,
    not_after: datetime,
    *,
    version: int,
) -> bytes:
    """Return the signed document of the raw public key `public`, owned by the signer's authority.

    `version` must be higher than that of every document of the kind that the authority published before.
    """
    content: dict[str, Any] = {
        "v": FORMAT,
        "authority": signer.authority,
        "version": version,
        "key_id": key_id(public),
        kind.member: scheme.name,
        "public_key": b64encode(public).decode(),
        "not_before": _text(not_before),
        "not_after": _text(not_after),
        "certificates": [b64encode(each).decode() for each in signer.chain],
    }
    content["signature"] = b64encode(signer.algorithm.to_only_form(signer.sign(kind.covered(content)))).decode()
    return (json.dumps(content, indent=2) + "\n").encode()


def accept(kind: Kind[Published], data: bytes, authority: str, verdict: Verdict, *, at: datetime | None = None) -> Published:
    """Return the key of a document that `authority` signed when its certificate was valid, and valid at `at` if that is given.

    Raises `KeyDocumentRefused` for any document that does not hold.
    """
    content = _read(kind, data)
    try:
        chain = tuple(b64decode(each, validate=True) for each in content["certificates"])
        signature = b64decode(content["signature"], validate=True)
        public = b64decode(content["public_key"], validate=True)
        begins, ends = _instant(content["not_before"]), _instant(content["not_after"])
        fits = content["authority"] == authority and content["key_id"] == key_id(public)
    except (ValueError, KeyError, TypeError) as error:
        raise _refuse(kind) from error
    if not fits:
        raise KeyDocumentRefused("the document names another authority or another key than it holds")
    version = content["version"]
    if not isinstance(version, int) or isinstance(version, bool) or not 1 <= version <= _MAX_VERSION or begins > ends:
        raise KeyDocumentRefused("the document has no version, or ends before it begins")
    try:
        signer = verdict(chain, begins)
        signer.check(kind.covered(content), signature)
        if at is not None:
            verdict(chain, max(at, begins))
    except Refused as reason:
        raise KeyDocumentRefused(
            f"the document is not signed by a pinned certificate of its authority: {reason.message}"
        ) from reason
    if signer.authority != authority:
        raise KeyDocumentRefused(f"the document is signed by {signer.authority}, not by its own authority")
    fields = {
        "authority": authority,
        "version": version,
        "key_id": content["key_id"],
        "scheme": content[kind.member],
        "raw": public,
        "not_before": begins,
        "not_after": ends,
        "vouched_by": signer.algorithm.name,
        "chain": chain,
    }
    try:
        return kind.make(fields)
    except (ValueError, KeyError, TypeError) as error:
        raise _refuse(kind) from error


def claimed_voucher(data: bytes) -> str | None:
    """Return the fingerprint of the certificate that a document says it is signed by, None if it says none; unproven."""
    try:
        return sha256(b64decode(json.loads(data)["certificates"][0], validate=True)).hexdigest()
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None


def is_current(data: bytes) -> bool:
    """Tell whether a document says that it is of the format we write; nothing else about it is checked."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and content.get("v") == FORMAT


def read_all(kind: Kind[Published], folder: Path, verdict: Verdict) -> dict[str, tuple[Published, ...]]:
    """Return the published keys of all authorities in the key folder `folder`, newest version first.

    Raises `TrustInvalid` for a document that does not hold, and where two documents of an authority have one version.
    """
    found: dict[str, list[Published]] = {}
    for authority, path in authority_files(folder / kind.folder, ".json"):
        try:
            key = accept(kind, read_public(path), authority, verdict)
        except KeyDocumentRefused as reason:
            raise TrustInvalid(f"{kind.folder}/{path.name}: {reason.message}") from reason
        own = found.setdefault(authority, [])
        if key.version in {each.version for each in own}:
            raise TrustInvalid(f"{kind.folder}/{path.name}: another document of {authority} has the version {key.version} too")
        own.append(key)
    return {authority: tuple(sorted(keys, key=lambda key: key.version, reverse=True)) for authority, keys in found.items()}


def _refuse(kind: Kind[Any]) -> KeyDocumentRefused:
    return KeyDocumentRefused(f"the document is not that of a {kind.noun} in format {FORMAT}")


def _read(kind: Kind[Any], data: bytes) -> dict[str, Any]:
    try:
        content = parse_json(data)  # strict: a member that stands twice would be read in two ways
    except Refused as error:
        raise _refuse(kind) from error
    if not isinstance(content, dict) or content.get("v") != FORMAT or set(content) != kind.members:
        raise _refuse(kind)
    return content


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _instant(text: str) -> datetime:
    if not _INSTANT.fullmatch(text):
        raise ValueError("not an instant in UTC")
    return datetime.fromisoformat(text)
