"""The webhook: signed so that anybody can check it, and every answer of the other side means one thing."""

import hashlib
import os
import shutil
import socket
import ssl
import subprocess
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.edge.port import Item
from gateway.edge.push import PushEdge
from gateway.edge.webhook import read_secrets, signed_headers
from gateway.edge_settings import EdgeSettings
from gateway.errors import EdgeFailed, EdgeRefused, EdgeUnavailable, SettingsInvalid
from tests.throwaway_ca import Holder, root, usage
from tests.webhook_server import SECRET, WRITTEN, is_genuine, webhook_server

NOW = datetime(2026, 6, 1, 8, 15, tzinfo=UTC)
ITEM = Item(
    sender="AT-BMI",
    message_id="019ab4d2-7c40-7a11-8f02-5d1e3b6a9c01",
    type="ReadmissionReply",
    media_type="application/xml",
    body="<a>ћ</a>".encode(),
)
ITEM_ID = f"message_AT-BMI_{ITEM.message_id}"
OTHER = b"another secret, thirty-two bytes"


@pytest.fixture
def server():
    with webhook_server() as running:
        yield running


@pytest.fixture
def secrets(tmp_path) -> Path:
    file = tmp_path / "webhook.secret"
    file.write_text(WRITTEN)
    return file


def push(url: str, secrets: Path, **changes) -> PushEdge:
    settings = {"private_addresses": True, "timeout_seconds": 5} | changes
    return PushEdge("RS-MUP", EdgeSettings(url=url, secret_file=secrets, **settings), lambda: NOW)


# --- what is sent -----------------------------------------------------------------------------------------------------


def test_document_is_posted_signed_with_its_type_and_digest(server, secrets) -> None:
    assert push(server.url, secrets).hand_over(ITEM) is True
    ((name, body, headers),) = server.posts
    assert (name, body) == (ITEM_ID, ITEM.body)
    assert headers["content-type"] == "application/xml"
    assert headers["gateway-message-type"] == "ReadmissionReply"
    assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert b64decode(headers["content-digest"].removeprefix("sha-256=:").removesuffix(":")) == hashlib.sha256(body).digest()


def test_signature_is_that_of_the_published_example_of_standard_webhooks() -> None:
    secret = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    headers = signed_headers([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", datetime.fromtimestamp(1614265330, UTC), body)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_changed_body_id_or_time_does_not_verify() -> None:
    good = signed_headers([SECRET], "message_1", NOW, b"body")
    assert is_genuine(SECRET, good, b"body")
    assert not is_genuine(SECRET, good, b"Body")
    assert not is_genuine(SECRET, good | {"webhook-id": "message_2"}, b"body")
    assert not is_genuine(SECRET, good | {"webhook-timestamp": "1"}, b"body")
    assert not is_genuine(OTHER, good, b"body")


def test_message_ids_of_two_senders_never_meet(server, secrets) -> None:
    edge = push(server.url, secrets)
    edge.hand_over(ITEM)
    edge.hand_over(Item(sender="PK-MOI", message_id=ITEM.message_id, type=ITEM.type, media_type=ITEM.media_type, body=b"<b/>"))
    assert len({name for name, _, _ in server.posts}) == 2


def test_repeat_carries_the_same_id(server, secrets) -> None:
    edge = push(server.url, secrets)
    for _ in range(2):
        edge.hand_over(ITEM)
    assert [name for name, _, _ in server.posts] == [ITEM_ID] * 2
    assert len(server.taken) == 1


def test_attachment_is_posted_under_its_digest(server, secrets) -> None:
    push(server.url, secrets).hand_over_file("photograph-0123.jpg", iter([b"first", b"second"]))
    ((name, body, headers),) = server.posts
    assert name == f"file_{hashlib.sha256(b'firstsecond').hexdigest()}"
    assert body == b"firstsecond"
    assert headers["gateway-file-name"] == "photograph-0123.jpg"


# --- secrets ----------------------------------------------------------------------------------------------------------


def test_while_secrets_change_both_sign_and_either_is_enough(server, secrets) -> None:
    edge = push(server.url, secrets)
    secrets.write_text(f"{WRITTEN}\nwhsec_{b64encode(OTHER).decode()}\n")
    for held in (SECRET, OTHER):
        server.secret = held
        edge.hand_over(ITEM)
    assert [len(headers["webhook-signature"].split(" ")) for _, _, headers in server.posts] == [2, 2]


def test_retired_secret_signs_no_more_without_a_restart(server, secrets) -> None:
    edge = push(server.url, secrets)
    secrets.write_text(f"whsec_{b64encode(OTHER).decode()}\n")
    with pytest.raises(EdgeUnavailable, match="401"):
        edge.hand_over(ITEM)
    server.secret = OTHER
    assert edge.hand_over(ITEM)


def test_secret_file_in_the_middle_of_its_change_is_waited_for(server, secrets) -> None:
    edge = push(server.url, secrets)
    secrets.write_text("")
    with pytest.raises(EdgeUnavailable):
        edge.hand_over(ITEM)
    assert server.posts == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plainword",
        f"whsec_{b64encode(b'short').decode()}",
        "whsec_***",
        WRITTEN.removeprefix("whsec_"),
        f"{WRITTEN}\n" * 3,
        "ћ",
    ],
)
def test_secret_that_is_none_stops_the_start_and_is_not_quoted(secrets, text) -> None:
    secrets.write_text(text)
    with pytest.raises(SettingsInvalid) as caught:
        read_secrets(secrets)
    assert not text or text.strip() not in str(caught.value)


