"""The web server of an issuer, on this machine and a private port: it serves what a test lays on it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from cryptography import x509
from cryptography.x509 import ocsp


@dataclass
class IssuerServer:
    """`serve` holds what lies at a path: bytes, a status, or a function of the body of the request."""

    address: str
    serve: dict[str, "bytes | int | Callable[[bytes], bytes]"] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # paths, in order

    def url(self, path: str) -> str:
        return self.address + path


def nonce_of(request: bytes) -> bytes:
    """Return the nonce of an OCSP request."""
    return ocsp.load_der_ocsp_request(request).extensions.get_extension_for_class(x509.OCSPNonce).value.nonce


@contextmanager
def issuer_server() -> Iterator[IssuerServer]:
    """Run a server until the end of the test."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            found = server_side.serve.get(self.path, 404)
            server_side.asked.append(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if isinstance(found, int):
                self.send_response(found)
                self.send_header("Location", server_side.url("/elsewhere"))
                self.end_headers()
                return
            data = found if isinstance(found, bytes) else found(body)
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server_side = IssuerServer(address=f"http://127.0.0.1:{server.server_address[1]}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server_side
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
