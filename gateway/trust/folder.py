"""The key folder: where each certificate and key lies, and how its files are read and written.

    anchors/<name>.pem                     root certificates; a chain must end at one of them
    timestamp-anchors/<name>.pem           roots of timestamp authorities, and intermediates that one does not send itself
    pinned/<AUTHORITY>[.<n>].pem           the authority's signing certificate, then its intermediates; two may be valid at once
    sealing/<AUTHORITY>[.<n>].json         the authority's public sealing key, signed by its signing key
    second/<AUTHORITY>[.<n>].json          the same for second signatures (post-quantum), where an authority makes them
    private/<AUTHORITY>[.<n>].signing.pem  home authorities only: private signing key, then its chain, leaf first
    private/<AUTHORITY>[.<n>].signing.toml from when it signs, and in which token the key lies: gateway/trust/places.py
    private/<AUTHORITY>.pending.pem, .toml a new key that waits for its certificate: gateway/trust/pending.py
    private/<AUTHORITY>[.<n>].sealing.json home authorities only: private sealing keys; an old one stays while messages may come
    private/<AUTHORITY>[.<n>].second.json  home authorities only: private keys for second signatures
    private/master.key                     wraps the key of each case (data at rest), 32 bytes in hex
    case-keys/                             keys of single cases, destroyed one by one, and what remains of them: case_tree.py
    revocation/                            what issuers and persons here took back: gateway/trust/revocation/
    ca/                                    development only: the keys of the development certificate and timestamp authorities

A file elsewhere may take the place of a private one, as secrets are mounted: GATEWAY_SIGNING_KEY_<AUTHORITY>_FILE (BA-MS is
written BA_MS) and GATEWAY_MASTER_KEY_FILE name it. Links are followed: Kubernetes mounts a secret as a chain of them.

Private files belong to their owner alone (mode 0600 or 0400); a file that others can read is refused. One exception: a file
of root's may be readable by a group of ours (0440), as mounted secrets are for a process that is not root.
Every file is written beside its place and renamed, so a reader never sees half of one.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from gateway.errors import KeyMissing, TrustInvalid

ANCHORS = "anchors"
TIMESTAMP_ANCHORS = "timestamp-anchors"
PINNED = "pinned"
SEALING = "sealing"
SECOND = "second"
PRIVATE = "private"
CA = "ca"
CASE_KEYS = "case-keys"
REVOCATION = "revocation"
LOCAL = "local"  # below REVOCATION
GRACE = "grace"  # below REVOCATION
MASTER_KEY = "master.key"

AUTHORITY = re.compile(r"[A-Z]{2}-[A-Z0-9]{2,12}")  # as in schemas/readmission/1.0/common.xsd, AuthorityCode
_NUMBER = re.compile(r"[0-9]{1,4}")
MAX_FILE_BYTES = 65_536  # a chain of four certificates with RSA-4096 issuers is below 12 kB


# Name, time of change, size and number of every file: another sighting, another content.
Sighting: TypeAlias = tuple[tuple[str, int, int, int], ...]


def look(folder: Path, parts: Sequence[str]) -> Sighting:
    """Return the sighting of all files in these folders of a key folder and in those below them. Raises `TrustInvalid`."""
    found: list[tuple[str, int, int, int]] = []
    waiting = [str(folder / part) for part in parts]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except FileNotFoundError:
            continue
        except OSError as error:
            raise TrustInvalid("a folder in the key folder cannot be read") from error
        for entry in entries:
            if entry.is_dir():
                waiting.append(entry.path)
                continue
            try:
                facts = entry.stat()
            except FileNotFoundError:  # renamed while we looked
                continue
            found.append((entry.path, facts.st_mtime_ns, facts.st_size, facts.st_ino))
    return tuple(sorted(found))


def write_file(path: Path, data: bytes, *, private: bool = False) -> None:
    """Write `data` to `path` at once: readers see the old content or the new, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    import tempfile  # noqa: PLC0415  # the signer reads and never writes; it is kept small

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
    if len(data) > MAX_FILE_BYTES:
        raise TrustInvalid(f"{path.parent.name}/{path.name} is too large for a certificate or key document")
    return data


def read_private(path: Path) -> bytes:
    """Return the bytes of a private file. Raises `KeyMissing`, or `TrustInvalid` if others may read it."""
    name = f"{path.parent.name}/{path.name}"
    try:
        with path.open("rb") as file:
            exposed = exposure(os.fstat(file.fileno()))  # of the opened file: a link cannot be turned in between
            data = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError as error:
        raise KeyMissing(f"there is no {name} in the key folder") from error
    except OSError as error:
        raise KeyMissing(f"{name} cannot be read by this process") from error
    if exposed is not None:
        raise TrustInvalid(f"{name} {exposed}")
    if len(data) > MAX_FILE_BYTES:
        raise TrustInvalid(f"{name} is too large for a private file")
    return data


def exposure(status: os.stat_result) -> str | None:
    """Return who else could read or change a private file, as the end of a sentence; None when nobody can."""
    if os.name != "posix":
        return None
    uid = os.geteuid()
    if uid not in {0, status.st_uid} and status.st_uid != 0:
        return "belongs to another user than this process and root"
    mounted = status.st_uid == 0 and uid != 0 and status.st_gid in {os.getegid(), *os.getgroups()}
    if stat.S_IMODE(status.st_mode) & (0o037 if mounted else 0o077):
        return "can be read by others than its owner; set its mode to 0600"
    return None


def private_folder(folder: Path) -> Path:
    """Return the folder of the private keys. Raises `KeyMissing` if there is none."""
    private = folder / PRIVATE
    if not private.is_dir():
        raise KeyMissing("the key folder holds no private keys; 'gateway keys new --development' makes development keys")
    return private


def named_file(variable: str, environment: Mapping[str, str]) -> Path | None:
    """Return the file that a variable of the environment names in place of a private one."""
    return Path(environment[variable]) if environment.get(variable) else None


def authority_files(folder: Path, suffix: str) -> Iterator[tuple[str, Path]]:
    """Yield (authority, file) for each `<AUTHORITY>[.<n>]<suffix>` in `folder`, oldest number first.

    Raises `TrustInvalid` for a file that is named for no authority: a typing mistake must not hide a certificate.
    """
    found: list[tuple[str, int, Path]] = []
    for path in folder.glob(f"*{suffix}"):
        if path.name.startswith("."):
            continue  # half-written by a process that was stopped
        authority, _, number = path.name.removesuffix(suffix).partition(".")
        if not AUTHORITY.fullmatch(authority) or (number and not _NUMBER.fullmatch(number)):
            raise TrustInvalid(f"{folder.name}/{path.name} is not named <AUTHORITY>[.<n>]{suffix}")
        found.append((authority, int(number or 0), path))
    for authority, _, path in sorted(found):
        yield authority, path
