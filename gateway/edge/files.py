"""A drop folder: the authority's system writes documents into `outgoing/` and finds its messages in `incoming/`.

Attachments lie in a folder `attachments` inside these: an authority writes them before the document that names them, by their
digest. Files appear whole: each is written beside its place and renamed; one that is there is never overwritten. A document
handed in is moved to `sent/`, `held/` or `refused/` with an answer beside it; a crash in between offers it again, and the
gateway knows a repeat by its content. Which files of `outgoing/` are taken, and when, `gateway/edge/outgoing.py` says.
"""

import filecmp
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from time import monotonic
from typing import Any

from gateway.edge.outgoing import Outgoing
from gateway.edge.port import Collected, CollectedFile, Item
from gateway.errors import EdgeUnavailable
from gateway.partners.formats import suffix_of

_ATTACHMENTS = "attachments"
_PLACES = ("incoming", "outgoing", "sent", "held", "refused")
_ANSWER = ".answer.json"
_LONGEST_NAME = 200  # bytes; most file systems end at 255, and an answer and a number are added


def write_beside(path: Path, pieces: Iterable[bytes]) -> Path:
    """Write a file under a hidden name beside `path`, down to the disk; return that name. What lay there is replaced."""
    beside = path.with_name(f".{path.name}.part")
    beside.unlink(missing_ok=True)  # left by a crash
    with beside.open("xb") as file:  # a link that somebody lays there meanwhile is not followed
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
    return beside


def write_whole(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file so that a reader sees all of it or nothing; what lay there is replaced."""
    write_beside(path, pieces).replace(path)


def add_whole(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file so that a reader sees all of it or nothing. What lies there with other content stays: a number is added."""
    beside = write_beside(path, pieces)
    for place in _numbered(path):
        if not os.path.lexists(place):
            beside.replace(place)
            return
        if place.is_file() and not place.is_symlink() and filecmp.cmp(beside, place, shallow=False):
            beside.unlink()  # handed over before
            return


class FilesEdge:
    """The drop folder of one authority."""

    def __init__(self, folder: Path, *, quiet_seconds: float = 0.0, clock: Callable[[], float] = monotonic) -> None:
        """`quiet_seconds`: how long a file must not have changed before it is taken, by `clock`."""
        self._folder = folder
        for name in _PLACES:
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._documents = Outgoing(folder / "outgoing", quiet_seconds, clock)
        self._files = Outgoing(folder / "outgoing" / _ATTACHMENTS, quiet_seconds, clock, may_lack=True)

    def hand_over(self, item: Item) -> bool:
        """Write the item to `incoming/<type>-<message id>`."""
        self._give(Path(f"{item.type}-{item.message_id}{suffix_of(item.media_type)}"), [item.body])
        return True

    def hand_over_file(self, name: str, parts: Iterator[bytes]) -> None:
        """Write an attachment to `incoming/attachments/<name>`."""
        self._give(Path(_ATTACHMENTS) / name, parts)

    def collect_files(self) -> Sequence[CollectedFile]:
        """Find what lies in `outgoing/attachments/`."""
        found = self._files.look()
        return [CollectedFile(name=one.name, parts=one.pieces(), refusal=one.refusal) for one in found]

    def answer_file(self, collected: CollectedFile, result: Mapping[str, Any]) -> None:
        """Move the file to `attachments` in the folder named by the outcome, with the answer beside it."""
        self._move(self._files, collected.name, self._folder / str(result["outcome"]) / _ATTACHMENTS, result)

    def collect(self) -> Sequence[Collected]:
        """Read what lies in `outgoing/`, oldest first."""
        return [Collected(name=one.name, body=one.body(), refusal=one.refusal) for one in self._documents.look()]

    def answer(self, collected: Collected, result: Mapping[str, Any]) -> None:
        """Move the file to the folder named by the outcome, with the answer beside it."""
        self._move(self._documents, collected.name, self._folder / str(result["outcome"]), result)

    def examine(self) -> str:
        """Write a file and remove it again."""
        for name in _PLACES:
            trial = self._folder / name / ".gateway-doctor"
            try:
                _own(trial.parent)
                write_whole(trial, [b""])
                trial.unlink()
            except OSError as error:
                raise EdgeUnavailable(f"the drop folder cannot be written: {name} ({type(error).__name__})") from error
        return "drop folder, written and read"

    def close(self) -> None:
        """Nothing is held."""

    def _give(self, name: Path, pieces: Iterable[bytes]) -> None:
        place = self._folder / "incoming" / name
        try:
            _own(self._folder / "incoming")
            place.parent.mkdir(exist_ok=True)
            _own(place.parent)
            add_whole(place, pieces)
        except OSError as error:
            raise EdgeUnavailable("the drop folder cannot be written") from error

    def _move(self, source: Outgoing, name: str, folder: Path, result: Mapping[str, Any]) -> None:
        """Write the answer, then move the file: where a crash comes between, the next look answers again."""
        answer = json.dumps(result, ensure_ascii=False, indent=2).encode()
        try:
            folder.mkdir(exist_ok=True)
            _own(folder)
            place = next(place for place in _numbered(folder / _shortened(name)) if not os.path.lexists(place))
            write_whole(place.with_name(place.name + _ANSWER), [answer])
            source.move(name, place)
        except OSError as error:
            raise EdgeUnavailable("the drop folder cannot be written") from error


def _numbered(path: Path) -> Iterator[Path]:
    """Yield a path, and then the same with numbers before its suffix."""
    yield path
    number = 2
    while True:
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1


def _shortened(name: str) -> str:
    """Return a name to which something can be added; a very long one is known again by its digest."""
    data = os.fsencode(name)
    return name if len(data) <= _LONGEST_NAME else sha256(data).hexdigest()


def _own(folder: Path) -> None:
    """Raise `OSError` where somebody laid a link in place of a folder: it would lead out of the drop folder."""
    with suppress(FileNotFoundError):
        if folder.is_symlink():
            raise NotADirectoryError
