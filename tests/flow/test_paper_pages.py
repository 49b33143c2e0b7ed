"""The pages about paper on a whole gateway: printing, the filled form that comes back, proof of delivery."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from gateway.flow.draft import Held, Sent
from gateway.flow.forms import Paper, printable_of
from gateway.flow.mailbox import read_document
from gateway.store import accounts, cases, deadlines, journal, messages
from gateway.store.accounts import AccountRole
from gateway.store.database import reading, transaction
from gateway.trust.passwords import hash_password
from gateway.web.access import cookie_name
from gateway.web.app import create_app
from gateway.wire.reading import message_inside, text
from gateway.wiring.pages import web_runtime
from tests.gateways import Gateway, example, exchange
from tests.paper import fill, on_paper, require_pango

pytestmark = pytest.mark.anyio

PK = frozenset({"PK-MOI"})
TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
HIDDEN = re.compile(r'name="(sha256|digest)" value="([^"]+)"')
SAID = {
    "outcome": "refused",
    "decision_date": "1.6.2026",
    "reason_1": "identity-not-established",
    "reason_text": "Nije pronađen",
    "remarks": "SPECIMEN remark",
    "name": "SPECIMEN OFFICIAL",
    "rank": "Director",
}
CONFIRMED = {
    "outcome": "refused",
    "reasons": "identity-not-established",
    "reason_text": "Nije pronađen",
    "decided_on": "2026-06-01",
    "interview": "",
    "transfer_on": "",
    "transfer_place": "",
    "transfer_means": "",
    "remarks": "corrected by hand",
    "signatory": "SPECIMEN OFFICIAL",
    "rank": "Director",
    "compared": "yes",
}


class Desk:
    """One person of PK-MOI, which gets its messages on paper, with a case that was carried there."""

    def __init__(self, pair: tuple[Gateway, Gateway], sent: Sent, role: AccountRole) -> None:
        self.pair, self.sent = pair, sent
        self.rt = pair[1].rt
        self.client = TestClient(create_app(web_runtime(self.rt)), base_url="https://gateway.test", follow_redirects=False)
        with transaction(self.rt.engine) as tx:
            account = accounts.find(tx, role.value)
            if account is None:
                accounts.add_account(
                    tx, name=role.value, role=role, authority="PK-MOI", password=hash_password("x" * 20), at=self.rt.clock()
                )
                account = accounts.find(tx, role.value)
            (self.case,) = cases.all_of(tx)
        self.account = account
        self.sign_in()

    def sign_in(self) -> None:
        with transaction(self.rt.engine) as tx:
            token, _ = accounts.open_session(tx, self.account, now=self.rt.clock())
        name = cookie_name(self.client.app.state.runtime, "session")
        self.client.cookies.set(name, token, domain="gateway.test", path="/")

    def at(self, rest: str) -> str:
        return f"/cases/{self.case.id}/{rest}"

    def get(self, path: str):
        return self.client.get(path)

    def token(self, path: str) -> str:
        return TOKEN.findall(self.get(path).text)[-1]

    def upload(self, path: str, file: bytes | None, **fields: str):
        files = {"file": ("form.pdf", file, "application/pdf")} if file is not None else {"file": ("", b"", "application/pdf")}
        return self.client.post(path, data={"form_token": self.token(path), **fields}, files=files)

    def blank(self) -> bytes:
        message, _ = printable_of(self.sent.message_id, homes=PK, actor="a", purpose="case-work", rt=self.rt)
        return Paper.of(self.rt).reply_pdf(message, "ur")

    def events(self) -> list[journal.Entry]:
        with reading(self.rt.engine) as tx:
            return list(journal.of_case(tx, self.case.id))


@pytest.fixture
async def desk(two_gateways) -> Desk:
    west, east = two_gateways
    pair = west, replace(east, rt=on_paper(east.rt))
    held = west.hand_in(example("ReadmissionApplication-own-national"), authority="BA-MS")
    assert isinstance(held, Held)
    sent = west.release(held.case_id)
    assert isinstance(sent, Sent)
    await exchange(*pair)
    return Desk(pair, sent, AccountRole.LIAISON)


async def test_print_view_needs_a_purpose_and_is_journalled(desk) -> None:
    path = desk.at(f"print/{desk.sent.message_id}")
    assert "What do you need it for?" in desk.get(path).text
    assert desk.get(f"{path}?purpose=curiosity").status_code == 400
    page = desk.get(f"{path}?purpose=case-work&language=ur&way=view")
    assert page.status_code == 200
    assert 'lang="ur" dir="rtl"' in page.text
    assert "NAMUNA AHMED" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert "style=" not in page.text  # our own rule for pages lets no style stand in one
    (entry,) = [one for one in desk.events() if one.event == "form.printed"]
    assert entry.detail == {"type": "ReadmissionApplication", "purpose": "case-work"}


async def test_style_sheet_of_the_print_view_is_there(desk) -> None:
    answer = desk.get("/forms/form.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert "@page" in answer.text
    for address in re.findall(r'url\("([^"]+)"\)', answer.text):
        assert desk.get(address).headers["content-type"] == "font/ttf"
    assert desk.get("/forms/fonts/OFL.txt").status_code == 404


async def test_case_page_leads_to_print_and_to_the_proof_of_delivery(desk) -> None:
    text_ = desk.get(f"/cases/{desk.case.id}").text
    for rest in (f"print/{desk.sent.message_id}", f"delivery/{desk.sent.message_id}", "paper-reply"):
        assert f'href="{desk.at(rest)}"' in text_


async def test_auditor_prints_nothing(desk) -> None:
    auditor = Desk(desk.pair, desk.sent, AccountRole.AUDITOR)
    assert auditor.get(auditor.at(f"print/{desk.sent.message_id}?purpose=case-work")).status_code == 403


async def test_filled_form_is_compared_corrected_confirmed_and_kept_with_the_reply(desk) -> None:
    require_pango()
    pdf = fill(desk.blank(), SAID)
    page = desk.upload(desk.at("paper-reply"), pdf)
    assert page.status_code == 200, page.text
    for shown in ("SPECIMEN remark", "SPECIMEN OFFICIAL", "2026-06-01", "Nije pronađen", "NAMUNA AHMED KHAN"):
        assert shown in page.text
    assert not any(one.event == "message.sent" for one in desk.events())

    hidden = dict(HIDDEN.findall(page.text))
    token = TOKEN.findall(page.text)[-1]
    answer = desk.client.post(desk.at("paper-reply/confirm"), data={"form_token": token, **hidden, **CONFIRMED})
    assert answer.headers["location"] == f"/cases/{desk.case.id}?done=answered"

    with reading(desk.rt.engine) as tx:
        (reply,) = [row for row in messages.of_case(tx, desk.case.id) if row.type == "ReadmissionReply"]
        kept = messages.document(tx, reply.id, "form")
        body = message_inside(desk.rt.vault.decrypt(desk.case.wrapped_key, *_stored(tx, reply.id)))
    assert read_document(kept.id, homes=PK, actor="a", purpose="case-work", rt=desk.rt) == ("application/pdf", pdf)
    assert text(body, "Remarks") == "corrected by hand"
    assert text(body, "Decision/Reason/Text") == "Nije pronađen"
    confirmed = [one for one in desk.events() if one.event == "form.confirmed"]
    assert [(one.actor, one.digest) for one in confirmed] == [("liaison", kept.sha256)]
    await exchange(*desk.pair)
    with reading(desk.pair[0].rt.engine) as tx:
        assert [case.state for case in cases.all_of(tx)] == ["refused"]


def _stored(tx, row: int) -> tuple[bytes, bytes]:
    found = messages.document(tx, row, "signed")
    return found.body, f"signed:{found.sha256}".encode()


async def test_confirmation_needs_the_word_that_somebody_compared(desk) -> None:
    require_pango()
    page = desk.upload(desk.at("paper-reply"), fill(desk.blank(), SAID))
    hidden, token = dict(HIDDEN.findall(page.text)), TOKEN.findall(page.text)[-1]
    unsure = {"form_token": token, **hidden, **CONFIRMED, "compared": ""}
    again = desk.client.post(desk.at("paper-reply/confirm"), data=unsure)
    assert again.status_code == 400
    assert "Confirm that you have compared" in again.text
    swept = {"form_token": token, **hidden, **CONFIRMED, "sha256": "0" * 64}
    assert "hand it in again" in desk.client.post(desk.at("paper-reply/confirm"), data=swept).text
    other = {"form_token": token, **hidden, **CONFIRMED, "digest": "0" * 64}
    assert "form-mismatch" in desk.client.post(desk.at("paper-reply/confirm"), data=other).text


@pytest.mark.parametrize("changed", [{"case": "AAAAAAAAAAAAAAAAAAAAAAAAAA"}, {"digest": "0" * 64}])
async def test_form_of_another_case_or_application_is_refused(desk, changed) -> None:
    require_pango()
    page = desk.upload(desk.at("paper-reply"), fill(desk.blank(), SAID | changed))
    assert page.status_code == 400
    assert "form-mismatch" in page.text


async def test_upload_that_is_no_form_is_refused_on_the_page(desk) -> None:
    assert "Select the filled form" in desk.upload(desk.at("paper-reply"), None).text
    assert "pdf-unreadable" in desk.upload(desk.at("paper-reply"), b"<html>").text
    path = desk.at("paper-reply")
    token = desk.token(path)
    assert desk.client.post(path, data={"form_token": token}).status_code == 400  # no multipart form
    assert desk.client.post(path, files={"file": ("f", b"x")}).status_code == 403  # no token
    huge = desk.client.post(path, data={"form_token": token}, files={"file": ("f", b"x" * 9_000_000)})
    assert huge.status_code == 413


async def test_proof_of_delivery_on_the_page_issues_the_receipt(desk, clock) -> None:
    path = desk.at(f"delivery/{desk.sent.message_id}")
    clock.move(days=2)
    desk.sign_in()
    wrong = desk.upload(path, None, kind="", day="2", time="25:00", zone="Mars", reference="")
    assert wrong.status_code == 400
    for sentence in ("Select what proves", "Enter the day of delivery as", "Select the time zone", "Enter the reference"):
        assert sentence in wrong.text
    given = {"kind": "hand", "day": "2026-06-02", "time": "14:05", "zone": "Asia/Karachi", "reference": "desk book 17"}
    done = desk.upload(path, None, **given)
    assert done.headers["location"] == f"/cases/{desk.case.id}?done=delivered", done.text
    page = desk.get(f"/cases/{desk.case.id}").text
    assert "Carried on paper: Handed over against signature" in page
    assert f'href="{path}"' not in page
    assert desk.get(path).status_code == 400
    with reading(desk.rt.engine) as tx:
        started = {row.started_at for row in deadlines.of_cases(tx, [desk.case.id])}
    assert [each.isoformat() for each in started] == ["2026-06-02T09:05:00+00:00"]
    assert desk.rt.clock() - timedelta(days=2) < max(started)
