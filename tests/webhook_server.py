"""The web server of a national system: it checks signatures as docs/edges.md tells it to, and answers as a test says."""

import base64
import hashlib
import hmac
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

SECRET = b"a specimen of a secret, 32 bytes"
WRITTEN = "whsec_" + base64.b64encode(SECRET).decode()


def is_genuine(secret: bytes, headers: Any, body: bytes) -> bool:
    """Check a webhook as Standard Webhooks says; written apart from the gateway's own code."""
    content = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
    wanted = base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(f"v1,{wanted}", given) for given in headers["webhook-signature"].split(" "))


@dataclass
class WebhookServer:
    """`posts` are (id, body, headers) in the order of arrival, repeats too; `answers` gives a status by (path, id)."""

    url: str
    secret: bytes = SECRET
    status: int | Callable[[str, str], int] = 204
    headers: dict[str, str] = field(default_factory=dict)
    posts: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    taken: list[tuple[str, bytes]] = field(default_factory=list)  # what it answered with 2xx, each id once
    hangs: Event = field(default_factory=Event)  # while set, no answer is given
    seen: Event = field(default_factory=Event)

    def answer(self, path: str, name: str) -> int:
        return self.status(path, name) if callable(self.status) else self.status


@contextmanager
def webhook_server(tls: ssl.SSLContext | None = None) -> Iterator[WebhookServer]:
    """Run a server until the end of the test."""
    going = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            name = self.headers["webhook-id"]
            side.posts.append((name, body, {key.lower(): value for key, value in self.headers.items()}))
            side.seen.set()
            while side.hangs.is_set() and not going.is_set():
                going.wait(0.01)
            status = side.answer(self.path, name) if is_genuine(side.secret, self.headers, body) else 401
            if 200 <= status <= 299 and name not in dict(side.taken):
                side.taken.append((name, body))
            self.send_response(status)
            for key, value in side.headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that hangs up is what some tests are about."""

    server = Quiet(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    side = WebhookServer(url=f"http{'s' if tls else ''}://localhost:{server.server_address[1]}/hooks/readmission?to=rs")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield side
    finally:
        going.set()
        server.shutdown()
        server.server_close()
        thread.join()
