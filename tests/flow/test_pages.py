"""Pages: who sees what, what a form does, and what is refused. One seeded database per test."""

# ruff: noqa: RUF001 - names in Cyrillic letters are what the pages must show

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import insert, select, update
from starlette.testclient import TestClient

from gateway.domain.partner_decisions import Kind, PartnerDecision, Scope
from gateway.domain.safeguards import Answers
from gateway.errors import AnswerMismatch, DatabaseUnavailable
from gateway.store import accounts, given_up, partner_decisions
from gateway.store import tables as t
from gateway.store.attachment_tables import attachments
from gateway.store.database import reading, transaction
from gateway.web import liaison, officer, operations, pages
from gateway.web.app import create_app
from gateway.web.liaison import REASONS
from gateway.web.runtime import Reason, Signatory
from tests.web_seed import (
    APPLICATION_DOCUMENT,
    AT_WAITING,
    BA_HELD,
    BA_MADE,
    BA_WAITING,
    NOW,
    PASSWORD,
    PK_AGREED,
    PK_OPEN,
    RS_ERASED,
    RS_OVERDUE,
    RS_SOON,
    Seed,
    copied,
    seed,
)

TOKEN = re.compile(r'name="form_token" value="([^"]+)"')


class Browser:
    """One person with a cookie jar."""

    def __init__(self, made: Seed) -> None:
        base = "https://gateway.test" if made.secure else "http://gateway.test"
        self.client = TestClient(create_app(made.runtime()), base_url=base, follow_redirects=False)

    def get(self, path: str):
        return self.client.get(path)

    def token(self, path: str) -> str:
        found = TOKEN.findall(self.get(path).text)
        assert found, f"{path} holds no form"
        return found[-1]

    def sign_in(self, name: str, password: str = PASSWORD, **more: str):
        data = {"form_token": self.token("/sign-in"), "name": name, "password": password, **more}
        return self.client.post("/sign-in", data=data)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Seed:
    template = seed(tmp_path_factory.mktemp("pages"))
    template.engine.dispose()
    return template


@pytest.fixture
def made(template: Seed, tmp_path: Path) -> Iterator[Seed]:
    made = copied(template, tmp_path)
    yield made
    made.engine.dispose()


def signed_in(made: Seed, name: str) -> Browser:
    """A browser with an open session; the sign-in page has tests of its own."""
    browser = Browser(made)
    with transaction(made.engine) as tx:
        account = accounts.find(tx, name)
        assert account is not None
        token, _ = accounts.open_session(tx, account, now=made.now)
    browser.client.cookies.set("session", token, domain="gateway.test", path="/")
    return browser


class Outline(HTMLParser):
    """What every page must have."""

    def __init__(self) -> None:
        super().__init__()
        self.language, self.headings, self.title, self._in_title = "", 0, "", False
        self.ids: list[str] = []
        self.anchors: list[str] = []
        self.labels: list[str] = []
        self.inputs: list[str] = []
        self.tables = self.captions = self.inline = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.language = given.get("lang") or self.language if tag == "html" else self.language
        self.headings += tag == "h1"
        self._in_title = tag == "title"
        self.tables += tag == "table"
        self.captions += tag == "caption"
        self.inline += tag in {"script", "style"} or "style" in given or any(name.startswith("on") for name in given)
        if given.get("id"):
            self.ids.append(given["id"] or "")
        if tag == "a" and (given.get("href") or "").startswith("#"):
            self.anchors.append((given["href"] or "")[1:])
        if tag == "label":
            self.labels.append(given.get("for") or "")
        if tag in {"input", "textarea", "select"} and given.get("type") not in {"hidden", "submit"}:
            self.inputs.append(given.get("id") or "")

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
            self._in_title = False


def check_page(text: str) -> Outline:
    found = Outline()
    found.feed(text)
    assert found.language == "en"
    assert found.headings == 1
    assert found.title.endswith("Readmission Gateway")
    assert found.tables == found.captions, "a table without a caption"
    assert found.inline == 0, "inline script or style, which our own policy forbids"
    assert len(found.ids) == len(set(found.ids)), "an id stands twice"
    assert set(found.anchors) <= set(found.ids), "a link leads nowhere on its page"
    assert set(found.inputs) <= set(found.labels), "a field without a label"
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', text), "a request to another host"
    return found


# --- who sees what ----------------------------------------------------------------------------------------------------

# page: owner and other members with what they get. Everybody not named and signed in gets 404 or 403 as given last.
PAGES = [
    ("/work", {"ba-officer": 200, "pk-liaison": 200, "ba-auditor": 200, "auditor": 200, "ops": 403}),
    ("/flow", {"ops": 200, "auditor": 200, "ba-auditor": 200, "ba-officer": 403, "pk-liaison": 403}),
    (f"/cases/{PK_OPEN}", {"pk-liaison": 200, "auditor": 200, "ba-officer": 404, "ba-auditor": 404, "ops": 404}),
    (f"/cases/{BA_WAITING}", {"ba-officer": 200, "ba-second": 200, "ba-auditor": 200, "pk-liaison": 404, "at-officer": 404}),
    (f"/cases/{PK_OPEN}/answer", {"pk-liaison": 200, "auditor": 403, "ba-officer": 404, "rs-officer": 404, "ops": 404}),
    (f"/cases/{RS_SOON}/answer", {"rs-officer": 200, "at-officer": 404, "pk-liaison": 404}),
    (f"/cases/{BA_HELD}/statement", {"ba-officer": 200, "ba-auditor": 403, "pk-liaison": 404, "ops": 404}),
    (f"/cases/{BA_MADE}/statement/release", {"ba-second": 200, "ba-officer": 200, "ba-auditor": 403, "pk-liaison": 404}),
    (
        f"/documents/{APPLICATION_DOCUMENT}",
        {"pk-liaison": 200, "auditor": 403, "ba-officer": 404, "ba-auditor": 404, "ops": 404},
    ),
    (
        f"/documents/{APPLICATION_DOCUMENT}/read?purpose=case-work",
        {"pk-liaison": 200, "auditor": 403, "ba-officer": 404, "ba-auditor": 404, "ops": 404},
    ),
]


