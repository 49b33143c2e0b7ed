"""Timestamp authorities: asked in order, over HTTP or in development, and what happens when they fail."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import structlog

from gateway.errors import KeyMissing, SettingsInvalid, TimestampUnavailable, TrustInvalid
from gateway.trust import authorities, timestamps
from gateway.trust.authorities import HttpAuthority, named, obtain
from gateway.trust.devtsa import KEY_FILE, DevelopmentAuthority
from gateway.trust.folder import CA, write_file
from tests.timestamping import NOW, Faulty, certified

DATA = b"a root of the journal"
SECRET = "hunter2hunter2"
Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


@contextmanager
def service(answer: Answer) -> Iterator[str]:
    """Serve HTTP on the loopback; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer(self, self.rfile.read(int(self.headers["Content-Length"])))

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/tsa?profile=1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Type": "application/timestamp-reply", **headers}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def development(folder) -> DevelopmentAuthority:
    return DevelopmentAuthority.load(folder, lambda: NOW)


@pytest.fixture
def anchors(trust):
    return trust.timestamp_anchors


def test_authority_over_http_is_asked_as_the_standard_says(development, anchors) -> None:
    """RFC 3161, 3.4."""
    seen = []

    def answer(handler, query) -> None:
        seen.append((handler.path, handler.headers["Content-Type"], handler.headers.get("Authorization")))
        send(handler, development.answer(query))

    with service(answer) as url:
        stamp = obtain(DATA, [HttpAuthority.at(url)], anchors, lambda: NOW)
    assert timestamps.check(stamp.token, DATA, anchors) == stamp
    assert seen == [("/tsa?profile=1", "application/timestamp-query", None)]


def test_name_and_password_of_an_address_are_sent_to_its_authority_and_told_to_nobody(development, anchors) -> None:
    seen = []

    def answer(handler, query) -> None:
        seen.append(handler.headers["Authorization"])
        send(handler, development.answer(query))

    with service(answer) as url:
        authority = HttpAuthority.at(url.replace("//", f"//gateway:{SECRET}@"))
        obtain(DATA, [authority], anchors, lambda: NOW)
    assert seen == ["Basic Z2F0ZXdheTpodW50ZXIyaHVudGVyMg=="]
    assert SECRET not in authority.name + repr(authority)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_is_not_followed(status) -> None:
    asked = []

    def elsewhere(handler, query) -> None:
        asked.append(query)

    with (
        service(elsewhere) as other,
        service(lambda handler, _: send(handler, b"", status, Location=other)) as url,
        pytest.raises(TimestampUnavailable, match=str(status)),
    ):
        HttpAuthority.at(url).answer(b"x")
    assert asked == []


@pytest.mark.parametrize("status", [400, 401, 429, 500, 503])
def test_answer_of_another_status_is_unavailable(status) -> None:
    with service(lambda handler, _: send(handler, b"no", status)) as url, pytest.raises(TimestampUnavailable):
        HttpAuthority.at(url).answer(b"x")


def test_answer_without_end_is_cut_off() -> None:
    def endless(handler, _query) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(bytes(65_536))
        except OSError:
            return

    with service(endless) as url, pytest.raises(TimestampUnavailable):
        HttpAuthority.at(url).answer(b"x")


def test_answer_that_never_comes_is_not_waited_for() -> None:
    done = threading.Event()
    with service(lambda _handler, _query: bool(done.wait(30))) as url:
        with pytest.raises(TimestampUnavailable):
            HttpAuthority.at(url, seconds=0.2).answer(b"x")
        done.set()


def test_answer_that_comes_one_byte_at_a_time_is_not_waited_for() -> None:
    """Each byte comes within the time limit of the socket; only the limit on the whole answer ends it."""
    done = threading.Event()

    def drip(handler, _query) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        try:
            while not done.wait(0.05):
                handler.wfile.write(b"0")
        except OSError:
            return

    with service(drip) as url:
        with pytest.raises(TimestampUnavailable):
            HttpAuthority.at(url, seconds=0.4).answer(b"x")
        done.set()


