"""The system of RS-MUP at each edge: what it has been given, and what it hands in. Each is written from docs/edges.md."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import aio_pika
from starlette.testclient import TestClient

from gateway.edge.port import Edge
from gateway.edge_settings import EdgeSettings
from gateway.flow.edges import edge_of, serve_edge
from gateway.flow.ports import Runtime
from gateway.store import accounts
from gateway.store.database import transaction
from gateway.web.api import ROUTERS
from gateway.web.app import create_app
from gateway.wire.media import media_type_of
from gateway.wiring.pages import web_runtime
from tests.gateways import Gateway
from tests.webhook_server import WRITTEN, WebhookServer

AUTHORITY = "RS-MUP"
T = TypeVar("T")


def connected(gateway: Gateway, kind: str, settings: EdgeSettings | None = None, **changes: Any) -> Gateway:
    """Return the same gateway with RS-MUP connected by `kind`. `changes` are further settings."""
    edges = {AUTHORITY: settings or EdgeSettings()}
    rt = replace(gateway.rt, settings=replace(gateway.rt.settings, edges=edges, **changes))
    return replace(gateway, rt=with_edges(rt, {AUTHORITY: kind}))


def with_edges(rt: Runtime, kinds: dict[str, str]) -> Runtime:
    """Return a runtime with partner folders that connect these authorities by these kinds."""
    known = rt.directory.known
    changed = {code: replace(known.partners.authority(code), edge=kind) for code, kind in kinds.items()}
    partners = replace(known.partners, authorities={**known.partners.authorities, **changed})
    directory = rt.directory.with_treaties(known.treaties)  # one of its own
    directory.known = replace(directory.known, partners=partners)
    return replace(rt, directory=directory)


class Receiver(Protocol):
    """What the tests of giving need of the other side; officers without a system pass them too."""

    gateway: Gateway  # connected to it
    rt: Runtime

    def edge(self) -> Edge:
        """Return the edge as a process finds it that has just started."""
        ...

    def turn(self) -> int:
        """Let everything move once; return how many documents did."""
        ...

    def received(self) -> list[bytes]:
        """Return what it was given, documents and files, in order, each once."""
        ...

    def fail(self) -> None: ...

    def heal(self) -> None: ...


class System(Receiver, Protocol):
    """What the tests of handing in need beside that."""

    def put(self, body: bytes, *files: bytes) -> None:
        """Hand in a document, and before it the files that it names."""
        ...

    def answers(self) -> list[dict[str, Any]]:
        """Return the answers to the documents that were handed in."""
        ...


class Served:
    """A system at an edge that a loop serves. Each turn is that of a process which has just started."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway, self.rt = gateway, gateway.rt

    def edge(self) -> Edge:
        return edge_of(AUTHORITY, self.rt)

    def turn(self) -> int:
        edge = self.edge()
        try:
            return serve_edge(AUTHORITY, edge, self.rt)
        finally:
            edge.close()


class RestClient:
    """Hands in and fetches over REST."""

    def __init__(self, rt: Runtime) -> None:
        app = create_app(web_runtime(rt), routers=ROUTERS)
        app.state.gateway = rt
        self._client = TestClient(app, base_url="https://gateway.test")
        with transaction(rt.engine) as tx:
            key = accounts.add_api_key(
                tx,
                authority=AUTHORITY,
                scopes=["submit", "inbox", "cases"],
                at=rt.clock(),
                ends_at=rt.clock().replace(year=2030),
            )
        self._client.headers["authorization"] = f"Bearer {key}"
        self.told: list[dict[str, Any]] = []

    def call(self, method: str, path: str, **more: Any) -> Any:
        return self._client.request(method, f"/api/v1{path}", **more)

    def put(self, body: bytes, *files: bytes) -> None:
        for file in files:
            answer = self.call("POST", "/attachments", content=file, headers={"content-type": media_type_of(file)})
            assert answer.status_code == 201, answer.text
        answer = self.call("POST", "/messages", content=body, headers={"content-type": "application/xml"}).json()
        self.told.append(answer if "outcome" in answer else answer | {"outcome": "refused"})