# --- what an answer means ---------------------------------------------------------------------------------------------


def test_every_status_means_one_thing(server, secrets) -> None:
    edge = push(server.url, secrets)
    meaning = {
        None: (200, 201, 202, 204),
        EdgeUnavailable: (301, 302, 307, 308, 401, 403, 404, 405, 408, 425, 429, 502, 503, 504),
        EdgeRefused: (400, 406, 409, 410, 413, 415, 422, 451),
        EdgeFailed: (500, 501, 505, 599),
    }
    for error, statuses in meaning.items():
        for status in statuses:
            server.status = status
            if error is None:
                assert edge.hand_over(ITEM) is True, status
                continue
            with pytest.raises(error, match=str(status)):
                edge.hand_over(ITEM)


def test_redirect_is_not_followed(server, secrets) -> None:
    server.status, server.headers = 307, {"Location": server.url}
    with pytest.raises(EdgeUnavailable):
        push(server.url, secrets).hand_over(ITEM)
    assert len(server.posts) == 1


@pytest.mark.parametrize(
    ("said", "seconds"), [("120", 120), ("999999", 3600), ("9" * 5000, 0), ("-1", 0), ("٣", 0), ("soon", 0)]
)
def test_pause_that_the_system_asks_for_is_kept_within_an_hour(server, secrets, said, seconds) -> None:
    server.status, server.headers = 503, {"Retry-After": said.encode("utf-8").decode("latin-1")}
    with pytest.raises(EdgeUnavailable) as caught:
        push(server.url, secrets).hand_over(ITEM)
    assert caught.value.after_seconds == seconds


def test_system_that_does_not_answer_is_left_in_time(server, secrets) -> None:
    server.hangs.set()
    with pytest.raises(EdgeUnavailable):
        push(server.url, secrets, timeout_seconds=1).hand_over(ITEM)


def test_system_that_is_not_there_is_unavailable(secrets) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    edge = push(f"http://localhost:{port}/", secrets)
    for act in (lambda: edge.hand_over(ITEM), edge.examine):
        with pytest.raises(EdgeUnavailable):
            act()


def test_examination_connects_and_posts_nothing(server, secrets) -> None:
    assert push(server.url, secrets).examine() == "push to localhost"
    assert server.posts == []


# --- where it goes ----------------------------------------------------------------------------------------------------


def test_address_that_is_not_public_is_called_only_where_the_settings_allow_it(server, secrets) -> None:
    with pytest.raises(EdgeUnavailable, match="private_addresses"):
        push(server.url, secrets, private_addresses=False).hand_over(ITEM)
    assert server.posts == []


def test_second_address_of_a_name_is_called_when_the_first_is_not_there(server, secrets, monkeypatch) -> None:
    found = socket.getaddrinfo
    port = int(server.url.rpartition(":")[2].partition("/")[0])

    def two(*words: object, **more: object) -> list:
        away = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.2", port))
        return [away, *found("127.0.0.1", port, type=socket.SOCK_STREAM)]

    with monkeypatch.context() as patched:
        patched.setattr("gateway.trust.addresses.socket.getaddrinfo", two)
        edge = push(server.url, secrets)
        connection = edge._connection()
    connection.connect()
    assert connection.sock.getpeername()[0] == "127.0.0.1"
    connection.close()


@pytest.mark.parametrize(
    "url",
    ["http://system.example/in", "https://user:word@system.example/", "ftp://system.example/", "https://", "https://[::1", "in",
     "https://system.example:0/", "https://s\u0443stem.example/"],
)  # fmt: skip
def test_address_that_would_carry_documents_unprotected_stops_the_start(secrets, url) -> None:
    with pytest.raises(SettingsInvalid, match="RS-MUP"):
        push(url, secrets)


@pytest.mark.parametrize("missing", ["url", "secret_file"])
def test_missing_setting_is_told_by_its_name(secrets, missing) -> None:
    given = {"url": "https://system.example/", "secret_file": secrets} | {missing: None}
    with pytest.raises(SettingsInvalid, match=missing):
        PushEdge("RS-MUP", EdgeSettings(**given), lambda: NOW)


