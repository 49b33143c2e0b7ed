"""A drop folder: the authority's system writes documents into `outgoing/` and finds its messages in `incoming/`.

Attachments lie in a folder `attachments` inside these: an authority writes them before the document that names them, by their
digest. Files appear whole: each is written beside its place and renamed. A document handed in is moved to `sent/`, `held/` or
`refused/` with an answer beside it; a crash in between offers it again, and the gateway knows a repeat by its content.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.edge.port import Collected, CollectedFile, Item
from gateway.errors import Unavailable
from gateway.partners.formats import suffix_of
from gateway.stages import MAX_MESSAGE_BYTES

_ATTACHMENTS = "attachments"
_PIECE_BYTES = 65_536


def write_whole(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file so that a reader sees all of it or nothing."""
    beside = path.with_name(f".{path.name}.part")
    with beside.open("wb") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


class FilesEdge:
    """The drop folder of one authority."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in ("incoming", "outgoing", "sent", "held", "refused"):
            (folder / name).mkdir(parents=True, exist_ok=True)

    def hand_over(self, item: Item) -> bool:
        """Write the item to `incoming/<type>-<message id>`."""
        path = self._folder / "incoming" / f"{item.type}-{item.message_id}{suffix_of(item.media_type)}"
        try:
            write_whole(path, [item.body])
        except OSError as error:
            raise Unavailable("the drop folder cannot be written") from error
        return True

    def hand_over_file(self, name: str, parts: Iterator[bytes]) -> None:
        """Write an attachment to `incoming/attachments/<name>`."""
        try:
            (self._folder / "incoming" / _ATTACHMENTS).mkdir(exist_ok=True)
            write_whole(self._folder / "incoming" / _ATTACHMENTS / name, parts)
        except OSError as error:
            raise Unavailable("the drop folder cannot be written") from error

    def collect_files(self) -> Sequence[CollectedFile]:
        """Find what lies in `outgoing/attachments/`. A file that is still being written (name begins with a dot) is left."""
        place = self._folder / "outgoing" / _ATTACHMENTS
        try:
            found = sorted(path for path in place.iterdir() if path.is_file() and not path.name.startswith("."))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise Unavailable("the drop folder cannot be read") from error
        return [CollectedFile(name=path.name, parts=_pieces(path)) for path in found]

    def answer_file(self, collected: CollectedFile, result: Mapping[str, Any]) -> None:
        """Move the file to `attachments` in the folder named by the outcome, with the answer beside it."""
        self._move(Path(_ATTACHMENTS) / collected.name, result)

    def collect(self) -> Sequence[Collected]:
        """Read what lies in `outgoing/`, oldest first. A file that is still being written (name begins with a dot) is left."""
        try:
            files = [path for path in (self._folder / "outgoing").iterdir() if path.is_file() and not path.name.startswith(".")]
            files.sort(key=lambda path: (path.stat().st_mtime_ns, path.name))
            return [Collected(name=path.name, body=_at_most(path)) for path in files]
        except OSError as error:
            raise Unavailable("the drop folder cannot be read") from error

    def answer(self, collected: Collected, result: Mapping[str, Any]) -> None:
        """Move the file to the folder named by the outcome, with the answer beside it."""
        self._move(Path(collected.name), result)

    def _move(self, name: Path, result: Mapping[str, Any]) -> None:
        place = self._folder / str(result["outcome"]) / name
        answer = json.dumps(result, ensure_ascii=False, indent=2).encode()
        try:
            place.parent.mkdir(exist_ok=True)
            write_whole(place.with_name(f"{place.name}.answer.json"), [answer])
            (self._folder / "outgoing" / name).replace(place)
        except OSError as error:
            raise Unavailable("the drop folder cannot be written") from error


def _pieces(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file, a few at a time. Raises `Unavailable`."""
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece
    except OSError as error:
        raise Unavailable("the drop folder cannot be read") from error


def _at_most(path: Path) -> bytes:
    """Read one byte more than is allowed at the most: the check of the size refuses the rest."""
    with path.open("rb") as file:
        return file.read(MAX_MESSAGE_BYTES + 1)
