"""Pages about who a person is, on a whole gateway: what an officer sees, decides, and what others never see."""

import re

import pytest
from starlette.testclient import TestClient

from gateway.flow.resemblances import make_searchable
from gateway.store import accounts
from gateway.store.accounts import AccountRole
from gateway.store.database import transaction
from gateway.trust.passwords import hash_password
from gateway.web.app import create_app
from gateway.wire.mrz import Fields, write_mrz
from gateway.wiring.pages import web_runtime
from tests.flow.test_pages import check_page
from tests.forging import journalled
from tests.gateways import Gateway
from tests.look_alikes import opened, unlike

pytestmark = pytest.mark.anyio

TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
FIELDS = Fields(
    format="TD3",
    code="P",
    issuer="PAK",
    primary="KHAN",
    secondary="NAMUNA AHMED",
    number="XX0000000",
    nationality="PAK",
    birth="910301",
    sex="M",
    expiry="210509",
    optional=("",),
)
ZONE = write_mrz(FIELDS)  # of the passport that the example names


class Officer:
    """One signed-in person of a gateway with real cases."""

    def __init__(self, gateway: Gateway, name: str, role: AccountRole = AccountRole.OFFICER, authority: str = "BA-MS") -> None:
        self.client = TestClient(create_app(web_runtime(gateway.rt)), base_url="https://gateway.test", follow_redirects=False)
        now = gateway.rt.clock()
        with transaction(gateway.rt.engine) as tx:
            accounts.add_account(tx, name=name, role=role, authority=authority, password=hash_password("secret word"), at=now)
            account = accounts.find(tx, name)
            assert account is not None
            token, _ = accounts.open_session(tx, account, now=now)
        self.client.cookies.set("__Host-session", token, domain="gateway.test", path="/")
        self.client.cookies.set("session", token, domain="gateway.test", path="/")

    def get(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text

    def post(self, path: str, **fields: str):
        token = TOKEN.findall(self.get(path))[-1]
        return self.client.post(path, data={"form_token": token, **fields})


@pytest.fixture
def officer(gateway: Gateway) -> Officer:
    return Officer(gateway, "ba-officer")


@pytest.fixture
def pair(gateway: Gateway) -> tuple[int, int]:
    """Two held cases about one person, and a third about somebody else."""
    first, second = opened(gateway, 1), opened(gateway, 2)
    unlike(gateway, 3)
    make_searchable(gateway.rt)
    return first, second


async def test_case_page_shows_the_other_case_with_its_reasons(officer: Officer, pair: tuple[int, int]) -> None:
    page = officer.get(f"/cases/{pair[0]}")
    check_page(page)
    assert ">100</strong>" in page
    assert f'href="/cases/{pair[1]}"' in page
    assert "The same personal number" in page
    assert "CNIC (PK)" in page
    assert "3420112345671" not in page


async def test_case_page_warns_of_a_number_that_says_another_sex(gateway: Gateway, officer: Officer) -> None:
    page = officer.get(f"/cases/{opened(gateway, 1, Sex='female')}")
    assert "The CNIC says another sex than the message; ask which is right." in page


async def test_officer_decides_on_a_page_of_its_own(gateway: Gateway, officer: Officer, pair: tuple[int, int]) -> None:
    first, second = pair
    path = f"/cases/{first}/resemblance/{second}"
    page = officer.get(path)
    check_page(page)
    assert page.count('dir="auto"') >= 2
    assert page.count('lang="und-Arab"') == 2
    answer = officer.post(path, verdict="same", why="documents-compared")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/cases/{first}?done=decided")
    after = officer.get(f"/cases/{first}?done=decided")
    assert "The same person: the documents were compared" in after
    assert "ba-officer" in after
    decided = [row for row in journalled(gateway.rt.engine) if row["event"] == "resemblance.decided"]
    assert [row["case_id"] for row in decided] == [first, second]


async def test_decision_without_a_reason_is_sent_back(gateway: Gateway, officer: Officer, pair: tuple[int, int]) -> None:
    path = f"/cases/{pair[0]}/resemblance/{pair[1]}"
    for fields in ({"verdict": "same"}, {"why": "person-asked"}, {"verdict": "merge", "why": "person-asked"}):
        answer = officer.post(path, **fields)
        assert answer.status_code == 400
        check_page(answer.text)
    assert not [row for row in journalled(gateway.rt.engine) if row["event"] == "resemblance.decided"]


async def test_comparing_two_cases_is_journalled_as_a_reading_of_both(
    gateway: Gateway, officer: Officer, pair: tuple[int, int]
) -> None:
    officer.get(f"/cases/{pair[0]}/resemblance/{pair[1]}")
    assert {row["case_id"] for row in journalled(gateway.rt.engine) if row["event"] == "case.read"} == set(pair)


async def test_zone_is_laid_beside_the_application(officer: Officer, gateway: Gateway, pair: tuple[int, int]) -> None:
    path = f"/cases/{pair[0]}/mrz"
    check_page(officer.get(path))
    answer = officer.post(path, zone=ZONE)
    assert answer.status_code == 200
    check_page(answer.text)
    assert "All check digits fit" in answer.text
    assert answer.text.count("Agrees") == 7
    changed = officer.post(path, zone=ZONE.replace("910301", "920301").replace("AHMED", "AISHA"))
    assert changed.text.count("Differs") == 2
    assert "The check digit of the date of birth does not fit (line 2, position 20)" in changed.text
    assert "KHAN" not in str(journalled(gateway.rt.engine))


async def test_zone_that_is_none_is_sent_back_with_its_place(officer: Officer, pair: tuple[int, int]) -> None:
    answer = officer.post(f"/cases/{pair[0]}/mrz", zone=ZONE[:-1])
    assert answer.status_code == 400
    check_page(answer.text)
    assert "mrz-invalid" in answer.text


async def test_other_authority_finds_neither_page(gateway: Gateway, pair: tuple[int, int]) -> None:
    stranger = Officer(gateway, "rs-officer", authority="RS-MUP")
    for path in (f"/cases/{pair[0]}/mrz", f"/cases/{pair[0]}/resemblance/{pair[1]}"):
        assert stranger.client.get(path).status_code == 404
    own = Officer(gateway, "ba-second")
    assert own.client.get(f"/cases/{pair[0]}/resemblance/999").status_code == 404


async def test_auditor_sees_neither_hints_nor_numbers(gateway: Gateway, pair: tuple[int, int]) -> None:
    auditor = Officer(gateway, "ba-auditor", role=AccountRole.AUDITOR)
    page = auditor.get(f"/cases/{pair[0]}")
    assert "May concern the same person" not in page
    assert "Personal numbers" not in page
    for path in (f"/cases/{pair[0]}/mrz", f"/cases/{pair[0]}/resemblance/{pair[1]}"):
        assert auditor.client.get(path).status_code == 403