@pytest.mark.parametrize(("path", "expected"), PAGES, ids=[path for path, _ in PAGES])
def test_page_is_shown_to_its_owner_and_hidden_from_strangers(made: Seed, path: str, expected: dict[str, int]) -> None:
    got = {}
    for name in expected:
        answer = signed_in(made, name).get(path)
        got[name] = answer.status_code
        check_page(answer.text)
    assert got == expected


@pytest.mark.parametrize("path", ["/", *[path for path, _ in PAGES]])
def test_nobody_sees_a_page_before_signing_in(made: Seed, path: str) -> None:
    answer = Browser(made).get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


def test_another_authoritys_case_looks_like_one_that_never_was(made: Seed) -> None:
    browser = signed_in(made, "pk-liaison")
    assert browser.get(f"/cases/{BA_WAITING}").text == browser.get("/cases/4711").text


@pytest.mark.parametrize("number", ["0", "-1", "abc", "1.5", "9" * 30])
def test_number_that_is_no_id_is_a_page_that_is_not_there(made: Seed, number: str) -> None:
    browser = signed_in(made, "pk-liaison")
    for path in (f"/cases/{number}", f"/documents/{number}"):
        answer = browser.get(path)
        assert answer.status_code == 404
        check_page(answer.text)


def test_every_route_of_the_pages_is_in_the_tests_of_who_sees_what(made: Seed) -> None:
    def pattern(path: str) -> re.Pattern[str]:
        return re.compile(re.sub(r"\{[^}]+\}", r"[^/?]+", path) + r"(\?.*)?$")

    routers = (pages.router, liaison.router, officer.router, operations.router)
    routes = {
        route.path for router in routers for route in router.routes if isinstance(route, APIRoute) and "GET" in route.methods
    }
    tested = [path for path, _ in PAGES]
    missing = {route for route in routes if not any(pattern(route).match(path) for path in tested)}
    assert missing == {"/", "/sign-in"}


def test_first_page_depends_on_the_role(made: Seed) -> None:
    assert signed_in(made, "pk-liaison").get("/").headers["location"] == "/work"
    assert signed_in(made, "ops").get("/").headers["location"] == "/flow"


def test_unknown_address_is_a_page(made: Seed) -> None:
    answer = Browser(made).get("/nowhere")
    assert answer.status_code == 404
    assert check_page(answer.text).title.startswith("Page not found")


def test_unknown_address_below_the_api_is_a_problem_document(made: Seed) -> None:
    answer = Browser(made).get("/api/v1/nowhere")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not-found"


# --- signing in -------------------------------------------------------------------------------------------------------


def test_sign_in_page_is_complete(made: Seed) -> None:
    check_page(Browser(made).get("/sign-in").text)


@pytest.mark.parametrize(("name", "password"), [("pk-liaison", "wrong"), ("nobody", PASSWORD), ("", ""), ("pk-liaison", "")])
def test_wrong_name_and_wrong_password_get_one_and_the_same_sentence(made: Seed, name: str, password: str) -> None:
    answer = Browser(made).sign_in(name, password)
    assert answer.status_code == 400
    assert check_page(answer.text).title.startswith("Error: ")
    assert "Account name or password is wrong, or there were too many attempts" in answer.text
    assert "session" not in answer.cookies


def test_refused_sign_in_is_journalled_without_an_unknown_name(made: Seed) -> None:
    browser = Browser(made)
    browser.sign_in("hunter2", "x")
    browser.sign_in("pk-liaison", "x")
    assert [(row.actor, row.authority) for row in made.events("sign-in.refused")] == [
        ("unknown", None),
        ("pk-liaison", "PK-MOI"),
    ]
    assert "hunter2" not in " ".join(row.detail for row in made.events("sign-in.refused"))


def test_sixth_attempt_waits_even_with_the_right_password(made: Seed) -> None:
    browser = Browser(made)
    for _ in range(5):
        assert browser.sign_in("pk-liaison", "wrong").status_code == 400
    assert browser.sign_in("pk-liaison").status_code == 400
    assert len(made.events("sign-in.throttled")) == 1
    assert browser.sign_in("ba-officer").status_code == 303


def test_account_opens_again_after_a_quarter_of_an_hour(made: Seed) -> None:
    browser = Browser(made)
    for _ in range(7):
        browser.sign_in("pk-liaison", "wrong")
    made.now = made.now.replace(minute=45, second=1)
    assert browser.sign_in("pk-liaison").status_code == 303


