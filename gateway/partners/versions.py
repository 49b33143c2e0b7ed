"""Which version of each partner folder lies there, what differs between two of them, and who owns the files that do.

Examples do not count: they prove a folder, and nothing is done by them.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from gateway.errors import PartnerInvalid

Sighting: TypeAlias = tuple[tuple[str, int, int, int], ...]  # path, time of change, size, inode of every file
Versions: TypeAlias = Mapping[str, Mapping[str, str]]  # part ("rs", "treaties") -> file within it -> digest

_DIGITS = 16  # of a digest: it tells two versions apart, and proves nothing
_EXAMPLES = "examples"
_SHOWN = 50  # files of a difference that are named; the counts say how many there are


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What changed in one part of the partners folder: a partner's folder, `treaties` or `calendars`."""

    part: str
    before: str | None  # version; None for a part that is new
    after: str | None  # None for one that is gone
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    owners: tuple[str, ...]  # accounts of this machine that own the files: who wrote them, as far as the machine knows

    def as_dict(self) -> dict[str, object]:
        """Return it for the journal; of many files only the first are named."""
        files = {"added": self.added, "changed": self.changed, "removed": self.removed}
        return {
            "part": self.part,
            "before": self.before,
            "after": self.after,
            "files": {what: list(names[:_SHOWN]) for what, names in files.items() if names},
            "counts": {what: len(names) for what, names in files.items()},
            "owners": list(self.owners),
        }


def look(folder: Path) -> Sighting:
    """Return what can be seen of all files without reading them. Raises `PartnerInvalid`."""
    found: list[tuple[str, int, int, int]] = []
    waiting = [str(folder)]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except FileNotFoundError:  # removed while we looked
            continue
        except OSError as error:
            raise PartnerInvalid("a folder below the partners folder cannot be read") from error
        for entry in entries:
            if not _counts(entry.name):
                continue
            try:
                if entry.is_dir():
                    waiting.append(entry.path)
                    continue
                facts = entry.stat()
            except FileNotFoundError:
                continue
            except OSError as error:  # a link to itself, for one
                raise PartnerInvalid("a file below the partners folder cannot be looked at") from error
            found.append((entry.path, facts.st_mtime_ns, facts.st_size, facts.st_ino))
    return tuple(sorted(found))


def versions(folder: Path) -> Versions:
    """Return the digest of every file below `folder`, by part. Raises `PartnerInvalid`."""
    found: dict[str, dict[str, str]] = {}
    try:
        for path in _files(folder):
            part, _, name = path.relative_to(folder).as_posix().partition("/")
            if name:  # README.md beside the folders is no part
                found.setdefault(part, {})[name] = sha256(path.read_bytes()).hexdigest()[:_DIGITS]
    except OSError as error:
        raise PartnerInvalid("a file below the partners folder cannot be read") from error
    return MappingProxyType({part: MappingProxyType(files) for part, files in found.items()})


def version_of(files: Mapping[str, str]) -> str:
    """Return the version of a part: a digest over the names and digests of its files."""
    return sha256("\n".join(f"{name} {digest}" for name, digest in sorted(files.items())).encode()).hexdigest()[:_DIGITS]


def differences(before: Versions, after: Versions, folder: Path) -> tuple[Difference, ...]:
    """Return what differs, part by part; `folder` is asked who owns the files that are there now."""
    return tuple(
        _difference(part, before.get(part, {}), after.get(part, {}), folder)
        for part in sorted({*before, *after})
        if before.get(part) != after.get(part)
    )


def _difference(part: str, before: Mapping[str, str], after: Mapping[str, str], folder: Path) -> Difference:
    added, removed = sorted(after.keys() - before.keys()), sorted(before.keys() - after.keys())
    changed = sorted(name for name in before.keys() & after.keys() if before[name] != after[name])
    owners = {_owner(folder / part / name) for name in (*added, *changed)} if after else {_owner(folder)}
    return Difference(
        part=part,
        before=version_of(before) if before else None,
        after=version_of(after) if after else None,
        added=tuple(added),
        changed=tuple(changed),
        removed=tuple(removed),
        owners=tuple(sorted(owners or {_owner(folder / part)})),
    )


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except (KeyError, OSError, NotImplementedError):  # no such account any more, file gone, or a system without accounts
        return "unknown"


def _counts(name: str) -> bool:
    return not name.startswith((".", "__")) and name != _EXAMPLES


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(filter(_counts, folders))
        yield from (Path(place, name) for name in sorted(filter(_counts, names)))
