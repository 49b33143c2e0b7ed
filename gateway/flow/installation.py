"""What an installation runs with: settings, partner folders, schemas, public keys. A change is journalled at the next start.

The journal holds the names of what changed and a digest of each part, never a value. Passwords are no part of it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.flow.ports import Runtime
from gateway.log import logger
from gateway.store import journal
from gateway.store.database import Tx, reading, transaction
from gateway.trust.folder import ANCHORS, GRACE, LOCAL, PINNED, REVOCATION, SEALING, TIMESTAMP_ANCHORS

log = logger("installation")

EVENT = "settings.changed"
_ACTOR = "gateway"
_SECRET = re.compile(r"(^|_)(secret|password|pin|token)(_|$)")
# What is public of the key folder, and decided by a person. The public parts of our own private keys lie there too.
_PUBLIC = (ANCHORS, TIMESTAMP_ANCHORS, PINNED, SEALING, f"{REVOCATION}/{LOCAL}", f"{REVOCATION}/{GRACE}")
_DEPTH = 3  # partners/<code>/<file or folder>: what lies deeper counts for it
_DIGITS = 16  # of a digest: it tells two versions apart, and proves nothing


def note_settings(rt: Runtime) -> tuple[str, ...]:
    """Compare what this process runs with to what the journal last said; write the difference, once for all processes.

    Returns the names of what changed. Raises `DatabaseUnavailable`.
    """
    now = fingerprints(rt)
    with reading(rt.engine) as tx:
        if _noted(tx) == now:
            return ()
    with transaction(rt.engine) as tx:
        journal.hold(tx)  # of processes that start at once the first one writes, the others see it here
        before = _noted(tx)
        if before == now:
            return ()
        names = tuple(sorted(name for name in {*now, *before} if now.get(name) != before.get(name))) if before else ()
        detail = {"changed": names, "first": not before, "now": now}
        journal.append(tx, [journal.Entry(at=rt.clock(), event=EVENT, actor=_ACTOR, detail=detail)])
    if names:
        log.info("settings.changed", count=len(names))
    return names


def fingerprints(rt: Runtime) -> dict[str, str]:
    """Return a digest of every part of the installation, by name."""
    settings = rt.settings
    found = {
        f"settings/{field.name}": _digest(_shown(getattr(settings, field.name)))
        for field in fields(settings)
        if not _SECRET.search(field.name)
    }
    found |= _of_files("partners", settings.partners) | _of_files("schemas", settings.schemas)
    for part in _PUBLIC:
        found |= _of_files(f"keys/{part}", settings.keys / part)
    for name, file in (("overrides", settings.overrides), ("calendar_changes", settings.calendar_changes)):
        if file is not None and file.is_file():
            found[name] = _digest(sha256(file.read_bytes()).hexdigest())
    return found


def _noted(tx: Tx) -> Mapping[str, str]:
    """Return what the journal last said, nothing before the first start."""
    last = journal.latest(tx, EVENT, actor=_ACTOR)
    noted: Mapping[str, str] = last.detail["now"] if last else {}
    return noted


def _digest(value: Any) -> str:
    return sha256(json.dumps(value, default=str).encode()).hexdigest()[:_DIGITS]


def _shown(value: Any) -> Any:
    """Return a setting without the password that an address may carry."""
    if not isinstance(value, str) or "://" not in value:
        return value
    parts = urlsplit(value)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl(), parts.username


def _of_files(name: str, folder: Path) -> dict[str, str]:
    """Return a digest of each file in a folder; of a deep folder one for all that lies in it."""
    grouped: dict[str, list[str]] = {}
    for path in _files(folder):
        inside = path.relative_to(folder).parts
        part = "/".join((name, *inside)[:_DEPTH])
        grouped.setdefault(part, []).extend(("/".join(inside), sha256(path.read_bytes()).hexdigest()))
    return {part: _digest(digests) for part, digests in grouped.items()}


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part.startswith((".", "__")) for part in path.relative_to(folder).parts):
            yield path