def test_disabled_account_cannot_sign_in(made: Seed) -> None:
    browser = signed_in(made, "pk-liaison")
    with transaction(made.engine) as tx:
        accounts.disable(tx, "pk-liaison", made.now)
    assert browser.get("/work").status_code == 303
    assert browser.sign_in("pk-liaison").status_code == 400


def test_sign_in_goes_on_to_the_page_that_was_asked_for(made: Seed) -> None:
    browser = Browser(made)
    assert browser.get(f"/cases/{PK_OPEN}").headers["location"] == f"/sign-in?next=/cases/{PK_OPEN}"
    assert browser.sign_in("pk-liaison", next=f"/cases/{PK_OPEN}").headers["location"] == f"/cases/{PK_OPEN}"


@pytest.mark.parametrize(
    "wanted", ["https://evil.test/", "//evil.test/", "/\\evil.test", "javascript:alert(1)", "/work?x=1", ""]
)
def test_sign_in_never_leads_to_another_site(made: Seed, wanted: str) -> None:
    assert Browser(made).sign_in("pk-liaison", next=wanted).headers["location"] == "/"


def test_sign_in_form_of_another_browser_is_refused(made: Seed) -> None:
    foreign = Browser(made).token("/sign-in")
    victim = Browser(made)
    fields = {"form_token": foreign, "name": "pk-liaison", "password": PASSWORD}
    assert victim.client.post("/sign-in", data=fields).status_code == 403
    victim.get("/sign-in")
    assert victim.client.post("/sign-in", data=fields).status_code == 403


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_session_token_is_kept_as_a_hash_only(made: Seed) -> None:
    browser = signed_in(made, "pk-liaison")
    with reading(made.engine) as connection:
        rows = connection.execute(select(t.sessions)).all()
    assert len(rows) == 1
    assert browser.client.cookies["session"] not in str(rows[0])


def test_cookie_over_https_is_bound_to_this_host(tmp_path: Path) -> None:
    made = seed(tmp_path, secure=True)
    answer = Browser(made).sign_in("pk-liaison")
    cookie = next(value for value in answer.headers.get_list("set-cookie") if "session" in value)
    assert cookie.startswith("__Host-session=")
    for part in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie
    assert "Max-Age" not in cookie
    made.engine.dispose()


def test_signing_in_ends_the_session_the_browser_came_with(made: Seed) -> None:
    browser = Browser(made)
    browser.sign_in("pk-liaison")
    planted = browser.client.cookies["session"]
    browser.sign_in("pk-liaison")
    assert browser.client.cookies["session"] != planted
    browser.client.cookies.clear()
    assert browser.client.get("/work", headers={"cookie": f"session={planted}"}).status_code == 303


def test_session_ends_after_half_an_hour_without_a_page(made: Seed) -> None:
    browser = signed_in(made, "pk-liaison")
    made.now = made.now.replace(hour=10, minute=0)
    assert browser.get("/work").status_code == 303


def test_session_in_use_goes_on(made: Seed) -> None:
    browser = signed_in(made, "pk-liaison")
    for minute in (50, 59):
        made.now = made.now.replace(minute=minute)
        assert browser.get("/work").status_code == 200
    made.now = made.now.replace(hour=10, minute=20)
    assert browser.get("/work").status_code == 200


def test_session_ends_after_ten_hours_of_work(made: Seed) -> None:
    browser = signed_in(made, "pk-liaison")
    for _ in range(29):
        made.now += timedelta(minutes=20)
        assert browser.get("/flow").status_code == 403
    made.now += timedelta(minutes=20)
    assert browser.get("/flow").status_code == 303


def test_signing_out_ends_the_session_in_the_database_too(made: Seed) -> None:
    browser = signed_in(made, "pk-liaison")
    token, form_token = browser.client.cookies["session"], browser.token("/work")
    assert browser.client.post("/sign-out", data={"form_token": form_token}).headers["location"] == "/sign-in?ended=1"
    assert "session" not in browser.client.cookies
    assert browser.client.get("/work", headers={"cookie": f"session={token}"}).status_code == 303
    assert "You are signed out" in browser.get("/sign-in?ended=1").text


# --- forms come from our own pages ------------------------------------------------------------------------------------

POSTS = [f"/cases/{PK_OPEN}/answer", f"/cases/{BA_HELD}/statement", f"/cases/{BA_MADE}/statement/release", "/sign-out"]


@pytest.mark.parametrize("path", POSTS)
def test_form_without_our_token_is_refused(made: Seed, path: str) -> None:
    browser = signed_in(made, "pk-liaison" if str(PK_OPEN) in path else "ba-second")
    for fields in ({}, {"form_token": ""}, {"form_token": "guess"}):
        answer = browser.client.post(
            path, data={**fields, "step": "send", "outcome": "agreed", "signatory": "x", "read": "yes"}
        )
        assert answer.status_code == 403
    assert made.answers == []


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "headers",
    [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.test"}],
    ids=["cross-site", "same-site", "other-origin"],
)
def test_form_from_another_site_is_refused_even_with_our_token(made: Seed, path: str, headers: dict[str, str]) -> None:
    browser = signed_in(made, "pk-liaison" if str(PK_OPEN) in path else "ba-second")
    answer = browser.client.post(path, data={"form_token": browser.token("/work")}, headers=headers)
    assert answer.status_code == 403


