"""The key folder: where each certificate and key lies, and how its files are read and written.

    anchors/<name>.pem                     root certificates; a chain must end at one of them
    pinned/<AUTHORITY>[.<n>].pem           the authority's signing certificate, then its intermediates; two may be valid at once
    sealing/<AUTHORITY>[.<n>].json         the authority's public sealing key, signed by its signing key
    private/<AUTHORITY>.signing.pem        home authorities only: private signing key, then its chain, leaf first
    private/<AUTHORITY>[.<n>].sealing.json home authorities only: private sealing keys; an old one stays while messages may come
    private/master.key                     wraps the key of each case (data at rest), 32 bytes in hex
    case-keys/                             keys of single cases, destroyed one by one, and what remains of them: case_tree.py
    ca/                                    development only: the keys of the development certificate authority

Private files belong to their owner alone (mode 0600); a file that others can read is refused.
Every file is written beside its place and renamed, so a reader never sees half of one.
"""

import os
import re
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gateway.errors import KeyMissing, TrustInvalid

ANCHORS = "anchors"
PINNED = "pinned"
SEALING = "sealing"
PRIVATE = "private"
CA = "ca"
CASE_KEYS = "case-keys"
MASTER_KEY = "master.key"

AUTHORITY = re.compile(r"[A-Z]{2}-[A-Z0-9]{2,12}")  # as in schemas/readmission/1.0/common.xsd, AuthorityCode
_MAX_FILE_BYTES = 65_536  # a chain of four certificates with RSA-4096 issuers is below 12 kB


def write_file(path: Path, data: bytes, *, private: bool = False) -> None:
    """Write `data` to `path` at once: readers see the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600 from the start
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if not private:
            umask = os.umask(0)
            os.umask(umask)
            Path(name).chmod(0o666 & ~umask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_public(path: Path) -> bytes:
    """Return the bytes of a certificate or key document. Raises `TrustInvalid`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TrustInvalid(f"{path.parent.name}/{path.name} cannot be read") from error
    if len(data) > _MAX_FILE_BYTES:
        raise TrustInvalid(f"{path.parent.name}/{path.name} is too large for a certificate or key document")
    return data


def read_private(path: Path) -> bytes:
    """Return the bytes of a private file. Raises `KeyMissing`, or `TrustInvalid` if others may read it."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise KeyMissing(f"there is no {path.parent.name}/{path.name} in the key folder") from error
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise TrustInvalid(f"{path.parent.name}/{path.name} can be read by others than its owner; set its mode to 0600")
    return read_public(path)


def authority_files(folder: Path, suffix: str) -> Iterator[tuple[str, Path]]:
    """Yield (authority, file) for each `<AUTHORITY>[.<n>]<suffix>` in `folder`, oldest number first.

    Raises `TrustInvalid` for a file that is named for no authority: a typing mistake must not hide a certificate.
    """
    for path in sorted(folder.glob(f"*{suffix}")):
        if path.name.startswith("."):
            continue  # half-written by a process that was stopped
        authority, _, number = path.name.removesuffix(suffix).partition(".")
        if not AUTHORITY.fullmatch(authority) or (number and not number.isdigit()):
            raise TrustInvalid(f"{folder.name}/{path.name} is not named <AUTHORITY>[.<n>]{suffix}")
        yield authority, path
