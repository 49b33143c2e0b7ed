"""Lists and answers are fetched off the path of messages: in time, within bounds, and never replaced by something worse."""

import socket
from datetime import timedelta
from itertools import pairwise
from threading import Thread

import pytest
from cryptography.x509 import ocsp as asn

from gateway.errors import RevocationUnreachable, TrustInvalid
from gateway.trust import exchange
from gateway.trust.certificates import TrustStore
from gateway.trust.revocation import attempts, fetch
from gateway.trust.revocation.attempts import Result
from gateway.trust.revocation.evidence import Evidence
from gateway.trust.revocation.fetch import Fetcher
from gateway.trust.revocation.refresh import refresh
from gateway.trust.revocation.sources import offered
from gateway.trust.revocation.states import State
from tests.issuer_server import issuer_server, nonce_of
from tests.throwaway_ca import DAY, lay, offers, root

HERE = Fetcher(private_addresses=True, seconds=5.0)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SOON = 30.0  # seconds; the bound of a wait


@pytest.fixture
def server():
    with issuer_server() as running:
        yield running


@pytest.fixture
def ca(now):
    return root(now)


@pytest.fixture
def leaf(ca, server):
    """A certificate that names a list and a responder on the server."""
    return ca.issue(more=offers(crl=[server.url("/list")], responder=[server.url("/ocsp")]))


@pytest.fixture
def fetched(ca, leaf, tmp_path):
    """Return a function that fetches what is due; it returns the results."""

    def run(at, *, holder=leaf, fetcher=HERE, **rest):
        links = list(pairwise((holder.certificate, *holder.above, ca.certificate)))
        return [each.result for each in refresh(tmp_path, links, at, fetcher, **rest)]

    return run


@pytest.fixture
def state(ca, leaf, tmp_path):
    """Return a function that tells how the leaf stands by what is in the folder."""

    def found(at, holder=leaf):
        return Evidence.read(tmp_path).standing(holder.certificate, ca.certificate, at)

    return found


def echo(ca, leaf, *status, **changes):
    return lambda request: ca.answer(leaf.certificate, *status, nonce=nonce_of(request), **changes)


# --- what is asked ----------------------------------------------------------------------------------------------------


def test_the_responder_is_asked_first_and_its_answer_is_enough(server, ca, leaf, fetched, state, now):
    server.serve = {"/ocsp": echo(ca, leaf), "/list": ca.crl()}
    assert fetched(now) == [Result.FETCHED]
    assert (server.asked, str(state(now).source)) == (["/ocsp"], "ocsp")


BAD_RESPONDERS = {
    "not there": lambda ca, leaf: 404,
    "busy": lambda ca, leaf: 503,
    "elsewhere": lambda ca, leaf: 302,
    "not OCSP": lambda ca, leaf: b"<html>try later</html>",
    "no nonce": lambda ca, leaf: lambda _: ca.answer(leaf.certificate),
    "an old nonce": lambda ca, leaf: lambda _: ca.answer(leaf.certificate, nonce=b"x" * 32),
    "another key": lambda ca, leaf: echo(ca, leaf, responder=root(ca.now), beside=[]),
    "a responder that may be revoked": lambda ca, leaf: echo(ca, leaf, responder=ca.make_responder(no_check=False)),
    "out of date": lambda ca, leaf: echo(ca, leaf, this=-2 * DAY, until=-DAY),
    "from the future": lambda ca, leaf: echo(ca, leaf, this=DAY, until=2 * DAY),
    "made in the future": lambda ca, leaf: echo(ca, leaf, produced=HOUR),
    "another certificate": lambda ca, leaf: echo(ca, ca.issue()),
    "does not know": lambda ca, leaf: echo(ca, leaf, asn.OCSPCertStatus.UNKNOWN),
}