# --- TLS --------------------------------------------------------------------------------------------------------------


def written(folder: Path, name: str, holder: Holder) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(holder.pem)
    key.write_bytes(holder.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, key


@pytest.fixture(scope="module")
def authority() -> Holder:
    return root(datetime.now(UTC), common="Specimen root")  # TLS asks the machine's clock


@pytest.fixture
def tls(authority, tmp_path):
    """A server with a certificate for `localhost` that asks for one of ours."""
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    ours = authority.issue(
        "localhost", key_usage=usage(signs=True), purposes=[ExtendedKeyUsageOID.SERVER_AUTH], more=[(names, False)]
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*written(tmp_path, "server", ours))
    anchors = tmp_path / "root.pem"
    anchors.write_bytes(authority.pem)
    context.load_verify_locations(anchors)
    return context, anchors


def test_system_is_known_by_its_certificate_and_knows_us_by_ours(tls, authority, secrets, tmp_path) -> None:
    context, anchors = tls
    context.verify_mode = ssl.CERT_REQUIRED
    ours = authority.issue("gateway", key_usage=usage(signs=True), purposes=[ExtendedKeyUsageOID.CLIENT_AUTH])
    certificate, key = written(tmp_path, "ours", ours)
    with webhook_server(context) as server:
        edge = push(server.url, secrets, ca_file=anchors, certificate_file=certificate, key_file=key)
        assert edge.hand_over(ITEM)
        assert edge.examine()
        with pytest.raises(EdgeUnavailable):
            push(server.url, secrets, ca_file=anchors).hand_over(ITEM)
        assert len(server.posts) == 1


def test_system_whose_certificate_is_not_trusted_gets_nothing(tls, secrets) -> None:
    with webhook_server(tls[0]) as server:
        with pytest.raises(EdgeUnavailable, match="certificate"):
            push(server.url, secrets).hand_over(ITEM)
        assert server.posts == []


def test_system_whose_certificate_is_for_another_name_gets_nothing(tls, secrets) -> None:
    context, anchors = tls
    with webhook_server(context) as server:
        with pytest.raises(EdgeUnavailable, match="certificate"):
            push(server.url.replace("localhost", "127.0.0.1"), secrets, ca_file=anchors).hand_over(ITEM)
        assert server.posts == []


@pytest.mark.parametrize("broken", ["ca_file", "certificate_file"])
def test_file_that_holds_no_certificate_stops_the_start(secrets, tmp_path, broken) -> None:
    (tmp_path / "none.pem").write_text("none")
    given = {broken: tmp_path / "none.pem"} | ({"key_file": tmp_path / "none.pem"} if broken == "certificate_file" else {})
    with pytest.raises(SettingsInvalid, match=broken):
        push("https://system.example/", secrets, **given)


def test_time_that_is_signed_is_that_of_the_sending_not_of_the_message() -> None:
    first, second = (signed_headers([SECRET], "message_1", NOW + timedelta(hours=hours), b"") for hours in (0, 1))
    assert first["webhook-timestamp"] != second["webhook-timestamp"]


# --- what docs/edges.md tells an integrator ---------------------------------------------------------------------------


def example(language: str) -> str:
    page = (Path(__file__).resolve().parents[2] / "docs" / "edges.md").read_text("utf-8")
    return page.partition(f"```{language}\n")[2].partition("```")[0]


def test_python_of_the_page_takes_what_we_send_and_nothing_else(server, secrets) -> None:
    push(server.url, secrets).hand_over(ITEM)
    ((_, body, headers),) = server.posts
    found: dict = {}
    exec(compile(example("python"), "docs/edges.md", "exec"), found)  # our own page
    check = found["is_genuine"]
    now = NOW.timestamp()
    assert check(WRITTEN, headers, body, now + 299)
    assert not check(WRITTEN, headers, body, now + 301)
    assert not check(WRITTEN, headers, body + b" ", now)
    assert not check(f"whsec_{b64encode(OTHER).decode()}", headers, body, now)
    assert check(WRITTEN, headers | {"webhook-signature": f"v1,AAAA {headers['webhook-signature']}"}, body, now)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_shell_of_the_page_computes_the_signature_we_send(server, secrets, tmp_path) -> None:
    push(server.url, secrets).hand_over(ITEM)
    ((name, body, headers),) = server.posts
    (tmp_path / "body").write_bytes(body)
    given = {"SECRET": WRITTEN, "ID": name, "TIMESTAMP": headers["webhook-timestamp"], "PATH": os.environ["PATH"]}
    done = subprocess.run(["sh", "-ec", example("sh")], cwd=tmp_path, env=given, capture_output=True, text=True, check=True)
    assert f"v1,{done.stdout.strip()}" == headers["webhook-signature"]
