"""The REST API as a national system calls it: hand in, inbox, cases, deadlines, queues, health."""

import json
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from gateway.cli.scene import new_document
from gateway.errors import BrokerUnavailable, DatabaseUnavailable, KeyMissing, catalogue
from gateway.flow.ports import Runtime
from gateway.flow.setting_aside import set_aside
from gateway.stages import MAX_MESSAGE_BYTES
from gateway.store import accounts, idempotency, journal
from gateway.store import tables as t
from gateway.store.database import downgrade, open_engine, reading, transaction
from gateway.transport.broker import BrokerTransport
from gateway.web import handed_in, submitting
from gateway.web.api import ROUTERS
from gateway.web.app import create_app
from gateway.wire.documents import parse_xml
from gateway.wire.media import media_type_of
from gateway.wiring.pages import web_runtime
from tests.forging import journalled
from tests.gateways import Gateway, example, exchange, files_of

pytestmark = pytest.mark.anyio

SCOPES = ("submit", "inbox", "cases", "queues")
APPLICATION = "ReadmissionApplication-own-national"  # BA-MS to PK-MOI: held until two officers acted
ACCELERATED = "ReadmissionApplication-third-country-entry"  # AT-BMI to RS-MUP: leaves at once
PROBLEM = "application/problem+json"
NOBODY = 999_999


class Api:
    """One gateway behind HTTP, and a key for each system that calls it."""

    def __init__(self, rt: Runtime) -> None:
        self.rt = rt
        self.app = create_app(web_runtime(rt), routers=ROUTERS)
        self.app.state.gateway = rt
        self.client = TestClient(self.app, base_url="https://gateway.test", raise_server_exceptions=False)
        self._keys: dict[tuple[str, ...], str] = {}

    def key(self, authority: str, scopes: Sequence[str] = SCOPES, *, hours: float = 24) -> str:
        name = (authority, *scopes, str(hours))
        if name not in self._keys:
            now = self.rt.clock()
            with transaction(self.rt.engine) as tx:
                self._keys[name] = accounts.add_api_key(
                    tx, authority=authority, scopes=scopes, at=now, ends_at=now + timedelta(hours=hours)
                )
        return self._keys[name]

    def call(self, method: str, path: str, authority: str, *, scopes: Sequence[str] = SCOPES, **more: Any):
        headers = {"authorization": f"Bearer {self.key(authority, scopes)}"} | more.pop("headers", {})
        return self.client.request(method, path, headers=headers, **more)

    def get(self, path: str, authority: str, **more: Any):
        return self.call("GET", path, authority, **more)

    def hand_in(self, body: bytes, authority: str, *, kind: str = "application/xml", once: str | None = None, **query: str):
        for file in files_of(body, self.rt, query.get("dialect", self.rt.partners.authority(authority).dialect)):
            answer = self.attach(file, authority)
            assert answer.status_code == 201, answer.text
        headers = {"content-type": kind} | ({"idempotency-key": once} if once is not None else {})
        return self.call("POST", "/api/v1/messages", authority, content=body, headers=headers, params=query)

    def attach(self, file: bytes, authority: str, *, kind: str | None = None, **headers: str):
        headers |= {"content-type": kind or media_type_of(file)}
        return self.call("POST", "/api/v1/attachments", authority, content=file, headers=headers)

    def canonical(self, name: str, authority: str, **more: Any):
        return self.hand_in(example(name), authority, dialect="canonical", **more)


@pytest.fixture
def web(gateway: Gateway) -> Api:
    return Api(gateway.rt)


async def arrived(web: Api, gateway: Gateway) -> dict[str, Any]:
    """An accelerated application of Austria lies in Serbia's inbox; return the answer to the submission."""
    answer = web.canonical(ACCELERATED, "AT-BMI")
    assert answer.status_code == 201, answer.text
    await exchange(gateway)
    found: dict[str, Any] = answer.json()
    return found


def events(rt: Runtime) -> list[str]:
    """Return what the journal says, but for the sign-in of the key."""
    return [row["event"] for row in journalled(rt.engine) if row["event"] != "api-key.used"]


def is_problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The answer is a problem document with a stable code, and nothing but its own status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    found: dict[str, Any] = answer.json()
    assert found["code"] == code
    assert found["status"] == status
    assert found["detail"]
    assert found["title"]
    return found


# --- hand in ----------------------------------------------------------------------------------------------------------


async def test_application_in_the_authoritys_own_dialect_leaves(web: Api, gateway: Gateway) -> None:
    answer = web.hand_in(new_document(gateway.rt, "at/bmi-json", "accelerated.json"), "AT-BMI", kind="application/json")
    assert answer.status_code == 201
    assert answer.json().keys() == {"outcome", "message_id", "case", "case_id", "sha256", "warnings"}
    assert answer.json()["outcome"] == "sent"


async def test_personal_number_that_does_not_check_out_is_taken_with_a_warning(web: Api) -> None:
    body = example(APPLICATION).replace(b"3420112345671</Value>", b"9420112345671</Value>", 1)
    for _ in range(2):  # a repeat is answered like the first time
        answer = web.hand_in(body, "BA-MS", dialect="canonical")
        assert answer.status_code == 202
        (warning,) = answer.json()["warnings"]
        assert warning["code"] == "check-digit"
        assert "9420112345671" not in answer.text