def test_every_post_of_the_pages_is_in_the_tests_above() -> None:
    routers = (pages.router, liaison.router, officer.router, operations.router)
    routes = {
        route.path for router in routers for route in router.routes if isinstance(route, APIRoute) and "POST" in route.methods
    }
    tested = {re.sub(r"\d+", "{case_id}", path) for path in POSTS}
    assert routes - tested == {"/sign-in"}


def test_token_of_another_session_is_refused(made: Seed) -> None:
    foreign = signed_in(made, "ba-second").token("/work")
    answer = signed_in(made, "ba-officer").client.post("/sign-out", data={"form_token": foreign})
    assert answer.status_code == 403


def test_page_keeps_to_itself(made: Seed) -> None:
    answer = signed_in(made, "pk-liaison").get(f"/cases/{PK_OPEN}")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_style_sheet_names_no_other_host_and_no_protected_typeface(made: Seed) -> None:
    answer = Browser(made).get("/static/gateway.css")
    assert answer.status_code == 200
    assert "max-age" in answer.headers["cache-control"]
    for word in ("GDS Transport", "@font-face", "@import", "url("):
        assert word not in answer.text


# --- worklist and case ------------------------------------------------------------------------------------------------


def test_worklist_begins_with_what_is_due_first(made: Seed) -> None:
    text = signed_in(made, "rs-officer").get("/work").text
    assert text.index("Overdue by 2 days") < text.index("Due tomorrow (Wed 25 Nov)")
    assert "To do (2)" in text
    assert "All cases (3)" in text


def test_worklist_shows_nothing_of_another_authority(made: Seed) -> None:
    text = signed_in(made, "ba-officer").get("/work?show=all").text
    assert "MS-2026/0417" in text
    for foreign in ("02-117/26", "BMI-991", "CASE01AB"):
        assert foreign not in text


def test_worklist_names_no_person(made: Seed) -> None:
    text = signed_in(made, "pk-liaison").get("/work?show=all").text
    assert "NAMUNA" not in text
    assert "نمونہ" not in text


def test_held_case_is_to_do_and_says_what_to_do(made: Seed) -> None:
    text = signed_in(made, "ba-officer").get("/work").text
    assert "Make the due diligence statement for this case." in text
    assert "A second officer must read the statement and release it." in text


def test_unknown_deadline_is_shown_as_such(made: Seed) -> None:
    text = signed_in(made, "pk-liaison").get("/work").text
    assert "Not known: ask" in text


@pytest.mark.parametrize("query", ["?show=nonsense", "?page=0", "?page=-3", "?page=x", "?page=" + "9" * 40, "?show=all&page=7"])
def test_odd_filters_give_a_page_all_the_same(made: Seed, query: str) -> None:
    assert signed_in(made, "pk-liaison").get(f"/work{query}").status_code == 200


def test_case_page_shows_the_name_in_its_own_script_and_direction(made: Seed) -> None:
    text = signed_in(made, "pk-liaison").get(f"/cases/{PK_OPEN}").text
    assert '<bdi dir="auto" lang="und-Arab">نمونہ سپیسیمن</bdi>' in text
    assert '<bdi dir="auto" lang="und-Latn">NAMUNA SPECIMEN</bdi>' in text


def test_case_page_says_what_to_ask_about_a_personal_number(made: Seed) -> None:
    made.persons[RS_SOON] = replace(made.persons[RS_SOON], to_ask=("the number does not check out as a JMBG; ask",))
    text = signed_in(made, "rs-officer").get(f"/cases/{RS_SOON}").text
    assert "The number does not check out as a JMBG; ask." in text
    assert "does not check out" not in signed_in(made, "auditor").get(f"/cases/{RS_SOON}").text


def test_side_that_waits_is_told_the_rolled_end(made: Seed) -> None:
    text = signed_in(made, "at-officer").get(f"/cases/{AT_WAITING}").text
    assert "6 days left (Mon 30 Nov)" in text
    assert "Sun 29 Nov 2026" in text
    assert "or Mon 30 Nov 2026 if a rest day moves the end" in text


def test_side_that_must_act_is_warned_by_the_literal_end(made: Seed) -> None:
    text = signed_in(made, "rs-officer").get(f"/cases/{RS_OVERDUE}").text
    assert "Overdue by 2 days" in text


def test_case_page_says_why_this_date(made: Seed) -> None:
    text = signed_in(made, "rs-officer").get(f"/cases/{RS_SOON}").text
    for part in ("Why this date", "Ten calendar days follow.", "Art. 10(2)", "verified: read in the treaty", "calendar 2026.1"):
        assert part in text
    assert "agreement is deemed to have been given" in text


def test_times_are_local_and_carry_their_zone(made: Seed) -> None:
    assert "24 Nov 2026, 11:30 PKT" in signed_in(made, "pk-liaison").get(f"/cases/{PK_OPEN}").text
    assert "24 Nov 2026, 07:30 CET" in signed_in(made, "ba-officer").get(f"/cases/{BA_WAITING}").text


def test_reading_a_case_is_journalled_and_seen_by_the_auditor_only(made: Seed) -> None:
    browser = signed_in(made, "ba-officer")
    browser.get(f"/cases/{BA_WAITING}")
    assert [(row.actor, row.case_id) for row in made.events("case.read")] == [("ba-officer", BA_WAITING)]
    assert json.loads(made.events("case.read")[0].detail) == {"purpose": "case-work"}
    assert "Case read" not in browser.get(f"/cases/{BA_WAITING}").text
    assert "Case read" in signed_in(made, "ba-auditor").get(f"/cases/{BA_WAITING}").text