@pytest.mark.parametrize("make", BAD_RESPONDERS.values(), ids=BAD_RESPONDERS)
def test_the_list_is_fetched_where_the_responder_gives_no_proof(server, ca, leaf, fetched, state, now, make):
    server.serve = {"/ocsp": make(ca, leaf), "/list": ca.crl(), "/elsewhere": echo(ca, leaf)}
    assert fetched(now)[1:] == [Result.FETCHED]
    assert server.asked == ["/ocsp", "/list"]
    assert (state(now).state, str(state(now).source)) == (State.GOOD, "crl")


@pytest.mark.parametrize("make", [*BAD_RESPONDERS.values()], ids=BAD_RESPONDERS)
def test_without_a_list_nothing_that_proves_nothing_is_kept(server, ca, leaf, fetched, state, tmp_path, now, make):
    server.serve = {"/ocsp": make(ca, leaf)}
    fetched(now)
    assert not list((tmp_path / "revocation").glob("*.ocsp"))
    assert state(now).state in {State.UNKNOWN, State.UNREACHABLE}


def test_an_issuer_that_cannot_be_reached_is_unreachable(server, fetched, state, now):
    assert fetched(now) == [Result.UNREACHABLE, Result.UNREACHABLE]
    assert state(now).state is State.UNREACHABLE


def test_an_answer_without_nonce_is_taken_where_that_is_allowed(server, ca, leaf, fetched, state, now):
    server.serve = {"/ocsp": lambda _: ca.answer(leaf.certificate)}
    assert fetched(now, nonce_may_be_absent=True) == [Result.FETCHED]
    assert state(now).state is State.GOOD


def test_a_revocation_is_fetched(server, ca, leaf, fetched, state, now):
    server.serve = {"/ocsp": echo(ca, leaf, asn.OCSPCertStatus.REVOKED)}
    fetched(now)
    assert state(now).state is State.REVOKED


def test_the_second_address_is_tried_when_the_first_fails(server, ca, fetched, state, now):
    leaf = ca.issue(more=offers(crl=[server.url("/away"), server.url("/list")]))
    server.serve = {"/list": ca.crl()}
    assert fetched(now, holder=leaf) == [Result.FETCHED]
    assert state(now, leaf).state is State.GOOD


def test_one_list_serves_all_certificates_that_name_it(server, ca, fetched, now, tmp_path):
    one, two = (ca.issue(more=offers(crl=[server.url("/list")])) for _ in range(2))
    server.serve = {"/list": ca.crl()}
    links = [(each.certificate, ca.certificate) for each in (one, two)]
    assert len(refresh(tmp_path, links, now, HERE)) == 1


def test_every_certificate_of_a_chain_is_asked_about(server, ca, fetched, tmp_path, now):
    middle = ca.issue("Issuing CA", ca=True, more=offers(crl=[server.url("/above")]))
    leaf = middle.issue(more=offers(crl=[server.url("/below")]))
    server.serve = {"/above": ca.crl(), "/below": middle.crl()}
    lay(tmp_path, [ca], BA_MS=leaf)
    trust = TrustStore.load(tmp_path)
    assert len(refresh(tmp_path, trust.links(now), now, HERE)) == 2
    trust.refresh()
    assert trust.verdict(leaf.signer().chain, now).authority == "BA-MS"


def test_addresses_of_a_chain_that_ends_at_no_anchor_are_not_asked(server, ca, tmp_path, now):
    stranger = root(now, "Stranger").issue(more=offers(crl=[server.url("/list")]))
    lay(tmp_path, [ca], BA_MS=stranger)
    assert refresh(tmp_path, TrustStore.load(tmp_path).links(now), now, HERE) == []
    assert server.asked == []


def test_an_ended_certificate_is_not_asked_about(server, ca, fetched, now):
    assert fetched(now, holder=ca.issue(ends=-DAY, more=offers(crl=[server.url("/list")]))) == []


# --- when -------------------------------------------------------------------------------------------------------------


def test_what_was_fetched_is_fetched_again_at_half_of_its_life(server, ca, leaf, fetched, now):
    server.serve = {"/ocsp": echo(ca, leaf, until=10 * HOUR)}
    fetched(now)
    assert fetched(now + 5 * HOUR - MINUTE) == []
    server.serve = {"/ocsp": echo(ca, leaf, until=20 * HOUR)}
    assert fetched(now + 5 * HOUR) == [Result.FETCHED]