class PullSystem:
    """It asks for its messages."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = connected(gateway, "pull")
        self.rt = self.gateway.rt
        self._rest = RestClient(self.rt)
        self._received: list[bytes] = []
        self._down = False
        self._counted = 0

    def edge(self) -> Edge:
        return edge_of(AUTHORITY, self.rt)

    def turn(self) -> int:
        """Fetch all that waits, the files first, then acknowledge."""
        assert serve_edge(AUTHORITY, self.edge(), self.rt) == 0
        if self._down:
            return 0
        lines = self._rest.call("GET", "/inbox").json()["messages"]
        for line in lines:
            case = self._rest.call("GET", f"/cases/{line['case_id']}").json()
            for file in case["attachments"]:
                if file["message_id"] == line["message_id"]:
                    path = f"/cases/{line['case_id']}/attachments/{file['sha256']}?purpose=case-work"
                    self._received.append(self._rest.call("GET", path).content)
            self._received.append(self._rest.call("GET", f"/inbox/{line['id']}").content)
            assert self._rest.call("POST", f"/inbox/{line['id']}/ack").status_code == 204
        moved = len(lines) + len(self._rest.told) - self._counted
        self._counted = len(self._rest.told)
        return moved

    def received(self) -> list[bytes]:
        return list(dict.fromkeys(self._received))

    def put(self, body: bytes, *files: bytes) -> None:
        self._rest.put(body, *files)

    def answers(self) -> list[dict[str, Any]]:
        return self._rest.told

    def fail(self) -> None:
        self._down = True

    def heal(self) -> None:
        self._down = False


class PushSystem(Served):
    """It is posted to, and hands in over REST."""

    def __init__(self, gateway: Gateway, server: WebhookServer, folder: Path) -> None:
        secret = folder / "webhook.secret"
        secret.write_text(WRITTEN + "\n")
        settings = EdgeSettings(url=server.url, secret_file=secret, private_addresses=True, timeout_seconds=5)
        super().__init__(connected(gateway, "push", settings))
        self.server = server
        self._rest = RestClient(self.rt)
        self._counted = 0

    def turn(self) -> int:
        moved = super().turn() + len(self._rest.told) - self._counted
        self._counted = len(self._rest.told)
        return moved

    def received(self) -> list[bytes]:
        return [body for _, body in self.server.taken]

    def put(self, body: bytes, *files: bytes) -> None:
        self._rest.put(body, *files)

    def answers(self) -> list[dict[str, Any]]:
        return self._rest.told

    def fail(self) -> None:
        self.server.status = 503

    def heal(self) -> None:
        self.server.status = 204


class FilesSystem(Served):
    """It has a drop folder."""

    def __init__(self, gateway: Gateway, folder: Path) -> None:
        super().__init__(connected(gateway, "files", EdgeSettings(quiet_seconds=0), drop_folder=folder / "drop"))
        self.folder = folder / "drop" / AUTHORITY
        self.edge()
        self._count = 0
        self._order: list[Path] = []

    def turn(self) -> int:
        moved = super().turn()
        found = [path for path in (self.folder / "incoming").rglob("*") if path.is_file() and path not in self._order]
        self._order += sorted(found, key=lambda path: path.stat().st_ctime_ns)  # a rename sets it
        return moved

    def received(self) -> list[bytes]:
        return [path.read_bytes() for path in self._order]

    def put(self, body: bytes, *files: bytes) -> None:
        place = self.folder / "outgoing"
        (place / "attachments").mkdir(exist_ok=True)
        for file in files:
            (place / "attachments" / sha256(file).hexdigest()).write_bytes(file)
        self._count += 1
        (place / f"{self._count:03}.xml").write_bytes(body)

    def answers(self) -> list[dict[str, Any]]:
        found = [path for place in ("sent", "held", "refused") for path in (self.folder / place).glob("*.answer.json")]
        return [json.loads(path.read_bytes()) for path in sorted(found, key=lambda path: path.name)]

    def fail(self) -> None:
        (self.folder / "incoming").rename(self.folder / "away")
        (self.folder / "incoming").write_bytes(b"in the way")

    def heal(self) -> None:
        (self.folder / "incoming").unlink()
        (self.folder / "away").rename(self.folder / "incoming")


class QueueSystem(Served):
    """It has queues of its own."""

    def __init__(self, gateway: Gateway, url: str, folder: Path) -> None:
        self.url, self._file = url, folder / "amqp.url"
        self._file.write_text(url)
        super().__init__(connected(gateway, "queue", EdgeSettings(url_file=self._file, timeout_seconds=10)))
        self._seen: dict[Any, bytes] = {}
        self._told: list[dict[str, Any]] = []
        self._count = 0
        self.work(self._delete)

    def work(self, what: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
        """Do something on a channel of the authority's own."""

        async def done() -> T:
            connection = await aio_pika.connect(self.url)
            async with connection:
                return await what(await connection.channel(publisher_confirms=True))

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, done()).result()

    async def _delete(self, channel: Any) -> None:
        for name in ("to", "from", "answers"):
            await channel.queue_delete(f"{name}-{AUTHORITY}")

    def take(self, name: str) -> list[Any]:
        """Take all there is in one of the queues."""

        async def taken(channel: Any) -> list[Any]:
            queue = await channel.get_queue(f"{name}-{AUTHORITY}", ensure=False)
            found: list[Any] = []
            while (message := await queue.get(no_ack=True, fail=False)) is not None:
                found.append(message)
            return found

        return self.work(taken)

    def send(self, *messages: aio_pika.Message) -> None:
        async def sent(channel: Any) -> None:
            for message in messages:
                await channel.default_exchange.publish(message, f"from-{AUTHORITY}", mandatory=True)

        edge = self.edge()
        edge.examine()  # declares the queues
        edge.close()
        self.work(sent)

    def received(self) -> list[bytes]:
        for message in self.take("to"):
            part = message.headers.get("part")
            key = (message.headers["name"], part) if part else (message.app_id, message.message_id)
            self._seen.setdefault(key, message.body)
        files: dict[Any, bytes] = {}
        for key, body in self._seen.items():
            name = key[0] if isinstance(key[1], int) else key
            files[name] = files.get(name, b"") + body
        return list(files.values())

    def put(self, body: bytes, *files: bytes) -> None:
        self._count += 1
        messages = [part for file in files for part in parts_of(file, sha256(file).hexdigest())]
        self.send(*messages, aio_pika.Message(body, message_id=f"document-{self._count:03}", type="document"))

    def answers(self) -> list[dict[str, Any]]:
        for message in self.take("answers"):
            answer = json.loads(message.body)
            if "name" not in answer:
                self._told.append(answer | {"to": message.correlation_id})
        return sorted(self._told, key=lambda answer: answer["to"])

    def fail(self) -> None:
        self.write(urlsplit(self.url)._replace(netloc="nobody:nothing@127.0.0.1:1").geturl())

    def heal(self) -> None:
        self.write(self.url)

    def write(self, url: str) -> None:
        """Write into the file that holds the address."""
        self._file.write_text(url)


def parts_of(file: bytes, name: str, size: int = 700_000) -> list[aio_pika.Message]:
    """Return a file as the messages by which it is handed in."""
    pieces = [file[start : start + size] for start in range(0, len(file), size)]
    return [
        aio_pika.Message(
            piece,
            type="attachment",
            correlation_id=f"file {name}",
            headers={"name": name, "part": number, "last": number == len(pieces)},
        )
        for number, piece in enumerate(pieces, 1)
    ]