def test_auditor_sees_who_did_what_and_no_person(made: Seed) -> None:
    text = signed_in(made, "ba-auditor").get(f"/cases/{BA_WAITING}").text
    assert "NAMUNA" not in text
    assert "Not shown to your role" in text
    assert "/documents/" not in text


def test_erased_case_says_so(made: Seed) -> None:
    text = signed_in(made, "rs-officer").get(f"/cases/{RS_ERASED}").text
    assert "Erased" in text


def test_receipt_is_shown_with_its_digest(made: Seed) -> None:
    text = signed_in(made, "ba-officer").get(f"/cases/{BA_WAITING}").text
    assert "Received by the other side" in text
    assert "ab" * 32 in text
    assert "07:31 CET" in text


# --- the answer -------------------------------------------------------------------------------------------------------


def answer_fields(**more: object) -> dict[str, object]:
    return {"outcome": "agreed", "signatory": "N. SPECIMEN", "step": "check"} | more


def post_answer(made: Seed, **more: object):
    browser = signed_in(made, "pk-liaison")
    fields = {"form_token": browser.token(f"/cases/{PK_OPEN}/answer"), **answer_fields(**more)}
    return browser, browser.client.post(f"/cases/{PK_OPEN}/answer", data=fields)


def test_nothing_is_sent_before_the_answer_was_checked(made: Seed) -> None:
    _, answer = post_answer(made)
    assert answer.status_code == 200
    assert "Check your answer before it is sent" in answer.text
    assert made.answers == []
    check_page(answer.text)


def test_agreement_is_sent_and_its_receipt_appears(made: Seed) -> None:
    browser, answer = post_answer(made, step="send", rank="Director", remarks="Travel document follows.")
    assert answer.headers["location"] == f"/cases/{PK_OPEN}?done=answered"
    (sent,) = made.answers
    assert sent["outcome"] == "agreed"
    assert sent["signatory"] == Signatory(name="N. SPECIMEN", rank="Director")
    assert sent["remarks"] == "Travel document follows."
    assert sent["reasons"] == []
    page = browser.get(answer.headers["location"]).text
    assert "Your answer is signed" in page
    assert "Received by the other side" in page
    assert "Answer the application" not in page


def test_refusal_carries_its_reasons_and_explanation(made: Seed) -> None:
    given = {"outcome": "refused", "reasons": ["identity-not-established", "other"], "reason_text": "No such number."}
    post_answer(made, step="send", **given)
    assert made.answers[0]["reasons"] == [
        Reason(code="identity-not-established"),
        Reason(code="other", text="No such number."),
    ]


def test_explanation_without_another_reason_goes_with_the_first(made: Seed) -> None:
    post_answer(
        made, step="send", outcome="refused", reasons=["incomplete", "false-documents"], reason_text="Page 2 is missing."
    )
    assert made.answers[0]["reasons"] == [
        Reason(code="false-documents", text="Page 2 is missing."),
        Reason(code="incomplete"),
    ]


@pytest.mark.parametrize(
    ("fields", "field", "sentence"),
    [
        ({"outcome": ""}, "outcome", "Select whether you agree or refuse"),
        ({"outcome": "perhaps"}, "outcome", "Select whether you agree or refuse"),
        ({"outcome": "refused"}, "reasons", "Select at least one reason for the refusal"),
        ({"outcome": "refused", "reasons": ["made-up"]}, "reasons", "Select at least one reason for the refusal"),
        ({"reasons": ["incomplete"]}, "reasons", "An agreement carries no reasons for a refusal"),
        ({"reason_text": "why"}, "reasons", "An agreement carries no reasons for a refusal"),
        ({"outcome": "refused", "reasons": ["other"]}, "reason_text", "Explain the other reason"),
        ({"signatory": " "}, "signatory", "Enter the name of the official who decides"),
        ({"signatory": "a\u202eb"}, "signatory", "invisible signs"),
        ({"remarks": "x" * 4001}, "remarks", "must be 4000 characters or fewer"),
    ],
)
@pytest.mark.parametrize("step", ["check", "send"])
def test_incomplete_answer_is_never_sent(made: Seed, step: str, fields: dict[str, object], field: str, sentence: str) -> None:
    _, answer = post_answer(made, **{**fields, "step": step})
    assert answer.status_code == 400
    assert made.answers == []
    outline = check_page(answer.text)
    assert outline.title.startswith("Error: ")
    assert field in outline.anchors
    assert sentence in answer.text


def test_form_keeps_what_was_filled_in_when_something_is_missing(made: Seed) -> None:
    _, answer = post_answer(made, outcome="refused", remarks="<b>kept</b>", rank="Director")
    assert "&lt;b&gt;kept&lt;/b&gt;" in answer.text
    assert 'value="Director"' in answer.text
    assert 'value="refused" checked' in answer.text


def test_changing_the_answer_shows_the_filled_form_again(made: Seed) -> None:
    _, answer = post_answer(made, step="change", rank="Director")
    assert answer.status_code == 200
    assert 'value="Director"' in answer.text
    assert made.answers == []


def test_second_answer_is_refused(made: Seed) -> None:
    browser, _ = post_answer(made, step="send")
    token = browser.token("/work")
    again = browser.client.post(f"/cases/{PK_OPEN}/answer", data={"form_token": token, **answer_fields(step="send")})
    assert again.status_code == 400
    assert "does not wait for an answer" in again.text
    assert len(made.answers) == 1