def test_a_list_that_lives_for_months_is_fetched_twice_a_day(server, ca, leaf, fetched, now):
    server.serve = {"/list": ca.crl(until=200 * DAY), "/ocsp": 404}
    fetched(now)
    server.serve = {"/list": ca.crl(until=200 * DAY, this=timedelta(0)), "/ocsp": 404}
    assert Result.FETCHED not in fetched(now + 12 * HOUR - MINUTE)
    assert Result.FETCHED in fetched(now + 12 * HOUR)


def test_after_each_failure_in_a_row_the_pause_doubles_up_to_an_hour(server, ca, fetched, now):
    leaf = ca.issue(more=offers(crl=[server.url("/list")]))
    at = now
    for minutes in (1, 2, 4, 8, 16, 32, 60, 60):
        assert fetched(at, holder=leaf) == [Result.UNREACHABLE]
        assert fetched(at + minutes * MINUTE - timedelta(seconds=1), holder=leaf) == []
        at += minutes * MINUTE


def test_a_deleted_list_is_fetched_at_once(server, ca, leaf, fetched, tmp_path, now):
    server.serve = {"/ocsp": echo(ca, leaf)}
    fetched(now)
    next((tmp_path / "revocation").glob("*.ocsp")).unlink()
    assert fetched(now) == [Result.FETCHED]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"v": 1, "attempts": {"x": 5}}', b"\xff"])
def test_a_damaged_memory_of_attempts_means_that_all_is_fetched_again(server, ca, leaf, fetched, tmp_path, now, content):
    server.serve = {"/ocsp": echo(ca, leaf)}
    fetched(now)
    (tmp_path / "revocation" / attempts.FILE).write_bytes(content)
    assert fetched(now) == [Result.FETCHED]


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_an_older_list_never_replaces_a_newer_one(server, ca, leaf, fetched, state, now):
    server.serve = {"/ocsp": 404, "/list": ca.crl(leaf.certificate, this=-HOUR)}
    fetched(now)
    server.serve["/list"] = ca.crl(this=-2 * HOUR, until=2 * DAY)  # still fresh, and it says good
    assert fetched(now + 13 * HOUR)[1:] == [Result.UNUSABLE]
    assert state(now).state is State.REVOKED


def test_the_last_list_before_the_end_of_a_certificate_is_kept(server, ca, tmp_path, now):
    ending = ca.issue(ends=HOUR, more=offers(crl=[server.url("/list")]))
    other = ca.issue(more=offers(crl=[server.url("/list")]))
    links = [(each.certificate, ca.certificate) for each in (ending, other)]
    server.serve = {"/list": ca.crl()}
    refresh(tmp_path, links, now, HERE)
    server.serve = {"/list": ca.crl(this=DAY, until=3 * DAY)}
    refresh(tmp_path, links, now + DAY, HERE)
    known = Evidence.read(tmp_path)
    assert known.standing(ending.certificate, ca.certificate, now).state is State.GOOD
    assert known.standing(other.certificate, ca.certificate, now + 2 * DAY).state is State.GOOD


def test_what_cannot_be_kept_is_told_as_a_fault_of_this_installation(server, ca, leaf, fetched, tmp_path, now):
    server.serve = {"/ocsp": echo(ca, leaf)}
    (tmp_path / "revocation").write_bytes(b"a file where a folder should be")
    with pytest.raises(TrustInvalid, match="cannot be written"):
        fetched(now)


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_an_address_that_is_not_public_is_not_asked_unless_that_is_allowed(server, ca, leaf, fetched, now):
    server.serve = {"/ocsp": echo(ca, leaf)}
    assert fetched(now, fetcher=Fetcher()) == [Result.UNREACHABLE, Result.UNREACHABLE]
    assert server.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "https://crl.specimen.example/list",
        "ftp://crl.specimen.example/list",
        "file:///etc/passwd",
        "http://user:secret@127.0.0.1/list",
        "http:///list",
        "http://127.0.0.1:99999/list",
        "http://[::1/list",
        "http://127.0.0.1/a b\r\nX: y",
    ],
)
def test_an_address_that_is_no_plain_http_is_not_asked(url, monkeypatch):
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("it connected"))
    with pytest.raises(RevocationUnreachable):
        Fetcher().get(url)


