"""Attachments over HTTP: handed in as a stream, given out as one, and shown on a case page as what they are, never opened."""

from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from typing import Any, get_args

import pytest

from gateway.stages import MAX_ATTACHMENT_BYTES, PART_BYTES
from gateway.web.attachments import Purpose
from gateway.web.pages import PURPOSES
from gateway.wire.documents import serialize
from tests.files import ASKED, ASKING, JPEG, PDF, File, file, kept, naming, stored_parts
from tests.flow.test_api import SCOPES, Api, is_problem
from tests.forging import journalled
from tests.gateways import Gateway, exchange

pytestmark = pytest.mark.anyio


@pytest.fixture
def web(gateway: Gateway) -> Api:
    return Api(gateway.rt)


def attach(web: Api, one: File, **headers: str) -> Any:
    return web.attach(one.body, ASKING, kind=one.media_type, **headers)


def submit(web: Api, *files: File) -> Any:
    """Hand in an application that names these files, and nothing else."""
    headers = {"content-type": "application/xml"}
    body = serialize(naming(web.rt.clock(), *files))
    return web.call("POST", "/api/v1/messages", ASKING, content=body, headers=headers, params={"dialect": "canonical"})


async def arrived(web: Api, gateway: Gateway, *files: File) -> tuple[int, int]:
    """Return the case of both sides after an application came with its files."""
    for one in files:
        assert attach(web, one).status_code == 201
    answer = submit(web, *files)
    assert answer.status_code == 201, answer.text
    await exchange(gateway)
    (case,) = web.get("/api/v1/cases", ASKED).json()["cases"]
    return answer.json()["case_id"], case["id"]


def path_of(case: int, one: File, purpose: str = "case-work") -> str:
    return f"/api/v1/cases/{case}/attachments/{one.sha256}?purpose={purpose}"


async def test_file_is_known_by_its_digest(web: Api, gateway: Gateway) -> None:
    scan = file()
    answer = attach(web, scan, **{"attachment-sha256": scan.sha256})
    assert answer.status_code == 201
    (row,) = kept(gateway)
    assert answer.json() == {"id": row.id, "sha256": scan.sha256, "size": len(scan.body), "media_type": PDF}
    (entry,) = journalled(gateway.rt.engine, "attachment.handed_in")
    assert (entry["authority"], entry["digest"], entry["detail"]) == (
        ASKING,
        scan.sha256,
        {"size": len(scan.body), "type": PDF},
    )


async def test_file_comes_out_on_the_other_side_as_it_went_in(web: Api, gateway: Gateway) -> None:
    scan, photograph = file(), file(JPEG, 1000)
    theirs, ours = await arrived(web, gateway, scan, photograph)
    for case, authority in ((theirs, ASKING), (ours, ASKED)):
        for one in (scan, photograph):
            answer = web.get(path_of(case, one), authority)
            assert answer.status_code == 200
            assert answer.content == one.body
            assert answer.headers["content-type"] == one.media_type
            assert answer.headers["content-length"] == str(len(one.body))
            assert answer.headers["content-disposition"].startswith('attachment; filename="')
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "no-store"


async def test_case_tells_of_its_attachments(web: Api, gateway: Gateway) -> None:
    scan = file()
    theirs, ours = await arrived(web, gateway, scan)
    for case, authority, direction in ((theirs, ASKING, "out"), (ours, ASKED, "in")):
        found = web.get(f"/api/v1/cases/{case}", authority).json()
        assert found["attachments"] == [
            {
                "kind": "document-scan",
                "media_type": PDF,
                "size": len(scan.body),
                "sha256": scan.sha256,
                "direction": direction,
                "message_id": found["messages"][0]["message_id"],
            }
        ]


async def test_every_reading_names_its_purpose(web: Api, gateway: Gateway) -> None:
    scan = file(size=100)
    _, case = await arrived(web, gateway, scan)
    for purpose in PURPOSES:
        assert web.get(path_of(case, scan, purpose), ASKED).status_code == 200
    assert [row["detail"]["purpose"] for row in journalled(gateway.rt.engine, "attachment.read")] == list(PURPOSES)
    for path in (path_of(case, scan, "curiosity"), path_of(case, scan).partition("?")[0]):
        is_problem(web.get(path, ASKED), 422, "bad-value")
    assert len(journalled(gateway.rt.engine, "attachment.read")) == len(PURPOSES)


