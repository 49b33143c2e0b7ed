"""Certificates that a person here no longer trusts, whatever their issuer says.

    revocation/local/<SHA-256 of the certificate, hex>.json     {"v": 1, "fingerprint", "at", "why", "by"}

One file for each certificate: two commands at the same time lose nothing, and no lock is needed.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway.errors import TrustInvalid
from gateway.trust.folder import LOCAL, REVOCATION, read_public, write_file

FINGERPRINT = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRevocation:
    """A decision of a named person: from `at` on a signature of this certificate proves nothing."""

    fingerprint: str  # SHA-256 of the DER, lower-case hex
    at: datetime  # UTC; earlier than the decision when the key was in wrong hands before
    why: str
    by: str  # who decided


def revoke(folder: Path, fingerprint: str, at: datetime, why: str, by: str) -> LocalRevocation:
    """Write into the key folder that a certificate is trusted no more from `at` on; return what holds now.

    Of two decisions about one certificate the earlier instant holds. Raises `TrustInvalid` for a wrong fingerprint, an
    instant without a zone, or no reason or name.
    """
    if not FINGERPRINT.fullmatch(fingerprint):
        raise TrustInvalid("a certificate is named by its SHA-256 fingerprint: 64 hexadecimal digits in lower case")
    if at.tzinfo is None:
        raise TrustInvalid("the instant of a revocation needs a zone")
    if not why.strip() or not by.strip():
        raise TrustInvalid("a revocation needs a reason and the name of the person who decides it")
    decided = LocalRevocation(fingerprint=fingerprint, at=at.astimezone(UTC), why=why.strip(), by=by.strip())
    path = _path(folder, fingerprint)
    if path.exists() and (known := _read(path)).at <= decided.at:
        return known
    content = {"v": 1, "fingerprint": fingerprint, "at": decided.at.isoformat(), "why": decided.why, "by": decided.by}
    write_file(path, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())
    return decided


def read(folder: Path) -> Mapping[str, LocalRevocation]:
    """Return the revocations of a key folder by fingerprint. Raises `TrustInvalid` for a file that is none."""
    paths = (path for path in sorted((folder / REVOCATION / LOCAL).glob("*.json")) if not path.name.startswith("."))
    return {found.fingerprint: found for found in map(_read, paths)}


def _path(folder: Path, fingerprint: str) -> Path:
    return folder / REVOCATION / LOCAL / f"{fingerprint}.json"


def _read(path: Path) -> LocalRevocation:
    try:
        content = json.loads(read_public(path))
        at = datetime.fromisoformat(content["at"])
        fits = (
            content["v"] == 1
            and at.tzinfo is not None
            and path.name == f"{content['fingerprint']}.json"
            and FINGERPRINT.fullmatch(content["fingerprint"])
            and all(isinstance(content[name], str) and content[name] for name in ("why", "by"))
        )
        if not fits:
            raise TrustInvalid(f"revocation/{LOCAL}/{path.name} is not a revocation of the certificate it is named for")
        return LocalRevocation(fingerprint=content["fingerprint"], at=at.astimezone(UTC), why=content["why"], by=content["by"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise TrustInvalid(f"revocation/{LOCAL}/{path.name} is not a revocation") from error
