"""Which files of a folder that somebody else writes are taken: whole ones, regular ones, and each until it is moved away.

Left alone are files that are still being written: by their name, as usual SFTP clients write them, or because they changed a
moment ago. A link, a device or a file that may not be read is not opened: it is offered with a refusal instead.
"""

import errno
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from gateway.errors import EdgeUnavailable, NotAFile, Refused
from gateway.log import logger
from gateway.stages import MAX_MESSAGE_BYTES

log = logger("edges")

_UNFINISHED = (".part", ".filepart", ".partial", ".tmp", ".temp", ".swp", ".crdownload", ".uploading", ".writing", "~")
_PIECE_BYTES = 65_536
_MOST = 100  # documents of up to 1 MiB each are read in one look
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a named pipe must not keep us waiting

_State: TypeAlias = tuple[int, int, int]  # size, time of change in ns, inode: when it is the same, nobody wrote meanwhile


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One file that is to be taken."""

    name: str
    path: Path
    refusal: Refused | None

    def body(self) -> bytes:
        """Return its bytes; one more than is allowed at the most: the check of the size refuses the rest."""
        if self.refusal is not None:
            return b""
        body = bytearray()
        for piece in self.pieces():
            body += piece
            if len(body) > MAX_MESSAGE_BYTES:
                break
        return bytes(body[: MAX_MESSAGE_BYTES + 1])

    def pieces(self) -> Iterator[bytes]:
        """Yield its bytes, a few at a time. Raises `EdgeUnavailable`."""
        try:
            with os.fdopen(os.open(self.path, _OPEN), "rb") as file:
                while piece := file.read(_PIECE_BYTES):
                    yield piece
        except OSError as error:
            raise EdgeUnavailable("the drop folder cannot be read") from error


class Outgoing:
    """One folder, as it looked the last time."""

    def __init__(self, folder: Path, quiet_seconds: float, clock: Callable[[], float], *, may_lack: bool = False) -> None:
        """`may_lack`: the folder is made by the authority, when it has something to lay there."""
        self._may_lack = may_lack
        self._folder, self._quiet, self._clock = folder, quiet_seconds, clock
        self._seen: dict[str, tuple[_State, float]] = {}  # by name: how it looked, and since when
        self._left: dict[str, _State] = {}  # answered, but they cannot be moved away

    def look(self) -> list[Found]:
        """Return what is to be taken, oldest first; the rest is for a later look. Raises `EdgeUnavailable`."""
        now = self._clock()
        try:
            states = dict(self._states())
        except FileNotFoundError as error:
            if self._may_lack and self._folder.parent.is_dir():
                return []
            raise EdgeUnavailable("the drop folder cannot be read") from error
        except OSError as error:
            raise EdgeUnavailable("the drop folder cannot be read") from error
        self._seen = {
            name: earlier if (earlier := self._seen.get(name)) is not None and earlier[0] == state else (state, now)
            for name, state in states.items()
        }
        self._left = {name: state for name, state in self._left.items() if states.get(name) == state}
        quiet = [
            (state[1], name)
            for name, (state, since) in self._seen.items()
            if name not in self._left and now - since >= self._quiet
        ]
        return [self._found(name) for _, name in sorted(quiet)[:_MOST]]

    def move(self, name: str, place: Path) -> None:
        """Move an answered file away. One that its owner keeps there is left, and not offered again while it stays the same.

        One that its owner has replaced since it was looked at is another file: it is left for the next look.
        """
        path = self._folder / name
        try:
            if _state_of(path.lstat()) != self._seen[name][0]:
                log.info("file.left", code=NotAFile.code, reason="replaced")
                return
            path.replace(place)
        except PermissionError:
            self._left[name] = self._seen[name][0]
            log.warning("file.left", code=NotAFile.code, reason="not-permitted")

    def _states(self) -> Iterator[tuple[str, _State]]:
        if self._folder.is_symlink():
            raise NotADirectoryError
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.startswith((".", "~")) or entry.name.lower().endswith(_UNFINISHED):
                    continue
                try:
                    found = entry.stat(follow_symlinks=False)
                except FileNotFoundError:  # taken back meanwhile
                    continue
                if not stat.S_ISDIR(found.st_mode):
                    yield entry.name, _state_of(found)

    def _found(self, name: str) -> Found:
        path = self._folder / name
        return Found(name=name, path=path, refusal=_refusal(path))


def _state_of(found: os.stat_result) -> _State:
    return found.st_size, found.st_mtime_ns, found.st_ino


def _refusal(path: Path) -> Refused | None:
    """Say why a file cannot be taken, None if it can. A file that is gone is told when it is read."""
    try:
        descriptor = os.open(path, _OPEN)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:
            return NotAFile("this is a link or a device; only a file is taken")
        if error.errno in {errno.EACCES, errno.EPERM}:
            return NotAFile("the gateway may not read this file; give it read access and hand it in again")
        return None
    try:
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
    finally:
        os.close(descriptor)
    return None if regular else NotAFile("this is a link or a device; only a file is taken")