def test_api_and_pages_know_the_same_purposes() -> None:
    assert get_args(Purpose) == tuple(PURPOSES)


async def test_file_of_another_authority_is_not_there_as_an_unknown_one(web: Api, gateway: Gateway) -> None:
    scan = file(size=100)
    _, case = await arrived(web, gateway, scan)
    answers = [web.get(path_of(number, scan), "PK-MOI") for number in (case, 999_999, 2**63, 10**30)]
    assert len({answer.text for answer in answers}) == 1
    is_problem(answers[0], 404, "not-found")
    is_problem(web.get(path_of(case, file(size=200)), ASKED), 404, "not-found")


async def test_key_that_may_not_read_messages_reads_no_files(web: Api, gateway: Gateway) -> None:
    scan = file(size=100)
    _, case = await arrived(web, gateway, scan)
    others = tuple(scope for scope in SCOPES if scope != "inbox")
    is_problem(web.call("GET", path_of(case, scan), ASKED, scopes=others), 403, "not-permitted")


async def test_message_is_refused_until_its_file_is_there(web: Api, gateway: Gateway) -> None:
    scan = file(size=100)
    found = is_problem(submit(web, scan), 422, "attachment-missing")
    assert found["path"] == "Attachment[1]/Sha256"
    assert scan.sha256 in found["detail"]
    attach(web, scan)
    assert submit(web, scan).status_code == 201


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [
        ("application/zip", b"PK\x03\x04", 422, "attachment-type"),
        ("", b"%PDF-1.4\n", 422, "attachment-type"),
        (PDF, b"PK\x03\x04", 422, "attachment-type"),
        (PDF, b"MZ\x90", 422, "attachment-type"),
        (PDF, b"\xff\xd8\xff" + b"x" * 30, 422, "attachment-mismatch"),
        (JPEG, b"\xff\xd8\xff PK\x05\x06" + bytes(18), 422, "attachment-type"),
        (PDF, b"", 422, "empty-document"),
    ],
)
async def test_file_that_is_not_taken_leaves_nothing(web: Api, gateway: Gateway, kind: str, body: bytes, status, code) -> None:
    headers = {"content-type": kind}
    is_problem(web.call("POST", "/api/v1/attachments", ASKING, content=body, headers=headers), status, code)
    assert kept(gateway) == []
    assert stored_parts(gateway) == 0


async def test_declared_digest_must_be_that_of_the_file(web: Api, gateway: Gateway) -> None:
    scan = file(size=100)
    is_problem(attach(web, scan, **{"attachment-sha256": "0" * 64}), 422, "attachment-mismatch")
    is_problem(attach(web, scan, **{"attachment-sha256": "0"}), 422, "bad-value")
    assert kept(gateway) == []


async def test_file_is_refused_as_soon_as_it_is_too_large(web: Api, gateway: Gateway) -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        yield file(size=PART_BYTES).body
        while read < 3 * MAX_ATTACHMENT_BYTES:
            read += PART_BYTES
            yield bytes(PART_BYTES)

    answer = web.call("POST", "/api/v1/attachments", ASKING, content=endless(), headers={"content-type": PDF})
    is_problem(answer, 413, "too-large")
    assert kept(gateway) == []


async def test_caller_who_hangs_up_leaves_nothing(web: Api, gateway: Gateway) -> None:
    key = web.key(ASKING)
    scan = file()

    async def pieces() -> AsyncIterator[dict[str, Any]]:
        yield {"type": "http.request", "body": scan.body[: PART_BYTES + 10], "more_body": True}
        yield {"type": "http.disconnect"}

    stream = pieces()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": "/api/v1/attachments",
        "raw_path": b"/api/v1/attachments",
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {key}".encode()), (b"content-type", PDF.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("gateway.test", 443),
    }
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await web.app(scope, lambda: anext(stream), send)
    assert sent[0]["status"] == 400
    assert kept(gateway) == []
    assert stored_parts(gateway) == 0


async def test_digest_of_what_is_given_out_is_that_of_the_manifest(web: Api, gateway: Gateway) -> None:
    scan = file(size=3 * PART_BYTES)
    _, case = await arrived(web, gateway, scan)
    digest = sha256()
    with web.client.stream("GET", path_of(case, scan), headers={"authorization": f"Bearer {web.key(ASKED)}"}) as answer:
        for piece in answer.iter_bytes():
            digest.update(piece)
    assert digest.hexdigest() == scan.sha256
