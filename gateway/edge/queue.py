"""RabbitMQ queues of the authority's own, in a virtual host of its own: `gateway/transport/authority_queue.py` names them.

Attachments go in parts of 1 MiB before the message that names them, in the same queue: so they keep the order, and a system
needs nothing but its queues. The headers of a part are `name`, `part` (from 1) and `last`. Handed in, they look the same.
"""

import asyncio
import hashlib
import json
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

from gateway.edge.port import Collected, CollectedFile, Item
from gateway.edge_settings import EdgeSettings
from gateway.errors import BadValue, Refused, SettingsInvalid, TooLarge
from gateway.stages import MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS_BYTES, PART_BYTES
from gateway.transport.authority_queue import AuthorityQueue, Fetched, Note

ATTACHMENT = "attachment"  # the type of a part; any other type is that of a document
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_MOST = 100  # messages fetched in one round
_MOST_BYTES = 2 * MAX_ATTACHMENT_BYTES  # the same
T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class _File:
    """Parts of one attachment, as far as they have come."""

    name: str
    arrived: list[Fetched]  # all of them, to be acknowledged together
    bodies: list[bytes]  # in order; none once it is known to be refused
    size: int = 0
    refusal: Refused | None = None
    whole: bool = False

    def add(self, part: Fetched, number: int, *, last: bool) -> None:
        """Take the next part; part 1 begins anew, since whoever sends may have broken off."""
        self.arrived.append(replace(part, body=b""))
        if number == 1:
            self.bodies, self.size, self.refusal = [], 0, None
        self.size += len(part.body)
        self.bodies.append(part.body)
        if self.refusal is None and number != len(self.bodies):
            self.refuse(BadValue("the parts of an attachment must come in order, beginning with 1"))
        elif self.refusal is None and self.size > MAX_ATTACHMENT_BYTES:
            self.refuse(TooLarge(f"the file has more than {MAX_ATTACHMENT_BYTES} bytes"))
        elif self.refusal is not None:
            self.bodies = []
        self.whole = last

    def refuse(self, why: Refused) -> None:
        """Keep its bytes no longer; it is answered when its last part has come."""
        self.refusal, self.bodies = why, []