def test_refusal_of_the_walk_is_told_on_the_form(made: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Seed, **_: object) -> str:
        raise AnswerMismatch("the digest of what is answered is another one")

    monkeypatch.setattr(Seed, "answer", refuse)
    _, answer = post_answer(made, step="send")
    assert answer.status_code == 400
    assert "The answer was not sent: the digest of what is answered is another one (answer-mismatch)" in answer.text


def test_reasons_are_those_of_the_schema() -> None:
    from gateway.settings import data_folder

    schema = (data_folder("schemas") / "readmission" / "1.0" / "common.xsd").read_text(encoding="utf-8")
    block = schema.split('name="RefusalReason"')[1].split("</xs:simpleType>")[0]
    assert set(REASONS) == set(re.findall(r'enumeration value="([^"]+)"', block))


def test_requesting_side_cannot_answer_its_own_case(made: Seed) -> None:
    assert signed_in(made, "ba-officer").get(f"/cases/{BA_WAITING}/answer").status_code == 400


def test_answered_case_has_no_form(made: Seed) -> None:
    assert signed_in(made, "pk-liaison").get(f"/cases/{PK_AGREED}/answer").status_code == 400


# --- the due diligence statement --------------------------------------------------------------------------------------

YES = {
    "return_decision": "yes",
    "no_suspensive_appeal": "yes",
    "no_asylum_claim": "yes",
    "non_refoulement_assessed": "yes",
    "best_interests_assessed": "none",
}


def post_statement(made: Seed, name: str = "ba-officer", **more: str):
    browser = signed_in(made, name)
    fields = {"form_token": browser.token("/work"), **YES, "step": "check", **more}
    return browser, browser.client.post(f"/cases/{BA_HELD}/statement", data=fields)


def test_no_question_of_the_statement_is_answered_in_advance(made: Seed) -> None:
    assert "checked" not in signed_in(made, "ba-officer").get(f"/cases/{BA_HELD}/statement").text


def test_statement_is_shown_once_more_before_it_is_made(made: Seed) -> None:
    _, answer = post_statement(made)
    assert "Check the statement before you make it" in answer.text
    assert BA_HELD not in made.statements
    check_page(answer.text)


def test_statement_is_made_with_the_answers_given(made: Seed) -> None:
    browser, answer = post_statement(made, step="make", best_interests_assessed="yes", no_asylum_claim="no")
    assert answer.headers["location"] == f"/cases/{BA_HELD}?done=made"
    assert made.statements[BA_HELD] == Answers(
        return_decision=True,
        no_suspensive_appeal=True,
        no_asylum_claim=False,
        non_refoulement_assessed=True,
        best_interests_assessed=True,
    )
    assert "Made by ba-officer" in browser.get(f"/cases/{BA_HELD}").text


@pytest.mark.parametrize("question", list(YES))
@pytest.mark.parametrize("given", ["", "maybe"])
def test_statement_with_an_open_question_is_not_made(made: Seed, question: str, given: str) -> None:
    _, answer = post_statement(made, **{question: given, "step": "make"})
    assert answer.status_code == 400
    assert BA_HELD not in made.statements
    assert question in check_page(answer.text).anchors


def test_answer_against_sending_is_pointed_out(made: Seed) -> None:
    _, answer = post_statement(made, no_asylum_claim="no")
    assert "An answer speaks against sending" in answer.text


def test_officer_who_made_the_statement_gets_no_button_to_release_it(made: Seed) -> None:
    text = signed_in(made, "ba-officer").get(f"/cases/{BA_MADE}/statement/release").text
    assert "Another officer must read and release it." in text
    assert 'name="read"' not in text


VERSION = re.compile(r'name="version" value="([^"]+)"')


def version(made: Seed) -> str:
    """Return the version of the statement as the page of the second officer carries it."""
    with reading(made.engine) as tx:
        return tx.execute(select(t.statements.c.made_at).where(t.statements.c.case_id == BA_MADE)).scalar_one().isoformat()


def test_statement_that_was_made_again_after_it_was_read_is_not_released(made: Seed) -> None:
    browser = signed_in(made, "ba-second")
    fields = {"form_token": browser.token("/work"), "read": "yes", "version": version(made)}
    with transaction(made.engine) as tx:
        later = made.now + timedelta(minutes=1)
        tx.execute(t.statements.update().where(t.statements.c.case_id == BA_MADE).values(made_at=later))
    answer = browser.client.post(f"/cases/{BA_MADE}/statement/release", data=fields)
    assert answer.status_code == 400
    assert "The statement was made again after you read it" in answer.text


def test_officer_who_made_the_statement_cannot_release_it_by_hand_either(made: Seed) -> None:
    browser = signed_in(made, "ba-officer")
    fields = {"form_token": browser.token("/work"), "read": "yes", "version": version(made)}
    answer = browser.client.post(f"/cases/{BA_MADE}/statement/release", data=fields)
    assert answer.status_code == 400
    assert "the officer who made a statement cannot release it" in answer.text