def test_authority_where_nobody_listens_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: nobody else can take the port meanwhile
        with pytest.raises(TimestampUnavailable):
            HttpAuthority.at(f"http://127.0.0.1:{taken.getsockname()[1]}/").answer(b"x")


def test_what_does_not_speak_tls_is_unavailable_over_https() -> None:
    with service(lambda handler, _: send(handler, b"")) as url, pytest.raises(TimestampUnavailable):
        HttpAuthority.at(url.replace("http:", "https:")).answer(b"x")


@pytest.mark.parametrize("url", ["", "tsa.example", "ftp://tsa.example/", "file:///etc/passwd", "http:///x", "http://x:99999/"])
def test_address_that_is_not_of_http_is_refused_without_repeating_it(url) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        HttpAuthority.at(url)
    assert not url or url not in refused.value.message


# --- several authorities


def test_first_good_timestamp_wins_after_which_nobody_else_is_asked(development, anchors, folder) -> None:
    first, second = Faulty(behind=development, name="first"), Faulty(behind=development, name="second")
    obtain(DATA, [first, second], anchors, lambda: NOW)
    assert (len(first.asked), len(second.asked)) == (1, 0)


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        ({"down": True}, "timestamp-unavailable"),
        ({"change": lambda answer: answer[:-1]}, "timestamp-malformed"),
        ({"change": lambda _: b"<html>Gateway Timeout</html>"}, "timestamp-malformed"),
    ],
)
def test_failure_of_one_authority_is_logged_by_its_name_while_the_next_is_asked(development, anchors, faults, expected) -> None:
    faulty = Faulty(behind=development, **faults)
    with structlog.testing.capture_logs() as lines:
        assert obtain(DATA, [faulty, development], anchors, lambda: NOW).at == NOW
    assert [(line["event"], line["authority"], line["code"]) for line in lines] == [("timestamp.failed", "faulty", expected)]


def test_authority_that_nobody_trusts_does_not_win(folder, development, anchors) -> None:
    forged = certified(folder, own_root=True)
    assert "DEVELOPMENT" in obtain(DATA, [forged, development], anchors, lambda: NOW).authority


def test_authority_with_another_clock_does_not_win(folder, development, anchors) -> None:
    late = DevelopmentAuthority.load(folder, lambda: NOW - timedelta(hours=1))
    assert obtain(DATA, [late, development], anchors, lambda: NOW).at == NOW


def test_no_good_timestamp_of_anybody_is_unavailable(development, anchors) -> None:
    with pytest.raises(TimestampUnavailable, match="none of 2"):
        obtain(DATA, [Faulty(behind=development, down=True), Faulty(behind=development, down=True)], anchors, lambda: NOW)


def test_each_authority_is_asked_with_a_nonce_of_its_own(development, anchors) -> None:
    first, second = Faulty(behind=development, down=True), Faulty(behind=development)
    obtain(DATA, [first, second], anchors, lambda: NOW)
    assert first.asked != second.asked


# --- which ones


def test_settings_decide_who_is_asked_in_their_order(folder) -> None:
    found = named(("https://one.example/", "development", "http://two.example/"), folder, lambda: NOW)
    assert [each.name for each in found] == ["one.example", "development", "two.example"]


def test_development_authority_is_asked_where_the_settings_name_none(folder) -> None:
    assert [each.name for each in named((), folder, lambda: NOW)] == ["development"]


def test_nobody_is_asked_without_settings_or_development_keys(tmp_path) -> None:
    assert named((), tmp_path, lambda: NOW) == ()


def test_development_authority_that_is_named_but_has_no_key_is_misconfigured(tmp_path) -> None:
    with pytest.raises(KeyMissing):
        named(("development",), tmp_path, lambda: NOW)


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_development_key_that_cannot_be_read_is_misconfigured(tmp_path, content) -> None:
    write_file(tmp_path / CA / KEY_FILE, content, private=True)
    with pytest.raises(TrustInvalid):
        authorities.named((), tmp_path, lambda: NOW)


def test_private_key_does_not_show_itself(development) -> None:
    assert repr(development) == "DevelopmentAuthority(development)"
