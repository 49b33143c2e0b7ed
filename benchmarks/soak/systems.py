"""The national systems: they hand in over HTTP, and repeat with the same Idempotency-Key until they have an answer.

They keep their own books, which nobody but they can change: what they were told is accepted must be found again.
"""

import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from soak.installation import Side
from soak.papers import Papers

SECONDS = 10.0  # a system waits so long for an answer, and then asks again
PAUSE = (0.1, 0.6)  # seconds before it asks again
POLL_SECONDS = 0.3
BACKLOG = 100  # while so much is open, a system opens nothing more
QUESTIONS = 4  # every so many applications are met with a question before the reply: two messages of one case on their way


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """One message of which a system was told that it is accepted."""

    key: str
    sender: str
    message_id: str
    case: str
    at: float  # monotonic


@dataclass(slots=True)
class Ledger:
    """What was handed in, and what was answered."""

    wanted: set[str] = field(default_factory=set)  # keys of what was handed in
    accepted: dict[str, Accepted] = field(default_factory=dict)  # by key
    silent: dict[str, Accepted] = field(default_factory=dict)  # the same, for the partner that never answers
    refused: list[str] = field(default_factory=list)  # key and what the gateway said; none is expected
    repeats: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def open_keys(self) -> set[str]:
        with self.lock:
            return self.wanted - self.accepted.keys() - self.silent.keys()

    def backlog(self) -> int:
        """Return how many hand-ins have no answer, and how many applications no reply yet."""
        waiting = len(self.open_keys())
        with self.lock:
            kinds = Counter(key.partition("-")[0] for key in self.accepted)
        return waiting + kinds["application"] - kinds["reply"]

    def known(self) -> list[Accepted]:
        with self.lock:
            return list(self.accepted.values())


class Desk:
    """One system's way to the API of its gateway."""

    def __init__(self, side: Side, ledger: Ledger, stop: threading.Event) -> None:
        self._side, self._ledger, self._stop = side, ledger, stop
        self._place = urlsplit(side.url)
        self._pause = random.Random(side.name)

    def hand_in(self, key: str, body: bytes, *, canonical: bool = False, silent: bool = False) -> Accepted | None:
        """Hand in a document until there is an answer. None when it was refused or the soak ends."""
        ledger = self._ledger
        with ledger.lock:
            ledger.wanted.add(key)
        path = "/api/v1/messages" + ("?dialect=canonical" if canonical else "")
        while not self._stop.is_set():
            status, answer = self._call("POST", path, body, {"Idempotency-Key": key})
            if status == 201:
                found = json.loads(answer)
                told = Accepted(
                    key=key,
                    sender=self._side.authority,
                    message_id=found["message_id"],
                    case=found["case"],
                    at=time.monotonic(),
                )
                with ledger.lock:
                    (ledger.silent if silent else ledger.accepted)[key] = told
                return told
            if status is not None and status < 500 and b"still being worked on" not in answer:
                with ledger.lock:
                    ledger.refused.append(f"{key}: {status} {answer[:300]!r}")
                return None
            with ledger.lock:
                ledger.repeats += 1
            self._stop.wait(self._pause.uniform(*PAUSE))
        return None

    def inbox(self) -> list[Mapping[str, Any]]:
        """Return what waits; nothing when the API does not answer."""
        status, answer = self._call("GET", "/api/v1/inbox")
        found: list[Mapping[str, Any]] = json.loads(answer)["messages"] if status == 200 else []
        return found

    def read(self, line: Mapping[str, Any]) -> bool:
        return self._call("GET", f"/api/v1/inbox/{line['id']}")[0] == 200

    def acknowledge(self, line: Mapping[str, Any]) -> bool:
        return self._call("POST", f"/api/v1/inbox/{line['id']}/ack")[0] == 204

    def _call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int | None, bytes]:
        """Return status and body; no status when there was no whole answer."""
        connection = HTTPConnection(self._place.hostname or "", self._place.port, timeout=SECONDS)
        kind = {"Content-Type": "application/json" if body[:1] == b"{" else "application/xml"} if body else {}
        try:
            connection.request(method, path, body, {"Authorization": f"Bearer {self._side.key}"} | kind | dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, HTTPException):
            return None, b""
        finally:
            connection.close()


class Systems:
    """Austria hands in applications at a steady rate, Serbia answers each; both fetch what came for them."""

    def __init__(self, west: Side, east: Side, papers: Papers, *, rate: float) -> None:
        """`rate`: applications a second."""
        self.ledger = Ledger()
        self._stop = threading.Event()
        self._closing = threading.Event()  # no new applications
        self._papers, self._rate = papers, rate
        self._west, self._east = (Desk(side, self.ledger, self._stop) for side in (west, east))
        self._numbers = itertools.count(1)
        self._pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="system")
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._apply, self._answer, self._collect)]

    def start(self) -> None:
        for each in self._threads:
            each.start()

    def finish(self) -> None:
        """Hand in nothing new; what is open is seen through."""
        self._closing.set()

    def close(self) -> None:
        self._closing.set()
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for each in self._threads:
            each.join()

    def flood(self, count: int) -> None:
        """Hand in many applications at once."""
        for _ in range(count):
            self._pool.submit(self._west.hand_in, f"application-{next(self._numbers)}", self._papers.application)

    def write_to_the_silent(self, count: int) -> None:
        """Hand in applications to the partner that never answers."""
        for _ in range(count):
            key = f"silent-{next(self._numbers)}"
            self._pool.submit(self._west.hand_in, key, self._papers.to_the_silent, canonical=True, silent=True)

    def _apply(self) -> None:
        due = time.monotonic()
        while not self._closing.wait(max(0.0, due - time.monotonic())):
            if self.ledger.backlog() < BACKLOG:
                self.flood(1)
            due = max(due + 1 / self._rate, time.monotonic() - 1)

    def _answer(self) -> None:
        self._take(self._east, self._decide)

    def _collect(self) -> None:
        self._take(self._west, lambda _line: True)

    def _decide(self, line: Mapping[str, Any]) -> bool:
        """Answer one application; a question goes before the reply for some of them. A repeat uses the same keys."""
        if line["type"] != "ReadmissionApplication":
            return True
        name, case = line["message_id"], line["case"]
        if int(name[-4:], 16) % QUESTIONS == 0:
            asked = self._east.hand_in(f"question-{name}", self._papers.question(case), canonical=True)
            if asked is None:
                return False
        return self._east.hand_in(f"reply-{name}", self._papers.reply(case)) is not None

    def _take(self, desk: Desk, act: Callable[[Mapping[str, Any]], bool]) -> None:
        """Fetch what waits, act on it and acknowledge it, several at a time; what fails is met again at the next look."""
        with ThreadPoolExecutor(max_workers=6) as pool:
            while not self._stop.wait(POLL_SECONDS):
                lines = desk.inbox()
                for _ in pool.map(lambda line: desk.read(line) and act(line) and desk.acknowledge(line), lines):
                    if self._stop.is_set():
                        break
