"""`gateway mrz` and `gateway case hints` as people and scripts call them."""

from pathlib import Path

import pytest

from gateway.flow.resemblances import Verdict, decide, make_searchable
from tests.flow.test_resemblances import opened
from tests.forging import journalled
from tests.gateways import Gateway
from tests.running import call, run

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
    assert (found["verdict"], found["format"], found["warnings"]) == ("valid", "TD3", [])
    assert found["fields"]["birth"] == {
        "said": "740812",
        "reading": "1974-08-12",
        "other": None,
        "rule": "latest-not-in-future",
    }
    assert found["suggested"]["document"]["Number"] == "L898902C3"
    assert {check["name"] for check in found["checks"]} == {"number", "birth", "expiry", "optional", "composite"}


def test_zone_may_be_the_argument_itself(told) -> None:
    assert told("mrz", ZONE.replace("\n", ""), *AT)["verdict"] == "valid"


def test_zone_with_a_wrong_digit_is_told_by_its_place(told, zone: Path, tmp_path: Path) -> None:
    zone.write_text(ZONE.replace("UTO7408122F", "UTO7408123F"), encoding="utf-8")
    assert [warning["path"] for warning in told("mrz", zone, code=1)["warnings"]] == [
        "line 2, position 20",
        "line 2, position 44",
    ]
    people = run("mrz", zone, cwd=tmp_path)
    assert people.code == 1
    assert "mrz-check-digit" in people.out


def test_zone_of_a_protected_person_warns_before_anything_leaves(told) -> None:
    protected = ZONE.replace("6UTO740812", "6XXB740812")
    assert [warning["code"] for warning in told("mrz", protected.replace("\n", ""), *AT)["warnings"]] == ["mrz-protected"]


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "empty-document"), (b"\xff\xfe", "not-text"), (b"no zone", "mrz-shape"), (ZONE[:-1].encode(), "mrz-shape")],
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