def test_second_officer_reads_and_releases(made: Seed) -> None:
    browser = signed_in(made, "ba-second")
    page = browser.get(f"/cases/{BA_MADE}/statement/release").text
    assert "Is there an enforceable return decision?" in page
    assert len(made.events("statement.read")) == 1
    fields = {"form_token": TOKEN.findall(page)[-1], "read": "yes", "version": VERSION.findall(page)[-1]}
    answer = browser.client.post(f"/cases/{BA_MADE}/statement/release", data=fields)
    assert answer.headers["location"] == f"/cases/{BA_MADE}?done=released"
    page = browser.get(answer.headers["location"]).text
    assert "the application is on its way" in page
    assert "Released by ba-second" in page


def test_release_that_does_not_free_the_message_says_so(made: Seed) -> None:
    made.still_held = "source-reveals-protection"
    browser = signed_in(made, "ba-second")
    fields = {"form_token": browser.token("/work"), "read": "yes", "version": version(made)}
    answer = browser.client.post(f"/cases/{BA_MADE}/statement/release", data=fields)
    assert "still held" in browser.get(answer.headers["location"]).text


def test_release_needs_the_confirmation_that_it_was_read(made: Seed) -> None:
    browser = signed_in(made, "ba-second")
    answer = browser.client.post(f"/cases/{BA_MADE}/statement/release", data={"form_token": browser.token("/work")})
    assert answer.status_code == 400
    assert "read" in check_page(answer.text).anchors


def test_statement_that_was_not_made_cannot_be_released(made: Seed) -> None:
    assert signed_in(made, "ba-second").get(f"/cases/{BA_HELD}/statement/release").status_code == 404


def test_statement_comes_before_sending_only(made: Seed) -> None:
    assert signed_in(made, "ba-officer").get(f"/cases/{BA_WAITING}/statement").status_code == 400


# --- documents --------------------------------------------------------------------------------------------------------


def test_document_is_handed_out_as_exchanged_and_the_read_names_its_purpose(made: Seed) -> None:
    answer = signed_in(made, "pk-liaison").get(f"/documents/{APPLICATION_DOCUMENT}?purpose=legal-review")
    assert answer.content == made.bodies[APPLICATION_DOCUMENT][1]
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert made.reads == [(APPLICATION_DOCUMENT, "pk-liaison", "legal-review")]


@pytest.mark.parametrize("path", ["", "/read"])
def test_document_is_not_opened_without_a_purpose(made: Seed, path: str) -> None:
    browser = signed_in(made, "pk-liaison")
    for query in ("?purpose=", "?purpose=curiosity"):
        answer = browser.get(f"/documents/{APPLICATION_DOCUMENT}{path}{query}")
        assert answer.status_code == 400
        assert "purpose" in check_page(answer.text).anchors
    assert made.reads == []


def test_document_is_read_on_a_page(made: Seed) -> None:
    text = signed_in(made, "pk-liaison").get(f"/documents/{APPLICATION_DOCUMENT}/read?purpose=case-work").text
    assert "Expired passport" in text
    assert '<bdi dir="auto" lang="und-Arab">نمونہ سپیسیمن</bdi>' in text


def test_document_whose_key_is_destroyed_is_gone(made: Seed) -> None:
    made.bodies.clear()
    assert signed_in(made, "pk-liaison").get(f"/documents/{APPLICATION_DOCUMENT}?purpose=case-work").status_code == 410


# --- attachments ------------------------------------------------------------------------------------------------------

SCAN = "ab" * 32


@pytest.fixture
def with_scan(made: Seed) -> Seed:
    """PK-MOI received a scan with the application of its open case."""
    with transaction(made.engine) as tx:
        message = tx.execute(
            select(t.messages.c.id).where(t.messages.c.case_id == PK_OPEN, t.messages.c.direction == "in")
        ).scalar_one()
        values = {"state": "whole", "sha256": SCAN, "size": 2_512_345, "parts": 3, "of": 3, "media_type": "application/pdf"}
        claimed = {"case_id": PK_OPEN, "message_row": message, "kind": "document-scan", "number": 1, "key": b"k"}
        came = {"authority": "PK-MOI", "sender": "BA-MS", "message_id": "m", "changed_at": NOW}
        tx.execute(insert(attachments).values(**values, **claimed, **came))
    return made


def test_case_page_tells_of_its_attachments(with_scan: Seed) -> None:
    text = signed_in(with_scan, "pk-liaison").get(f"/cases/{PK_OPEN}").text
    check_page(text)
    row = text.split(f"/cases/{PK_OPEN}/attachments/{SCAN}")[1].split("</tr>")[0]
    for words in ("Scan of a document", "Readmission application", "PDF document, 2.5 MB"):
        assert words in row


def test_auditor_sees_that_there_is_a_file_but_cannot_get_it(with_scan: Seed) -> None:
    browser = signed_in(with_scan, "auditor")
    text = browser.get(f"/cases/{PK_OPEN}").text
    assert "Scan of a document" in text
    assert SCAN not in text
    assert browser.get(f"/cases/{PK_OPEN}/attachments/{SCAN}?purpose=case-work").status_code == 403