class QueueEdge:
    """The queues of one authority. It keeps an event loop in a thread of its own, so that heartbeats are answered."""

    def __init__(self, authority: str, settings: EdgeSettings, clock: Callable[[], datetime]) -> None:
        """Raises `SettingsInvalid` for settings that are missing or cannot be used."""
        _address(authority, settings)
        address = partial(_address, authority, settings)
        self._queues = AuthorityQueue(address, authority, timeout_seconds=settings.timeout_seconds)
        self._authority, self._clock = authority, clock
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._files: dict[str, _File] = {}  # by the number of what came, as documents are
        self._documents: dict[str, Fetched] = {}
        self._count = 0
        self._generation = 0

    def hand_over(self, item: Item) -> bool:
        """Publish the document; return once the broker holds it."""
        note = Note(
            body=item.body,
            message_id=item.message_id,
            type=item.type,
            content_type=item.media_type,
            sender=item.sender,
            at=self._clock(),
            headers={},
        )
        self._run(self._queues.give(note))
        return True

    def hand_over_file(self, name: str, parts: Iterator[bytes]) -> None:
        """Publish an attachment in parts."""
        for number, last, body in _numbered(_of_size(parts, PART_BYTES)):
            headers = {"name": name, "part": number, "last": last}
            note = Note(body=body, type=ATTACHMENT, content_type="application/octet-stream", at=self._clock(), headers=headers)
            self._run(self._queues.give(note))

    def collect_files(self) -> Sequence[CollectedFile]:
        """Fetch what waits; return the attachments that have come whole."""
        self._fetch()
        return [
            CollectedFile(name=number, parts=iter(file.bodies), refusal=file.refusal)
            for number, file in self._files.items()
            if file.whole
        ]

    def answer_file(self, collected: CollectedFile, result: Mapping[str, Any]) -> None:
        """Publish what became of an attachment, with the correlation id of its last part."""
        file = self._files[collected.name]
        self._answer(file.arrived, dict(result) | {"name": file.name})
        del self._files[collected.name]

    def collect(self) -> Sequence[Collected]:
        """Return the documents that `collect_files` fetched, in the order in which they came."""
        return [Collected(name=name, body=document.body) for name, document in self._documents.items()]

    def answer(self, collected: Collected, result: Mapping[str, Any]) -> None:
        """Publish what became of a document, with its correlation id."""
        self._answer([self._documents[collected.name]], result)
        del self._documents[collected.name]

    def examine(self) -> str:
        """Connect, declare the queues and count what waits."""
        counts = self._run(self._queues.counts())
        return "queues: " + ", ".join(f"{count} in {name}" for name, count in counts.items())

    def close(self) -> None:
        """End the connection and the thread."""
        if self._loop is None or self._thread is None:
            return
        self._run(self._queues.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = None

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name=f"edge {self._authority}", daemon=True)
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _fetch(self) -> None:
        if not self._queues.connected:
            self._forget()
        most, most_bytes = _MOST - len(self._documents), _MOST_BYTES - sum(len(one.body) for one in self._documents.values())
        if most <= 0 or most_bytes <= 0:
            return
        came = self._run(self._queues.fetch(most=most, most_bytes=most_bytes))
        if self._generation != self._queues.generation:  # connected anew, perhaps by what was given meanwhile
            self._forget()
            self._generation = self._queues.generation
        for fetched in came:
            self._count += 1
            if fetched.type == ATTACHMENT:
                self._add_part(fetched, str(self._count))
            else:
                self._documents[str(self._count)] = fetched

    def _forget(self) -> None:
        """Drop what was fetched over an earlier connection: it comes again."""
        self._files.clear()
        self._documents.clear()

    def _add_part(self, fetched: Fetched, arrived_as: str) -> None:
        name, number, last = (fetched.headers.get(key) for key in ("name", "part", "last"))
        if not isinstance(name, str) or type(number) is not int or not isinstance(last, bool):
            self._files[arrived_as] = _File(name="", arrived=[fetched], bodies=[], whole=True)
            self._files[arrived_as].refuse(BadValue("a part of an attachment needs the headers name, part and last"))
            return
        open_files = (file for file in self._files.values() if file.name == name and not file.whole)
        file = next(open_files, None) or self._files.setdefault(arrived_as, _File(name=name, arrived=[], bodies=[]))
        file.add(fetched, number, last=last)
        if sum(each.size for each in self._files.values() if each.bodies) > MAX_ATTACHMENTS_BYTES:
            file.refuse(TooLarge("too many attachments were begun and not ended"))

    def _answer(self, answered: Sequence[Fetched], result: Mapping[str, Any]) -> None:
        note = Note(
            body=json.dumps(result, ensure_ascii=False).encode(),
            correlation_id=answered[-1].correlation_id or hashlib.sha256(answered[-1].body).hexdigest(),
            type="answer",
            content_type="application/json",
            at=self._clock(),
            headers={},
        )
        self._run(self._queues.answer(note, answered))


def _of_size(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Yield the same bytes in parts of one size, the last one shorter."""
    kept = bytearray()
    for piece in pieces:
        kept += piece
        while len(kept) >= size:
            yield bytes(kept[:size])
            del kept[:size]
    if kept:
        yield bytes(kept)


def _numbered(parts: Iterator[bytes]) -> Iterator[tuple[int, bool, bytes]]:
    """Yield each part with its number, and whether it is the last; an empty file has one empty part."""
    part, number = next(parts, b""), 1
    for following in parts:
        yield number, False, part
        part, number = following, number + 1
    yield number, True, part


def _address(authority: str, settings: EdgeSettings) -> str:
    if settings.url_file is None:
        raise SettingsInvalid(f"{authority} is connected by queue: [edges.{authority}] must name url_file")
    try:
        url = settings.url_file.read_text("utf-8").strip()
        parts = urlsplit(url)
    except (OSError, ValueError):  # UnicodeDecodeError is a ValueError
        raise SettingsInvalid(f"the url_file of [edges.{authority}] cannot be read") from None  # the cause may quote it
    safe = parts.scheme == "amqps" or (parts.scheme == "amqp" and parts.hostname in _LOOPBACK)
    if not safe or not parts.hostname or "no_verify_ssl" in parse_qs(parts.query, keep_blank_values=True):
        raise SettingsInvalid(
            f"the url_file of [edges.{authority}] must hold an amqps:// address, with the broker's certificate checked"
        )
    return url
