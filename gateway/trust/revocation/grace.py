"""Decisions of named persons to go on trusting a certificate, for a time, though nobody can say whether it was revoked.

    revocation/grace/<fingerprint of a certificate, or authority code>.json     {"v": 1, "subject", "at", "until", "why", "by"}

A grace for an authority covers the whole chain of each of its certificates. It never covers what is known to be revoked.
One file for each decision: two commands at the same time lose nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.errors import TrustInvalid
from gateway.trust.folder import AUTHORITY, GRACE, REVOCATION, read_public, write_file
from gateway.trust.revocation.local import FINGERPRINT

LONGEST = timedelta(days=30)  # an outage that lasts longer is decided anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Grace:
    """A decision of a named person."""

    subject: str  # fingerprint of a certificate, or authority code
    at: datetime  # UTC; when it was decided
    until: datetime  # UTC; the last instant it covers
    why: str
    by: str  # who decided


def give(folder: Path, subject: str, *, at: datetime, until: datetime, why: str, by: str) -> Grace:
    """Write a decision into the key folder; one that stands for the same subject is replaced. Raises `TrustInvalid`."""
    found = checked(subject, at=at, until=until, why=why, by=by)
    content = {"v": 1, "subject": subject, "at": found.at.isoformat(), "until": found.until.isoformat()}
    content |= {"why": found.why, "by": found.by}
    write_file(_path(folder, subject), (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())
    return found


def checked(subject: str, *, at: datetime, until: datetime, why: str, by: str) -> Grace:
    """Return a decision that may be written. Raises `TrustInvalid`."""
    if not FINGERPRINT.fullmatch(subject) and not AUTHORITY.fullmatch(subject):
        raise TrustInvalid("a grace is given to a certificate, by its SHA-256 fingerprint, or to an authority, by its code")
    if at.tzinfo is None or until.tzinfo is None:
        raise TrustInvalid("the instants of a grace need a zone")
    if not at < until <= at + LONGEST:
        raise TrustInvalid(f"a grace ends after it is given, and at most {LONGEST.days} days later")
    if not why.strip() or not by.strip():
        raise TrustInvalid("a grace needs a reason and the name of the person who decides it")
    return Grace(subject=subject, at=at.astimezone(UTC), until=until.astimezone(UTC), why=why.strip(), by=by.strip())


def end(folder: Path, subject: str) -> bool:
    """Take the decision for `subject` back; return whether there was one."""
    if not FINGERPRINT.fullmatch(subject) and not AUTHORITY.fullmatch(subject):
        return False
    path = _path(folder, subject)
    known = path.exists()
    path.unlink(missing_ok=True)
    return known


def read(folder: Path) -> Mapping[str, Grace]:
    """Return the decisions of a key folder by subject, ended ones too. Raises `TrustInvalid` for a file that is none."""
    paths = (path for path in sorted((folder / REVOCATION / GRACE).glob("*.json")) if not path.name.startswith("."))
    return {found.subject: found for found in map(_read, paths)}


def covering(graces: Mapping[str, Grace], authority: str, fingerprint: str, at: datetime) -> Grace | None:
    """Return the decision that covers a certificate in a chain of `authority` at an instant; of two the longer one."""
    found = [graces[subject] for subject in (authority, fingerprint) if subject in graces and at <= graces[subject].until]
    return max(found, key=lambda grace: grace.until, default=None)


def _path(folder: Path, subject: str) -> Path:
    return folder / REVOCATION / GRACE / f"{subject}.json"


def _read(path: Path) -> Grace:
    try:
        content = json.loads(read_public(path))
        if content["v"] != 1 or path.name != f"{content['subject']}.json":
            raise TrustInvalid(f"revocation/{GRACE}/{path.name} is not a grace for the subject it is named for")
        at, until = (datetime.fromisoformat(content[name]) for name in ("at", "until"))
        return checked(content["subject"], at=at, until=until, why=content["why"], by=content["by"])
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise TrustInvalid(f"revocation/{GRACE}/{path.name} is not a grace") from error