async def test_own_dialect_may_be_named(web: Api, gateway: Gateway) -> None:
    body = new_document(gateway.rt, "rs/mup-xml", "own-national.xml")
    assert web.hand_in(body, "RS-MUP", dialect="rs/mup-xml").status_code in {201, 202}


async def test_canonical_xml_leaves(web: Api) -> None:
    assert web.canonical(ACCELERATED, "AT-BMI").json()["outcome"] == "sent"


async def test_canonical_json_leaves(web: Api, gateway: Gateway) -> None:
    document = gateway.rt.schemas.to_json(parse_xml(example(ACCELERATED)))
    body = json.dumps(document, ensure_ascii=False).encode()
    answer = web.hand_in(body, "AT-BMI", kind="application/json; charset=utf-8", dialect="canonical")
    assert answer.status_code == 201, answer.text


async def test_message_that_a_safeguard_holds_is_accepted_with_its_reason(web: Api) -> None:
    answer = web.canonical(APPLICATION, "BA-MS")
    assert answer.status_code == 202
    found = answer.json()
    assert (found["outcome"], found["reason"]) == ("held", "statement-missing")
    assert found["advice"]
    assert web.get(f"/api/v1/cases/{found['case_id']}", "BA-MS").json()["state"] == "held"


async def test_refusal_names_code_path_line_with_a_sentence(web: Api) -> None:
    body = example(ACCELERATED).replace(b"<Sex>male</Sex>", b"<Sex>M</Sex>", 1)
    found = is_problem(web.hand_in(body, "AT-BMI", dialect="canonical"), 422, "schema-violation")
    assert found["path"] == "/ReadmissionApplication/Person/Sex"
    assert found["line"] == body[: body.index(b"<Sex>M<")].count(b"\n") + 1
    assert found["detail"].endswith(".")


async def test_refusal_in_a_dialect_names_its_own_path(web: Api, gateway: Gateway) -> None:
    document = json.loads(new_document(gateway.rt, "at/bmi-json", "accelerated.json"))
    body = json.dumps(document | {"unbekannt": "SPECIMEN"}).encode()
    found = is_problem(web.hand_in(body, "AT-BMI", kind="application/json"), 422, "schema-violation")
    assert "SPECIMEN" not in json.dumps(found)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty-document"),
        (b"<a>", "malformed-xml"),
        (b"<!DOCTYPE a><a/>", "doctype-forbidden"),
        (b"<a><!-- x --></a>", "markup-forbidden"),
        (b"\x00\x01", "not-text"),
        (b"\xff\xfe<\x00", "wrong-encoding"),
        (b"<other/>", "unknown-message-type"),
    ],
)
async def test_broken_document_is_refused_with_its_code(web: Api, body: bytes, code: str) -> None:
    is_problem(web.hand_in(body, "AT-BMI", dialect="canonical"), 422, code)
    assert events(web.rt) == ["message.refused"]


@pytest.mark.parametrize(
    ("body", "code"),
    [(b"{", "malformed-json"), (b"", "empty-document"), (b"{}", "unknown-message-type"), (b"[]", "unknown-message-type")],
)
async def test_broken_canonical_json_is_refused_with_its_code(web: Api, body: bytes, code: str) -> None:
    is_problem(web.hand_in(body, "AT-BMI", kind="application/json", dialect="canonical"), 422, code)
    assert events(web.rt) == ["message.refused"]


async def test_document_over_the_limit_is_refused_without_being_read_to_its_end(web: Api) -> None:
    for query in ({"dialect": "canonical"}, {}):
        is_problem(web.hand_in(b"<" * (3 * MAX_MESSAGE_BYTES), "AT-BMI", **query), 413, "too-large")


async def test_no_more_than_one_byte_over_the_limit_is_kept_of_a_stream() -> None:
    class Endless:
        async def stream(self):
            while True:
                yield b"x" * 65_536

    kept = await submitting._body(Endless())  # type: ignore[arg-type]
    assert MAX_MESSAGE_BYTES < len(kept) <= MAX_MESSAGE_BYTES + 65_536