def test_file_is_downloaded_and_never_shown_after_a_purpose_was_given(with_scan: Seed) -> None:
    browser = signed_in(with_scan, "pk-liaison")
    path = f"/cases/{PK_OPEN}/attachments/{SCAN}"
    asked = browser.get(path)
    assert asked.status_code == 200
    check_page(asked.text)
    assert "PDF document, 2.5 MB" in asked.text
    wrong = browser.get(f"{path}?purpose=curiosity")
    assert wrong.status_code == 400
    assert "purpose" in check_page(wrong.text).anchors
    answer = browser.get(f"{path}?purpose=legal-review")
    assert answer.headers["content-disposition"] == f'attachment; filename="document-scan-{SCAN[:16]}.pdf"'
    assert answer.headers["x-content-type-options"] == "nosniff"
    with reading(with_scan.engine) as tx:
        found = tx.execute(select(t.journal.c.detail).where(t.journal.c.event == "attachment.read")).scalars().all()
    assert len(found) == 1
    assert "legal-review" in found[0]


def test_file_of_another_authority_is_not_there(with_scan: Seed) -> None:
    for name in ("rs-officer", "ops"):
        assert signed_in(with_scan, name).get(f"/cases/{PK_OPEN}/attachments/{SCAN}").status_code == 404
    browser = signed_in(with_scan, "pk-liaison")
    assert browser.get(f"/cases/{PK_OPEN}/attachments/{'cd' * 32}").status_code == 404
    assert browser.get(f"/cases/{PK_OPEN}/attachments/x").status_code == 404


# --- given up -----------------------------------------------------------------------------------------------------------


def test_case_tells_its_officer_what_was_given_up_by_whom_and_why(made: Seed) -> None:
    with transaction(made.engine) as tx:
        row = tx.execute(select(t.messages.c.id).where(t.messages.c.case_id == BA_WAITING, t.messages.c.direction == "out"))
        number = row.scalars().first()
        tx.execute(update(t.messages).where(t.messages.c.id == number).values(outcome="dropped"))
        note = given_up.GivenUp(message_row=number, case_id=BA_WAITING, by="A. Specimen", why="sent by fax <b>", at=NOW)
        given_up.add(tx, note)
    text = signed_in(made, "ba-officer").get(f"/cases/{BA_WAITING}").text
    check_page(text)
    warning = text.split("was given up")[1].split("</strong>")[0]
    assert "A. Specimen" in warning
    assert "sent by fax &lt;b&gt;" in warning
    assert "Given up: it was not delivered" in text


# --- the flow board ---------------------------------------------------------------------------------------------------


def test_flow_board_counts_per_partner_and_direction(made: Seed) -> None:
    text = signed_in(made, "ops").get("/flow").text
    row = text.split("Out: AT-BMI to RS-MUP")[1].split("</tr>")[0]
    assert re.findall(r'data-label="(?:Waiting|Delivered in 24 hours)">(\d+)', row) == ["2", "1"]
    assert "1 parked" in row
    assert "2 hours" in row
    assert "1 message parked: it needs a decision." in text


def test_failures_of_one_cause_are_one_line(made: Seed) -> None:
    text = signed_in(made, "ops").get("/flow").text
    row = text.split("schema-violation")[1].split("</tr>")[0]
    assert 'data-label="Messages">4<' in row
    assert "AT-BMI from RS-MUP" in row


def test_flow_board_shows_no_case_and_no_person(made: Seed) -> None:
    text = signed_in(made, "ops").get("/flow").text
    for secret in ("NAMUNA", "УЗОРАК", "CASE0", "MS-2026", "/cases/"):
        assert secret not in text


def test_auditor_of_one_authority_sees_its_ways_only(made: Seed) -> None:
    text = signed_in(made, "ba-auditor").get("/flow").text
    assert "BA-MS from PK-MOI" in text
    assert "AT-BMI" not in text
    assert "Everything is fetched." in text


# --- when something is wrong ------------------------------------------------------------------------------------------


def test_database_that_does_not_answer_gives_a_sentence(made: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(self: Seed, **_: object) -> None:
        raise DatabaseUnavailable("the database does not answer")

    monkeypatch.setattr(Seed, "journal", down)
    answer = signed_in(made, "pk-liaison").get(f"/cases/{PK_OPEN}")
    assert answer.status_code == 503
    assert "database-unavailable" in answer.text
    assert "NAMUNA" not in answer.text


def test_unforeseen_error_shows_no_detail(made: Seed, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Seed, **_: object) -> None:
        raise ZeroDivisionError("NAMUNA SPECIMEN")

    monkeypatch.setattr(Seed, "person_of", broken)
    browser = signed_in(made, "pk-liaison")
    client = TestClient(browser.client.app, base_url="http://gateway.test", raise_server_exceptions=False)
    client.cookies = browser.client.cookies
    answer = client.get(f"/cases/{PK_OPEN}")
    assert answer.status_code == 500
    assert "NAMUNA" not in answer.text
    assert "internal-error" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_flow_board_shows_who_suspended_and_admitted_whom(made: Seed) -> None:
    with transaction(made.engine) as tx:
        for kind, who, type_ in ((Kind.ADMITTED, "pk", "*"), (Kind.SUSPENDED, "AT-BMI:RS-MUP", "InterviewRequest")):
            scope = Scope(who=who, type=type_)
            decision = PartnerDecision(kind=kind, scope=scope, at=made.now, by="B. Specimen", why="<b>a court forbids it</b>")
            partner_decisions.add(tx, decision)
    text = signed_in(made, "ops").get("/flow").text
    assert "Suspended (InterviewRequest of AT-BMI:RS-MUP)" in text
    assert "&lt;b&gt;a court forbids it" in text
    row = text.split(">pk: ")[1].split("</tr>")[0]
    assert "by B. Specimen" in row
    assert "In test" in row
    assert "every partner is usable" in text
