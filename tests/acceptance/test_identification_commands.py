"""`gateway mrz` and `gateway case hints` as people and scripts call them."""

from pathlib import Path

import pytest

from gateway.flow.resemblances import Verdict, decide, make_searchable
from tests.forging import journalled
from tests.gateways import Gateway
from tests.look_alikes import opened
from tests.running import call

pytestmark = pytest.mark.anyio

ZONE = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"  # ICAO 9303-4
AT = ("--at", "2026-11-24T12:00:00Z")


@pytest.fixture
def zone(tmp_path: Path) -> Path:
    file = tmp_path / "zone.txt"
    file.write_text(ZONE + "\n", encoding="utf-8")
    return file


def test_zone_in_a_file_is_read_with_its_dates_and_their_rules(told, zone: Path) -> None:
    found = told("mrz", zone, *AT)
    assert (found["valid"], found["kind"], found["warnings"]) == (True, "TD3", [])
    assert found["birth"] == {
        "text": "740812",
        "date": "1974-08-12",
        "other": None,
        "rule": "the latest year with these two digits that is not in the future",
    }
    assert found["suggested"]["document"]["Number"] == "L898902C3"
    assert {check["field"] for check in found["checks"]} == {"number", "birth", "expiry", "optional", "composite"}


def test_zone_may_be_the_argument_itself(told) -> None:
    assert told("mrz", ZONE.replace("\n", ""), *AT)["valid"]


def test_zone_of_a_protected_person_warns_before_anything_leaves(told) -> None:
    protected = ZONE.replace("6UTO740812", "6XXB740812")
    assert [warning["code"] for warning in told("mrz", protected.replace("\n", ""), *AT)["warnings"]] == ["protected"]


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "empty-document"), (b"\xff\xfe", "not-text"), (b"no zone", "mrz-invalid"), (ZONE[:-1].encode(), "mrz-invalid")],
)
def test_file_that_holds_no_zone_is_refused(told, zone: Path, content: bytes, code: str) -> None:
    zone.write_bytes(content)
    assert told("mrz", zone, code=1)["error"]["code"] == code


async def test_hints_of_a_case_have_scores_with_reasons(told, gateway: Gateway) -> None:
    first, second = opened(gateway, 1), opened(gateway, 2)
    make_searchable(gateway.rt)
    decide(first, second, Verdict.SAME, why="documents-compared", by="officer", homes=("BA-MS",), rt=gateway.rt)
    found = told("case", "hints", first)
    assert (found["case"], found["home"]) == (first, "BA-MS")
    (hint,) = found["hints"]
    assert (hint["case"], hint["score"]) == (second, 100)
    assert {"code", "points", "message"} == set(hint["reasons"][0])
    assert (hint["decided"]["verdict"], hint["decided"]["by"]) == ("same", "officer")
    assert "KHAN" not in str(found)
    assert [row["case_id"] for row in journalled(gateway.rt.engine) if row["event"] == "case.read"] == [first]


async def test_hints_in_words_name_no_person(config: Path, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    first = opened(gateway, 1)
    opened(gateway, 2)
    make_searchable(gateway.rt)
    done = call("case", "hints", first, "--config", config, monkeypatch=monkeypatch)
    assert done.code == 0
    assert "the same personal number" in done.out
    assert "KHAN" not in done.out


async def test_case_that_resembles_none_has_no_hints(told, gateway: Gateway) -> None:
    only = opened(gateway, 1)
    make_searchable(gateway.rt)
    assert told("case", "hints", only)["hints"] == []
    told("case", "hints", 999, code=1)
