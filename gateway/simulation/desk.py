"""How the played national system is connected to its gateway: what it finds there, and how it hands something in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gateway.edge.files import FilesEdge
from gateway.flow.edges import serve_edge
from gateway.flow.mailbox import acknowledge, fetch
from gateway.flow.outbound import submit
from gateway.flow.ports import Runtime
from gateway.flow.submissions import describe
from gateway.stages import Submitted
from gateway.store import inbox
from gateway.store.database import reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One message as the national system gets it."""

    message_id: str
    type: str
    body: bytes  # in its own dialect


class Desk(Protocol):
    """A way in and out of a gateway for one authority, in its own dialect."""

    def fetch(self) -> list[Delivered]:
        """Return what waits, and say that it was taken."""
        ...

    def hand_in(self, body: bytes) -> Mapping[str, Any]:
        """Hand in a document; return what became of it, as `describe` writes it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectDesk:
    """By call, within the process."""

    rt: Runtime
    authority: str

    def fetch(self) -> list[Delivered]:
        found = []
        with reading(self.rt.engine) as tx:
            waiting = inbox.waiting(tx, self.authority)
        for row in waiting:
            _, _, body = fetch(self.authority, row.id, actor=f"system@{self.authority}", rt=self.rt)
            acknowledge(self.authority, row.id, actor=f"system@{self.authority}", rt=self.rt)
            found.append(Delivered(message_id=row.message_id, type=row.type, body=body))
        return found

    def hand_in(self, body: bytes) -> Mapping[str, Any]:
        item = Submitted(
            body=body,
            authority=self.authority,
            dialect=self.rt.partners.authority(self.authority).dialect,
            submitted_at=self.rt.clock(),
            actor=f"system@{self.authority}",
        )
        (result,) = submit([item], self.rt)
        return describe(result)


class FilesDesk:
    """By a drop folder, as an authority uses it that is connected by files."""

    def __init__(self, rt: Runtime, authority: str, folder: Path) -> None:
        self._rt, self._authority, self._folder = rt, authority, folder
        self._edge = FilesEdge(folder)
        self._count = 0

    def fetch(self) -> list[Delivered]:
        serve_edge(self._authority, self._edge, self._rt)
        found = []
        for path in sorted(each for each in (self._folder / "incoming").iterdir() if each.is_file()):
            type_, _, message_id = path.stem.partition("-")
            found.append(Delivered(message_id=message_id, type=type_, body=path.read_bytes()))
            path.unlink()
        return found

    def hand_in(self, body: bytes) -> Mapping[str, Any]:
        self._count += 1
        name = f"{self._count:04}.document"
        (self._folder / "outgoing" / name).write_bytes(body)
        serve_edge(self._authority, self._edge, self._rt)
        for outcome in ("sent", "held", "refused"):
            answer = self._folder / outcome / f"{name}.answer.json"
            if answer.is_file():
                told: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
                return told
        raise AssertionError("the edge answers every document that it collects")
