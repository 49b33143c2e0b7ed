"""Take in a newer key document that a partner published: beside the older ones, never in place of them.

Both keys stay usable while both are valid, so that nothing that is under way is lost: the newest valid one seals, each opens.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from gateway.errors import KeyDocumentRefused
from gateway.trust.certificates import TrustStore
from gateway.trust.folder import MAX_FILE_BYTES, authority_files, write_file
from gateway.trust.key_documents import Kind, Published, PublishedKey, accept


def refresh(kind: Kind[Published], data: bytes, authority: str, trust: TrustStore, at: datetime) -> Published:
    """Check a document that `authority` sent, write it into the key folder of `trust`, and have it in force at once.

    `kind` is `SEALING_KEYS` or `SECOND_KEYS`; `at` is now. A document that is known already changes nothing.

    Raises `KeyDocumentRefused` unless it is signed by a certificate that is pinned for the authority and good now, has a
    higher version than all that are known, and follows the newest of them: a new key, which begins and ends later, or the same
    key vouched for anew. So an old document cannot be brought back, and an older key never takes over again from a newer one.
    Raises `Unavailable` while it is not known whether the certificate was revoked.
    """
    if len(data) > MAX_FILE_BYTES:
        raise KeyDocumentRefused(f"a document of a {kind.noun} has at most {MAX_FILE_BYTES} bytes")
    trust.refresh()
    key = accept(kind, data, authority, trust.verdict, at=at)  # only a pinned authority gets past this line
    known = trust.published(kind, authority)
    if any(_same(each, key) for each in known):
        return key
    _check_follows(key, known, at)
    below = trust.folder / kind.folder
    write_file(below / f"{authority}.{_next_number(below, authority)}.json", data)
    trust.refresh()
    return key


def _same(one: PublishedKey, other: PublishedKey) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in ("version", "raw", "not_before", "not_after", "chain"))


def _check_follows(key: PublishedKey, known: Sequence[PublishedKey], at: datetime) -> None:
    """Raise `KeyDocumentRefused` unless `key` follows the newest of `known`, which is its first."""
    if key.not_after < at:
        raise KeyDocumentRefused(f"the key ended on {key.not_after.astimezone(UTC):%Y-%m-%d}")
    if not known:
        return
    newest = known[0]
    if key.version <= newest.version:
        raise KeyDocumentRefused(f"version {key.version} is not newer than version {newest.version}, which is known")
    if key.key_id == newest.key_id:
        return
    if any(each.key_id == key.key_id for each in known):
        raise KeyDocumentRefused("another key has taken the place of this one before")
    if key.not_before <= newest.not_before or key.not_after <= newest.not_after:
        raise KeyDocumentRefused(f"the key does not begin and end later than that of version {newest.version}")


def _next_number(folder: Path, authority: str) -> int:
    """Return the number of the next file of `authority`; the file without one counts as the first."""
    numbers = (path.name.split(".")[1] for owner, path in authority_files(folder, ".json") if owner == authority)
    return 1 + max((int(each) if each.isdigit() else 1 for each in numbers), default=1)