INSIDE = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::1", "fe80::1", "fd00::1"]
WRITTEN_OTHERWISE = ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a00:1", "::127.0.0.1"]


@pytest.mark.parametrize("address", [*INSIDE, *WRITTEN_OTHERWISE])
def test_no_address_inside_a_network_is_asked_however_it_is_written(address, monkeypatch):
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("198.41.0.4", 80)), (0, 0, 0, "", (address, 80))]
    )
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("it connected"))
    with pytest.raises(RevocationUnreachable, match="not at a public address"):
        Fetcher().get("http://crl.specimen.example/list")


def test_a_redirect_is_not_followed(server):
    server.serve = {"/list": 302, "/elsewhere": b"something"}
    with pytest.raises(RevocationUnreachable):
        HERE.get(server.url("/list"))
    assert server.asked == ["/list"]


def test_more_bytes_than_allowed_are_not_taken(server, monkeypatch):
    monkeypatch.setattr(fetch, "MOST_BYTES", 1000)
    server.serve = {"/exact": b"x" * 1000, "/more": b"x" * 1001}
    assert len(HERE.get(server.url("/exact"))) == 1000
    with pytest.raises(RevocationUnreachable):
        HERE.get(server.url("/more"))


def test_a_server_that_sends_a_byte_now_and_then_is_hung_up_on(monkeypatch):
    """Each byte would come in time, the whole never does."""
    hung_up = []
    hang_up = exchange._hang_up

    def note(sock, late):
        hung_up.append(sock)
        hang_up(sock, late)

    monkeypatch.setattr(exchange, "_hang_up", note)
    true_connect = fetch.DirectConnection.connect

    def connect(self):
        true_connect(self)
        self.sock.settimeout(SOON)  # as if a byte came just in time, each time

    monkeypatch.setattr(fetch.DirectConnection, "connect", connect)
    with socket.create_server(("127.0.0.1", 0)) as listening, pytest.raises(RevocationUnreachable):
        Fetcher(private_addresses=True, seconds=0.2).get(f"http://127.0.0.1:{listening.getsockname()[1]}/list")
    assert hung_up


def test_a_server_that_hangs_up_in_the_middle_gave_nothing():
    listening = socket.create_server(("127.0.0.1", 0))

    def half():
        peer, _ = listening.accept()
        with peer:
            peer.recv(4096)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    thread = Thread(target=half)
    thread.start()
    with listening, pytest.raises(RevocationUnreachable):
        HERE.get(f"http://127.0.0.1:{listening.getsockname()[1]}/list")
    thread.join()


def test_a_host_without_an_address_is_unreachable(monkeypatch):
    def nobody(*_, **__):
        raise socket.gaierror("no such host")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    with pytest.raises(RevocationUnreachable, match="cannot be found"):
        Fetcher().get("http://crl.specimen.example/list")


def test_the_address_that_was_examined_is_the_one_that_is_asked(server, monkeypatch):
    """A name that stands for a public address when it is examined, and for a private one a moment later, gains nothing."""
    asked, connected = [], []

    def once(*_, **__):
        asked.append(1)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("203.0.113.9" if len(asked) > 1 else "198.41.0.4", 80))]

    def connect(address, *_):
        connected.append(address)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", once)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(RevocationUnreachable):
        Fetcher().get("http://crl.specimen.example/list")
    assert (len(asked), connected) == (1, [("198.41.0.4", 80)])


def test_files_are_named_for_the_certificate_and_its_issuer(ca, leaf, server):
    found = offered(leaf.certificate, ca.certificate)
    assert found.answer_file == f"{leaf.fingerprint}.ocsp"
    assert found.list_file.startswith(ca.fingerprint)
