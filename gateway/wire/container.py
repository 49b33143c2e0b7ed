"""The one zip form of a case file, written and read as streams.

Every entry is stored as it is: no compression, no encryption, no extra field, no comment, one fixed time, nothing before,
between or behind. So a file has exactly one form, nothing unpacks to more than lies there, and the reader need not follow what
an archive says about itself: it makes every header again and compares bytes. `mimetype` comes first, as ASiC asks.

Sources: APPNOTE.TXT 6.3 (zip); ETSI EN 319 162-1, 4.4 and A.1 (ASiC-E: mimetype first and stored, META-INF).
"""

import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from gateway.errors import ContainerForm, ContainerName, ContainerTooLarge, NotAFile
from gateway.wire.documents import open_file

MIMETYPE = "mimetype"
MEDIA_TYPE = b"application/vnd.etsi.asic-e+zip"
META = "META-INF/"
MAX_ENTRIES = 2_000
MAX_FILE_BYTES = 32 * 1024 * 1024  # an attachment has 25 MiB at most
MAX_TOTAL_BYTES = 2**32 - 2  # what plain zip can say: some forty messages that each bring the most a message may
CHUNK = 1024 * 1024

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_VERSION = 20
_TIME, _DATE = 0, 0x21  # 1980-01-01 00:00, the first instant that zip knows
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}){0,3}", re.ASCII)
_MAX_NAME = 200
_MAX_DIRECTORY = MAX_ENTRIES * (_CENTRAL.size + _MAX_NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file in a container."""

    name: str
    size: int
    crc: int
    offset: int  # of its local header

    def local(self) -> bytes:
        """Return the header that stands before the content."""
        name = self.name.encode()
        head = (_LOCAL_MARK, _VERSION, 0, 0, _TIME, _DATE, self.crc, self.size, self.size, len(name), 0)
        return _LOCAL.pack(*head) + name

    def central(self) -> bytes:
        """Return the line of the directory."""
        name = self.name.encode()
        sizes = (self.crc, self.size, self.size, len(name), 0, 0, 0, 0, 0, self.offset)
        return _CENTRAL.pack(_CENTRAL_MARK, _VERSION, _VERSION, 0, 0, _TIME, _DATE, *sizes) + name

    @property
    def start(self) -> int:
        """Return where the content begins."""
        return self.offset + _LOCAL.size + len(self.name)


def _end(entries: int, size: int, offset: int) -> bytes:
    return _END.pack(_END_MARK, 0, 0, entries, entries, size, offset, 0)


def check_name(name: str) -> None:
    """Raise `ContainerName` for a name that could lead out of a folder, or that two systems could read differently."""
    if not _NAME.fullmatch(name) or len(name) > _MAX_NAME:
        raise ContainerName("a file of the container has a name that is not allowed")


class ContainerWriter:
    """Writes a container entry by entry; the content is never held whole."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._entries: list[Entry] = []
        self._names: set[str] = set()
        self.add(MIMETYPE, [MEDIA_TYPE])

    def add(self, name: str, chunks: Iterable[bytes]) -> int:
        """Write one file; return how many bytes it has. Raises `ContainerName`, `ContainerTooLarge`."""
        check_name(name)
        if name.lower() in self._names:
            raise ContainerName("two files of the container have the same name")
        self._names.add(name.lower())
        offset = self._out.tell()
        self._out.write(Entry(name=name, size=0, crc=0, offset=offset).local())
        size = crc = 0
        for chunk in chunks:
            size += len(chunk)
            crc = zlib.crc32(chunk, crc)
            if size > MAX_FILE_BYTES or offset + size > MAX_TOTAL_BYTES - _MAX_DIRECTORY:
                raise ContainerTooLarge("the case file would be larger than a case file may be")
            self._out.write(chunk)
        entry = Entry(name=name, size=size, crc=crc, offset=offset)
        end = self._out.tell()
        self._out.seek(offset)
        self._out.write(entry.local())
        self._out.seek(end)
        self._entries.append(entry)
        if len(self._entries) > MAX_ENTRIES:
            raise ContainerTooLarge(f"a case file holds at most {MAX_ENTRIES} files")
        return size

    def close(self) -> None:
        """Write the directory. The file itself stays open."""
        offset = self._out.tell()
        directory = b"".join(entry.central() for entry in self._entries)
        self._out.write(directory + _end(len(self._entries), len(directory), offset))


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container whose form was checked; what its files hold was not."""

    entries: Mapping[str, Entry]  # in the order of the file
    _file: BinaryIO

    @classmethod
    def read(cls, file: BinaryIO) -> "Container":
        """Check the form of a container. `file` stays open, and belongs to the container from here on.

        Raises `ContainerForm`, `ContainerName` or `ContainerTooLarge`.
        """
        size = file.seek(0, 2)
        if size > MAX_TOTAL_BYTES:
            raise ContainerTooLarge(f"a case file has at most {MAX_TOTAL_BYTES} bytes")
        entries = list(_directory(file, size))
        place = 0
        for entry in entries:
            local = entry.local()
            file.seek(place)
            if entry.offset != place or file.read(len(local)) != local:
                raise ContainerForm("a file of the container does not stand where, or as, its directory says")
            place = entry.start + entry.size
        directory = b"".join(entry.central() for entry in entries)
        end = directory + _end(len(entries), len(directory), place)
        file.seek(place)
        if size - place != len(end) or file.read(len(end)) != end:  # a gap may be as large as the file: it is not read
            raise ContainerForm("the container holds bytes that belong to none of its files")
        found = cls(entries={entry.name: entry for entry in entries}, _file=file)
        if entries[0].name != MIMETYPE or found.content(MIMETYPE, most=100) != MEDIA_TYPE:
            raise ContainerForm("the container does not begin by saying that it is an ASiC-E container")
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def chunks(self, name: str) -> Iterator[bytes]:
        """Yield the content of a file. Raises `ContainerForm` at its end if its checksum is another."""
        entry = self.entries[name]
        self._file.seek(entry.start)
        left, crc = entry.size, 0
        while left:
            chunk = self._file.read(min(left, CHUNK))
            if not chunk:
                raise ContainerForm("the container is cut off")
            left -= len(chunk)
            crc = zlib.crc32(chunk, crc)
            yield chunk
        if crc != entry.crc:
            raise ContainerForm("a file of the container has another checksum than the container says")

    def content(self, name: str, *, most: int) -> bytes:
        """Return the content of a small file. Raises `ContainerTooLarge`, `ContainerForm`."""
        if self.entries[name].size > most:
            raise ContainerTooLarge("a file of the container is larger than a file of its kind may be")
        return b"".join(self.chunks(name))

    def contents(self, start: str, *, most: int) -> dict[str, bytes]:
        """Return the files whose names begin so, by name; together they have at most `most` bytes.

        Raises `ContainerTooLarge`, `ContainerForm`.
        """
        names = [name for name in self.entries if name.startswith(start)]
        if sum(self.entries[name].size for name in names) > most:
            raise ContainerTooLarge("the files of one kind in the container are larger together than they may be")
        return {name: b"".join(self.chunks(name)) for name in names}


def open_container(path: Path) -> Container:
    """Open a container file. Raises `NotAFile`, and what `Container.read` raises."""
    file = open_file(path)
    try:
        return Container.read(file)
    except OSError as error:  # some of what calls itself a file has no end to look for
        file.close()
        raise NotAFile("the file cannot be read") from error
    except BaseException:
        file.close()
        raise


def _directory(file: BinaryIO, size: int) -> Iterator[Entry]:
    """Yield the entries that the directory names, each of the one form."""
    if size < _END.size:
        raise ContainerForm("this is not a container: it is too short")
    file.seek(size - _END.size)
    mark, disk, first, here, count, length, offset, comment = _END.unpack(file.read(_END.size))
    if mark != _END_MARK:
        raise ContainerForm("this is not a container, or something stands behind its end")
    if (disk, first, comment) != (0, 0, 0) or here != count or offset + length != size - _END.size:
        raise ContainerForm("the end of the container does not fit the rest")
    if count > MAX_ENTRIES or length > _MAX_DIRECTORY:
        raise ContainerTooLarge(f"a case file holds at most {MAX_ENTRIES} files")
    if not count:
        raise ContainerForm("the container is empty")
    file.seek(offset)
    directory = file.read(length)
    seen: set[str] = set()
    place = total = 0
    for _ in range(count):
        entry = _entry(directory, place)
        if entry.name.lower() in seen:
            raise ContainerName("two files of the container have the same name")
        seen.add(entry.name.lower())
        total += entry.size
        if entry.size > MAX_FILE_BYTES or total > size:
            raise ContainerTooLarge("a file of the container is larger than it may be")
        place += len(entry.central())
        yield entry
    if place != length:
        raise ContainerForm("the directory of the container holds more than it counts")


def _entry(directory: bytes, place: int) -> Entry:
    if place + _CENTRAL.size > len(directory):
        raise ContainerForm("the directory of the container is cut off")
    head = _CENTRAL.unpack_from(directory, place)
    _, _, _, flags, method, _, _, crc, packed, plain, named, *_, offset = head
    if flags & 1:
        raise ContainerForm("a file of the container is encrypted")
    if method or packed != plain:
        raise ContainerForm("a file of the container is compressed; in a case file every file is stored as it is")
    start = place + _CENTRAL.size
    try:
        name = directory[start : start + named].decode("ascii")
    except UnicodeDecodeError:
        raise ContainerName("a file of the container has a name that is not allowed") from None
    check_name(name)
    entry = Entry(name=name, size=plain, crc=crc, offset=offset)
    line = entry.central()
    if directory[place : place + len(line)] != line:
        raise ContainerForm("a file of the container is described in another way than in a case file")
    return entry