async def test_document_that_is_not_small_is_taken_too(web: Api, gateway: Gateway) -> None:
    body = new_document(gateway.rt, "at/bmi-json", "accelerated.json") + b" " * submitting.SMALL_BYTES
    answers = [web.hand_in(body, "AT-BMI", kind="application/json", once="large") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert len({answer.json()["message_id"] for answer in answers}) == 1


@pytest.mark.parametrize("length", [[], [(b"content-length", b"65537")], [(b"content-length", b"9" * 5000)]])
async def test_nobody_without_a_key_sends_more_than_a_little(web: Api, length: list[tuple[bytes, bytes]]) -> None:
    """What is long, or does not say how long it is, is not read before its key is known."""
    said: list[Any] = []

    async def read() -> Any:
        raise AssertionError("the body was read")

    async def tell(message: Any) -> None:
        said.append(message)

    scope = {"type": "http", "method": "POST", "path": "/api/v1/messages", "query_string": b"", "headers": length}
    await web.app(scope | {"http_version": "1.1", "scheme": "https", "root_path": ""}, read, tell)
    assert said[0]["status"] == 401


async def test_dialect_of_another_authority_is_not_permitted(web: Api) -> None:
    is_problem(web.hand_in(b"{}", "AT-BMI", dialect="pk/moi-json"), 403, "not-permitted")
    is_problem(web.hand_in(b"{}", "AT-BMI", dialect="no/such"), 403, "not-permitted")


async def test_sender_other_than_the_keys_authority_is_refused(web: Api) -> None:
    is_problem(web.canonical(ACCELERATED, "BA-MS"), 422, "signer-mismatch")


async def test_key_of_an_authority_that_is_not_home_shows_no_detail(web: Api, two_gateways) -> None:
    west = Api(two_gateways[0].rt)
    found = is_problem(west.canonical(ACCELERATED, "RS-MUP"), 500, "not-home")
    assert "RS-MUP" not in found["detail"]


async def test_fault_of_this_installation_is_no_refusal(web: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handed_in, "submit", lambda *_: [KeyMissing("no key of AT-BMI in /secret/place")])
    found = is_problem(web.canonical(ACCELERATED, "AT-BMI"), 500, "key-missing")
    assert "/secret/place" not in json.dumps(found)


def dies_after(submit: Any, error: Exception) -> Any:
    """Return `submit` that ends by an error once it has committed."""

    def failing(*words: Any) -> None:
        submit(*words)
        raise error

    return failing


# --- once only --------------------------------------------------------------------------------------------------------


async def test_repeat_with_the_same_key_gets_the_first_answer(web: Api, gateway: Gateway) -> None:
    body = new_document(gateway.rt, "at/bmi-json", "accelerated.json")  # without an id: twice would make two cases
    answers = [web.hand_in(body, "AT-BMI", kind="application/json", once="a-1") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert len({answer.text for answer in answers}) == 1
    assert [answer.headers.get("idempotency-replayed") for answer in answers] == [None, "true", "true"]
    assert len(web.get("/api/v1/cases", "AT-BMI").json()["cases"]) == 1


async def test_without_a_key_the_same_document_twice_makes_two_cases(web: Api, gateway: Gateway) -> None:
    body = new_document(gateway.rt, "at/bmi-json", "accelerated.json")
    for _ in range(2):
        web.hand_in(body, "AT-BMI", kind="application/json")
    assert len(web.get("/api/v1/cases", "AT-BMI").json()["cases"]) == 2


async def test_refusal_is_repeated_too(web: Api) -> None:
    first, again = (web.hand_in(b"<a>", "AT-BMI", dialect="canonical", once="b") for _ in range(2))
    assert is_problem(first, 422, "malformed-xml") == is_problem(again, 422, "malformed-xml")
    assert again.headers["idempotency-replayed"] == "true"


async def test_key_of_another_request_is_refused(web: Api) -> None:
    web.canonical(ACCELERATED, "AT-BMI", once="c")
    is_problem(web.hand_in(b"<other/>", "AT-BMI", dialect="canonical", once="c"), 422, "refused")


async def test_same_bytes_in_another_dialect_are_another_request(web: Api) -> None:
    web.hand_in(b"{}", "AT-BMI", kind="application/json", once="c")
    is_problem(web.hand_in(b"{}", "AT-BMI", kind="application/json", once="c", dialect="canonical"), 422, "refused")


async def test_keys_of_two_authorities_do_not_meet(web: Api) -> None:
    web.canonical(ACCELERATED, "AT-BMI", once="d")
    assert web.canonical(APPLICATION, "BA-MS", once="d").status_code == 202


async def test_request_in_progress_is_told_apart(web: Api, clock) -> None:
    body = example(ACCELERATED)
    with transaction(web.rt.engine) as tx:
        digest = handed_in.sha256_of("canonical", body)
        assert idempotency.claim(tx, "AT-BMI", "e", digest, clock()) is None
    is_problem(web.canonical(ACCELERATED, "AT-BMI", once="e"), 409, "refused")
    clock.move(minutes=11)  # the process that claimed it is dead
    assert web.canonical(ACCELERATED, "AT-BMI", once="e").status_code == 201


async def test_process_that_dies_after_its_commit_has_left_the_answer(
    web: Api, gateway: Gateway, clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happens after the commit does not happen: the repeat is answered, and there is one case."""
    body = new_document(gateway.rt, "at/bmi-json", "accelerated.json")
    with monkeypatch.context() as patched:
        patched.setattr(handed_in, "submit", dies_after(handed_in.submit, RuntimeError("killed")))
        patched.setattr(idempotency, "give_up", lambda *_, **__: None)  # nothing of this process runs any more
        assert web.hand_in(body, "AT-BMI", kind="application/json", once="g").status_code == 500
    clock.move(hours=1)  # long after the claim was anybody's
    answer = web.hand_in(body, "AT-BMI", kind="application/json", once="g")
    assert (answer.status_code, answer.headers["idempotency-replayed"]) == (201, "true")
    (case,) = web.get("/api/v1/cases", "AT-BMI").json()["cases"]
    assert case["reference"] == answer.json()["case"]


async def test_commit_of_which_nobody_heard_is_found_by_the_repeat(
    web: Api, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection to the database broke when the commit had arrived: the key is not free again."""
    body = new_document(gateway.rt, "at/bmi-json", "accelerated.json")
    with monkeypatch.context() as patched:
        patched.setattr(handed_in, "submit", dies_after(handed_in.submit, DatabaseUnavailable("cut")))
        is_problem(web.hand_in(body, "AT-BMI", kind="application/json", once="h"), 503, "database-unavailable")
    answer = web.hand_in(body, "AT-BMI", kind="application/json", once="h")
    assert (answer.status_code, answer.headers["idempotency-replayed"]) == (201, "true")
    assert len(web.get("/api/v1/cases", "AT-BMI").json()["cases"]) == 1


async def test_request_that_hung_until_its_key_was_taken_over_saves_nothing(
    web: Api, gateway: Gateway, clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = new_document(gateway.rt, "at/bmi-json", "accelerated.json")
    submit, second = handed_in.submit, []

    def hangs(*words: Any) -> Any:
        if not second:
            second.append(True)
            clock.move(minutes=11)
            other = Api(replace(web.rt))  # another process
            assert other.hand_in(body, "AT-BMI", kind="application/json", once="i").status_code == 201
        return submit(*words)

    monkeypatch.setattr(handed_in, "submit", hangs)
    is_problem(web.hand_in(body, "AT-BMI", kind="application/json", once="i"), 503, "store-conflict")
    assert len(web.get("/api/v1/cases", "AT-BMI").json()["cases"]) == 1


async def test_requests_that_come_at_once_are_taken_as_one_batch(web: Api, gateway: Gateway, monkeypatch) -> None:
    body = new_document(gateway.rt, "at/bmi-json", "accelerated.json")
    first_works, go_on, sizes = Event(), Event(), []
    submit = handed_in.submit

    def watched(batch: Any, *words: Any) -> Any:
        sizes.append(len(batch))
        first_works.set()
        assert go_on.wait(30)
        return submit(batch, *words)

    monkeypatch.setattr(handed_in, "submit", watched)
    with ThreadPoolExecutor(6) as threads:
        answers = [threads.submit(web.hand_in, body, "AT-BMI", kind="application/json", once="0")]
        assert first_works.wait(30)
        answers += [threads.submit(web.hand_in, body, "AT-BMI", kind="application/json", once=f"{n}") for n in range(1, 6)]
        while len(web.app.state.gathering._waiting) < 5:  # all five wait behind the first
            Event().wait(0.01)
        go_on.set()
        told = [answer.result(30) for answer in answers]
    assert ([each.status_code for each in told], sizes) == ([201] * 6, [1, 5])
    assert len({each.json()["message_id"] for each in told}) == 6
    again = [web.hand_in(body, "AT-BMI", kind="application/json", once=f"{n}") for n in range(6)]
    assert [each.json()["message_id"] for each in again] == [each.json()["message_id"] for each in told]


@pytest.mark.parametrize(
    ("error", "status"), [(DatabaseUnavailable("away"), 503), (KeyMissing("none"), 500), (RuntimeError("SPECIMEN"), 500)]
)
async def test_key_is_free_again_after_a_fault_of_ours(
    web: Api, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(*_: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(handed_in, "submit", fail)
        answer = web.canonical(ACCELERATED, "AT-BMI", once="f")
    assert answer.status_code == status
    assert "SPECIMEN" not in answer.text
    assert web.canonical(ACCELERATED, "AT-BMI", once="f").status_code == 201


async def test_key_longer_than_eighty_signs_is_refused(web: Api) -> None:
    is_problem(web.canonical(ACCELERATED, "AT-BMI", once="x" * 81), 422, "bad-value")
    assert web.canonical(ACCELERATED, "AT-BMI", once="x" * 80).status_code == 201


# --- inbox ------------------------------------------------------------------------------------------------------------


async def test_inbox_lists_what_waits_for_the_authority(web: Api, gateway: Gateway) -> None:
    sent = await arrived(web, gateway)
    (line,) = web.get("/api/v1/inbox", "RS-MUP").json()["messages"]
    assert (line["message_id"], line["sender"], line["type"]) == (sent["message_id"], "AT-BMI", "ReadmissionApplication")
    assert (line["case"], line["dialect"]) == (sent["case"], "rs/mup-xml")
    assert web.get("/api/v1/inbox", "BA-MS").json() == {"messages": []}


async def test_reading_gives_the_message_in_the_authoritys_own_dialect(web: Api, gateway: Gateway) -> None:
    sent = await arrived(web, gateway)
    (line,) = web.get("/api/v1/inbox", "RS-MUP").json()["messages"]
    answer = web.get(f"/api/v1/inbox/{line['id']}", "RS-MUP")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/xml")
    assert answer.headers["message-id"] == sent["message_id"]
    assert answer.headers["message-type"] == "ReadmissionApplication"
    assert answer.headers["cache-control"] == "no-store"
    assert web.rt.translators["rs/mup-xml"].to_canonical(answer.content).type == "ReadmissionApplication"


async def test_reading_is_journalled_with_the_key(web: Api, gateway: Gateway) -> None:
    await arrived(web, gateway)
    (line,) = web.get("/api/v1/inbox", "RS-MUP").json()["messages"]
    web.get(f"/api/v1/inbox/{line['id']}", "RS-MUP")
    with reading(web.rt.engine) as tx:
        (entry,) = [entry for entry in journal.of_case(tx, line["case_id"]) if entry.event == "message.read"]
    assert entry.actor == "key:" + web.key("RS-MUP").partition(".")[0]


async def test_acknowledged_message_waits_no_more(web: Api, gateway: Gateway) -> None:
    await arrived(web, gateway)
    (line,) = web.get("/api/v1/inbox", "RS-MUP").json()["messages"]
    answer = web.call("POST", f"/api/v1/inbox/{line['id']}/ack", "RS-MUP")
    assert (answer.status_code, answer.content) == (204, b"")
    assert web.get("/api/v1/inbox", "RS-MUP").json() == {"messages": []}


async def test_acknowledging_twice_is_harmless(web: Api, gateway: Gateway) -> None:
    await arrived(web, gateway)
    (line,) = web.get("/api/v1/inbox", "RS-MUP").json()["messages"]
    for _ in range(2):
        assert web.call("POST", f"/api/v1/inbox/{line['id']}/ack", "RS-MUP").status_code == 204
    with reading(web.rt.engine) as tx:
        assert len(tx.execute(t.inbox.select().where(t.inbox.c.fetched_at.is_not(None))).all()) == 1


async def test_no_more_lines_than_asked_for(web: Api, gateway: Gateway) -> None:
    body = new_document(gateway.rt, "at/bmi-json", "accelerated.json")
    for _ in range(3):
        web.hand_in(body, "AT-BMI", kind="application/json")
    await exchange(gateway)
    for path, name, who in (("inbox", "messages", "RS-MUP"), ("cases", "cases", "AT-BMI")):
        assert [len(web.get(f"/api/v1/{path}", who, params={"most": most}).json()[name]) for most in (1, 2, 10**18)] == [
            1,
            2,
            3,
        ]


async def three_arrived(web: Api, gateway: Gateway) -> list[int]:
    for _ in range(3):
        web.hand_in(new_document(gateway.rt, "at/bmi-json", "accelerated.json"), "AT-BMI", kind="application/json")
    await exchange(gateway)
    return [line["id"] for line in web.get("/api/v1/inbox", "RS-MUP").json()["messages"]]


async def test_inbox_is_read_page_by_page(web: Api, gateway: Gateway) -> None:
    wanted = await three_arrived(web, gateway)
    answer = web.get("/api/v1/inbox", "RS-MUP", params={"most": 2})
    found = [line["id"] for line in answer.json()["messages"]]
    assert answer.headers["link"] == f'</api/v1/inbox?after={found[-1]}&most=2>; rel="next"'
    following = web.get(answer.headers["link"].partition(">")[0].removeprefix("<"), "RS-MUP")
    found += [line["id"] for line in following.json()["messages"]]
    assert found == wanted
    assert "link" not in following.headers
    assert web.get("/api/v1/inbox", "RS-MUP", params={"after": (1 << 63) - 1}).json() == {"messages": []}


@pytest.mark.parametrize("after", ["-1", "1.0", "x", "", str(1 << 63)])
async def test_place_in_the_inbox_that_is_no_plain_number_is_refused(web: Api, after: str) -> None:
    is_problem(web.get("/api/v1/inbox", "RS-MUP", params={"after": after}), 422, "bad-value")


async def test_inbox_that_did_not_change_is_not_sent_again(web: Api, gateway: Gateway) -> None:
    (first, *_) = await three_arrived(web, gateway)
    tag = {"if-none-match": web.get("/api/v1/inbox", "RS-MUP").headers["etag"]}
    same = web.get("/api/v1/inbox", "RS-MUP", headers=tag)
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag["if-none-match"])
    assert web.get("/api/v1/inbox", "RS-MUP", params={"most": 2}, headers=tag).status_code == 200
    web.call("POST", f"/api/v1/inbox/{first}/ack", "RS-MUP")
    assert web.get("/api/v1/inbox", "RS-MUP", headers=tag).status_code == 200


async def test_two_readers_of_one_inbox_lose_nothing(web: Api, gateway: Gateway) -> None:
    wanted = await three_arrived(web, gateway)
    seen: list[int] = []
    for _ in range(2):  # both look before either acknowledges
        seen += [line["id"] for line in web.get("/api/v1/inbox", "RS-MUP").json()["messages"]]
    answers = {web.call("POST", f"/api/v1/inbox/{each}/ack", "RS-MUP").status_code for each in seen[::-1]}
    assert answers == {204}
    assert sorted(set(seen)) == wanted
    assert [row["detail"]["again"] for row in journalled(web.rt.engine, "message.fetched")].count(False) == 3


# --- cases, deadlines, queues -----------------------------------------------------------------------------------------


async def test_case_shows_messages_with_receipts_on_both_sides(web: Api, gateway: Gateway) -> None:
    sent = await arrived(web, gateway)
    mine = web.get(f"/api/v1/cases/{sent['case_id']}", "AT-BMI").json()
    assert (mine["counterparty"], mine["role"], mine["treaty"], mine["procedure"]) == (
        "RS-MUP",
        "requesting",
        "eu-rs",
        "accelerated",
    )
    (message,) = mine["messages"]
    assert (message["direction"], message["outcome"], message["sha256"]) == ("out", "received", sent["sha256"])
    assert message["receipt"]
    (theirs,) = web.get("/api/v1/cases", "RS-MUP").json()["cases"]
    assert (theirs["reference"], theirs["role"]) == (mine["reference"], "requested")


async def test_deadlines_are_explained_with_what_is_due_next_first(web: Api, gateway: Gateway) -> None:
    sent = await arrived(web, gateway)
    found = web.get("/api/v1/deadlines", "RS-MUP").json()["deadlines"]
    (reply,) = [row for row in found if row["limit"] == "reply"]
    assert reply["case"] == sent["case"]
    assert (reply["treaty"], reply["known"], reply["confidence"]) == ("eu-rs", True, "verified")
    assert reply["literal"]["due_on"]
    assert reply["explain"]
    due = [row["literal"]["until"] for row in found if row["known"]]
    assert due == sorted(due)
    assert web.get("/api/v1/deadlines", "PK-MOI").json() == {"deadlines": []}


async def test_deadlines_of_a_case_are_the_same(web: Api, gateway: Gateway) -> None:
    sent = await arrived(web, gateway)
    alone = web.get(f"/api/v1/cases/{sent['case_id']}", "AT-BMI").json()["deadlines"]
    listed = web.get("/api/v1/deadlines", "AT-BMI").json()["deadlines"]
    assert alone == [{name: value for name, value in row.items() if name != "case"} for row in listed]


async def test_queues_show_what_is_leaving(web: Api) -> None:
    web.canonical(ACCELERATED, "AT-BMI")
    (line,) = web.get("/api/v1/queues", "AT-BMI").json()["outbox"]
    assert (line["recipient"], line["waiting"], line["parked"], line["codes"]) == ("RS-MUP", 1, 0, [])
    assert line["oldest"]
    assert (line["line"], line["failures"], line["next_at"], line["for_paper"]) == ("open", 0, None, 0)
    assert (line["sent_per_second"], line["sent_per_day"], line["sent_today"], line["nearest_deadline"]) == (None,) * 4
    assert web.get("/api/v1/queues", "BA-MS").json() == {"outbox": [], "parked": []}


async def test_queues_show_what_is_parked_by_its_cause_to_its_own_authority(web: Api, gateway: Gateway) -> None:
    web.canonical(ACCELERATED, "AT-BMI")
    await gateway.deliver()
    (delivery,) = await gateway.rt.transport.take(50, 0.0)
    set_aside(delivery, ValueError("a defect"), gateway.rt)
    (line,) = web.get("/api/v1/queues", "RS-MUP").json()["parked"]
    assert (line["code"], line["partner"], line["rule"], line["count"]) == ("internal-error", "AT-BMI", "ValueError", 1)
    assert (line["direction"], line["owners"]) == ("in", ["operations"])
    assert web.get("/api/v1/queues", "AT-BMI").json()["parked"] == []


async def test_no_answer_but_the_message_itself_holds_the_person(web: Api, gateway: Gateway) -> None:
    body = example(APPLICATION)
    words = set(re.findall(rb">([^<>]{6,})<", body[body.index(b"<Person>") : body.index(b"<Attachment>")]))
    persons = {word.decode() for word in words} - {"national", "married", "passport", "partial", "estimated", "Kharian"}
    assert len(persons) > 10
    held = web.hand_in(body, "BA-MS", dialect="canonical")
    gateway.release(held.json()["case_id"])
    waiting = web.get("/api/v1/queues", "BA-MS").text
    await exchange(gateway)
    (line,) = web.get("/api/v1/inbox", "PK-MOI").json()["messages"]
    told = [held.text, waiting]
    for who in ("BA-MS", "PK-MOI"):
        told += [web.get(f"/api/v1/{path}", who).text for path in ("inbox", "cases", "deadlines", "queues")]
        told += [web.get(f"/api/v1/cases/{case['id']}", who).text for case in web.get("/api/v1/cases", who).json()["cases"]]
    assert sum(len(text) for text in told) > 2_000
    assert {word for word in persons for text in told if word in text} == set()
    assert "KHAN" in web.get(f"/api/v1/inbox/{line['id']}", "PK-MOI").text


# --- who may ----------------------------------------------------------------------------------------------------------


def routes(prefix: str = "/api/v1") -> list[tuple[str, str]]:
    """Every method and path below a prefix, as the application answers them."""
    return [
        (method, route.path)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and route.path.startswith(prefix)
        for method in sorted(route.methods)
    ]


SCOPE_OF = {
    "messages": "submit",
    "attachments": "submit",
    "inbox": "inbox",
    "cases": "cases",
    "deadlines": "cases",
    "queues": "queues",
}


def test_these_are_all_routes() -> None:
    assert sorted(routes()) == [
        ("GET", "/api/v1/cases"),
        ("GET", "/api/v1/cases/{case_id}"),
        ("GET", "/api/v1/cases/{case_id}/attachments/{sha256}"),
        ("GET", "/api/v1/deadlines"),
        ("GET", "/api/v1/inbox"),
        ("GET", "/api/v1/inbox/{inbox_id}"),
        ("GET", "/api/v1/queues"),
        ("POST", "/api/v1/attachments"),
        ("POST", "/api/v1/inbox/{inbox_id}/ack"),
        ("POST", "/api/v1/messages"),
    ]


def filled(path: str, number: int = 1) -> str:
    return re.sub(r"\{[^}]+\}", str(number), path)


@pytest.mark.parametrize(("method", "path"), routes())
async def test_no_wrong_or_ended_key_reads_the_same(web: Api, clock, method: str, path: str) -> None:
    short = web.key("AT-BMI", hours=1)
    clock.move(hours=1)
    prefix = web.key("AT-BMI").partition(".")[0]
    offered = (
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer x.y",
        f"Bearer {prefix}.wrong",
        f"Bearer {prefix}",
        f"Bearer {short}",
        f"Basic {web.key('AT-BMI')}",
        web.key("AT-BMI"),
    )
    answers = [
        web.client.request(method, filled(path), headers={} if given is None else {"authorization": given}) for given in offered
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert is_problem(answers[0], 401, "not-signed-in")
    assert answers[0].headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), routes())
async def test_key_without_the_scope_is_not_permitted(web: Api, method: str, path: str) -> None:
    needed = SCOPE_OF["inbox" if "{sha256}" in path else path.split("/")[3]]
    others = tuple(scope for scope in SCOPES if scope != needed)
    found = is_problem(web.call(method, filled(path), "AT-BMI", scopes=others), 403, "not-permitted")
    assert needed in found["detail"]


@pytest.mark.parametrize(("method", "path"), [route for route in routes() if "{" in route[1] and "{sha256}" not in route[1]])
async def test_id_of_another_authority_is_not_there_as_an_unknown_one(
    web: Api, gateway: Gateway, method: str, path: str
) -> None:
    sent = await arrived(web, gateway)
    (line,) = web.get("/api/v1/inbox", "RS-MUP").json()["messages"]
    theirs = {"/api/v1/cases": sent["case_id"], "/api/v1/inbox": line["id"]}[path[: path.index("/{")]]
    answers = [web.call(method, filled(path, number), "PK-MOI") for number in (theirs, NOBODY, 2**63, 10**30)]
    assert len({answer.text for answer in answers}) == 1
    is_problem(answers[0], 404, "not-found")
    owner = "AT-BMI" if "cases" in path else "RS-MUP"
    assert web.call(method, filled(path, theirs), owner).status_code < 300


async def test_lists_show_nothing_of_another_authority(web: Api, gateway: Gateway) -> None:
    await arrived(web, gateway)
    for path in ("inbox", "cases", "deadlines", "queues"):
        assert not any(web.get(f"/api/v1/{path}", "PK-MOI").json().values())


async def test_use_of_a_key_is_noted_once_a_minute(web: Api, clock) -> None:
    def used() -> Any:
        with reading(web.rt.engine) as tx:
            return tx.execute(t.api_keys.select()).one().used_at

    web.key("AT-BMI")
    first = clock()
    assert used() is None
    seen = []
    for seconds in (0, 59, 1):
        clock.move(seconds=seconds)
        web.get("/api/v1/cases", "AT-BMI")
        seen.append(used())
    assert seen == [first, first, first + timedelta(seconds=60)]


async def test_use_of_a_key_is_journalled_once_in_each_hour_of_the_clock(web: Api, clock) -> None:
    for minutes in (0, 10, 34, 1, 59, 2):  # from 08:15: 08:15, 08:25, 08:59, 09:00, 09:59, 10:01
        clock.move(minutes=minutes)
        web.get("/api/v1/cases", "AT-BMI")
    found = journalled(web.rt.engine, "api-key.used")
    prefix = web.key("AT-BMI").partition(".")[0]
    assert {(row["actor"], row["authority"]) for row in found} == {(f"key:{prefix}", "AT-BMI")}
    assert [f"{row['at']:%H:%M}" for row in found] == ["08:15", "09:00", "10:01"]


async def test_requests_without_a_valid_key_are_journalled_once_a_minute_with_their_number(web: Api, clock) -> None:
    for seconds in (0, 1, 58, 1, 61):
        clock.move(seconds=seconds)
        for words in ("Bearer abc.def", "Bearer", "Basic abc", ""):
            assert web.client.get("/api/v1/cases", headers={"authorization": words}).status_code == 401
    found = journalled(web.rt.engine, "api-key.refused")
    assert [(row["actor"], row["detail"]["count"]) for row in found] == [("unknown", 1), ("unknown", 12), ("unknown", 4)]


async def test_reading_of_a_case_is_journalled_with_its_purpose(web: Api, gateway: Gateway) -> None:
    sent = await arrived(web, gateway)
    assert web.get(f"/api/v1/cases/{sent['case_id']}", "AT-BMI").status_code == 200
    assert web.get(f"/api/v1/cases/{sent['case_id']}", "RS-MUP").status_code == 404  # another authority's: nothing was read
    (read,) = journalled(web.rt.engine, "case.read")
    assert (read["authority"], read["case_id"], read["detail"]) == ("AT-BMI", sent["case_id"], {"purpose": "system"})
    assert read["actor"].startswith("key:")


# --- what the framework would take for something else -------------------------------------------------------------------


@pytest.mark.parametrize("number", ["1.0", "%201", "1_0", "+1", "-1", "0", "1e3", "0x1", "true", "\u0661", "NaN", "1" * 5000])
async def test_id_that_is_no_plain_number_is_refused(web: Api, gateway: Gateway, number: str) -> None:
    sent = await arrived(web, gateway)
    assert sent["case_id"] == 1
    for method, path in routes():
        if "{" in path:
            answer = web.call(method, re.sub(r"\{[^}]+\}", number, path), "AT-BMI")
            is_problem(answer, 422, "bad-value")
            assert number not in answer.json()["detail"] or len(number) == 1
    assert web.call("GET", "/api/v1/cases/1", "AT-BMI").status_code == 200


@pytest.mark.parametrize("most", ["0", "-1", "1.0", "true", "", " 5", "1_0", "all"])
async def test_limit_that_is_no_plain_number_is_refused(web: Api, most: str) -> None:
    for path in ("inbox", "cases"):
        is_problem(web.get(f"/api/v1/{path}", "AT-BMI", params={"most": most}), 422, "bad-value")


async def test_path_below_the_api_that_nobody_knows_is_a_problem_document(web: Api) -> None:
    for path in ("/api/v1/nothing", "/api/v1/inbox/1/2", "/api/v2/cases", "/api/"):
        is_problem(web.get(path, "AT-BMI"), 404, "not-found")


async def test_method_that_a_path_does_not_take_is_a_problem_document(web: Api) -> None:
    is_problem(web.call("DELETE", "/api/v1/cases", "AT-BMI"), 405, "refused")


async def test_no_documentation_page_asks_another_host(web: Api) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert web.client.get(path).status_code == 404


# --- health -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/startupz"])
async def test_healthy_gateway_says_so_without_a_key(web: Api, path: str) -> None:
    answer = web.client.get(path)
    assert (answer.status_code, answer.json()) == (200, {"state": "ok"})


@pytest.mark.parametrize("path", ["/readyz", "/startupz"])
async def test_database_without_its_migrations_is_not_ready(web: Api, path: str) -> None:
    downgrade(web.rt.engine)
    is_problem(web.client.get(path), 503, "database-not-ready")
    assert web.client.get("/livez").status_code == 200


async def test_database_that_does_not_answer_is_not_ready(web: Api) -> None:
    away = open_engine("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")
    web.app.state.gateway = replace(web.rt, engine=away)
    is_problem(web.client.get("/readyz"), 503, "database-unavailable")
    away.dispose()


async def test_gateway_that_should_receive_and_cannot_is_ready_but_degraded(web: Api) -> None:
    transport = BrokerTransport("amqp://nobody@127.0.0.1:1/none")
    web.app.state.gateway = replace(web.rt, transport=transport)
    assert web.client.get("/readyz").json() == {"state": "ok"}  # this process does not receive
    with pytest.raises(BrokerUnavailable):
        await transport.take(1, 0)
    answer = web.client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"state": "degraded"})


# --- anything at all --------------------------------------------------------------------------------------------------

OF_XML = (b"<", b">", b"</", b"&", b"&#0;", b"]]>", b"<!DOCTYPE a [", b"<!ENTITY", b"<?xml version='1.0'?>", b"<a xmlns='b'>")
OF_JSON = (b"{", b"}", b"[", b'"', b"\\ud800", b"NaN", b"1e999", b"null", b'{"ReadmissionApplication":')
SCRAPS = st.sampled_from([*OF_XML, *OF_JSON, b"\x00", b"\xff\xfe", b"\xef\xbb\xbf"])
ANYTHING = st.one_of(st.binary(max_size=200), st.lists(SCRAPS, max_size=12).map(b"".join))


@st.composite
def damaged(draw: st.DrawFn, body: bytes) -> bytes:
    """A message with a piece cut out, put in or turned over."""
    start = draw(st.integers(0, len(body)))
    end = draw(st.integers(start, min(len(body), start + 60)))
    return body[:start] + draw(ANYTHING) + body[end:]


async def test_no_body_makes_the_gateway_fail(web: Api, gateway: Gateway) -> None:
    schemas = gateway.rt.schemas
    whole = example(ACCELERATED)
    as_json = json.dumps(schemas.to_json(parse_xml(whole)), ensure_ascii=False).encode()
    own = new_document(gateway.rt, "at/bmi-json", "accelerated.json")
    ways = [
        ("application/xml", "canonical", st.one_of(ANYTHING, damaged(whole))),
        ("application/json", "canonical", st.one_of(ANYTHING, damaged(as_json), _values())),
        ("application/json", "at/bmi-json", st.one_of(ANYTHING, damaged(own), _values())),
    ]
    bodies = st.one_of([st.tuples(st.just(kind), st.just(dialect), body) for kind, dialect, body in ways])

    @settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(bodies)
    def attempt(given_: tuple[str, str, bytes]) -> None:
        kind, dialect, body = given_
        answer = web.hand_in(body, "AT-BMI", kind=kind, dialect=dialect)
        assert answer.status_code in {201, 202, 422}, (answer.status_code, body)
        if answer.status_code == 422:
            assert answer.json()["code"] in catalogue()

    attempt()


def _values() -> st.SearchStrategy[bytes]:
    """JSON of every shape, with the names that a message has."""
    names = st.sampled_from(
        ["ReadmissionApplication", "Header", "Person", "@schemaVersion", "@xmlns", "$", "xmlns:a", "art", ""]
    )
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6)
    shapes = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4))
    return shapes.map(lambda value: json.dumps(value).encode())
