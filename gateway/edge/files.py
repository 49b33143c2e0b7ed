"""A drop folder: the authority's system writes documents into `outgoing/` and finds its messages in `incoming/`.

Files appear whole: each is written beside its place and renamed. A document handed in is moved to `sent/`, `held/` or
`refused/` with an answer beside it; a crash in between offers it again, and the gateway knows a repeat by its content.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gateway.edge.port import Collected, Item
from gateway.errors import Unavailable
from gateway.stages import MAX_MESSAGE_BYTES

_SUFFIX = {"application/xml": ".xml", "application/json": ".json"}


def write_whole(path: Path, body: bytes) -> None:
    """Write a file so that a reader sees all of it or nothing."""
    beside = path.with_name(f".{path.name}.part")
    with beside.open("wb") as file:
        file.write(body)
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
        path = self._folder / "incoming" / f"{item.type}-{item.message_id}{_SUFFIX[item.media_type]}"
        try:
            write_whole(path, item.body)
        except OSError as error:
            raise Unavailable("the drop folder cannot be written") from error
        return True

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
        place = self._folder / str(result["outcome"])
        try:
            write_whole(place / f"{collected.name}.answer.json", json.dumps(result, ensure_ascii=False, indent=2).encode())
            (self._folder / "outgoing" / collected.name).replace(place / collected.name)
        except OSError as error:
            raise Unavailable("the drop folder cannot be written") from error


def _at_most(path: Path) -> bytes:
    """Read one byte more than is allowed at the most: the check of the size refuses the rest."""
    with path.open("rb") as file:
        return file.read(MAX_MESSAGE_BYTES + 1)
