"""Every refusal has one stable code, and the page of codes tells the truth."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import gateway
from gateway import errors
from gateway.errors import GatewayError, Misconfigured, Refused, Unavailable, catalogue

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "errors.md"
FAMILIES = {"refused": Refused, "unavailable": Unavailable, "misconfigured": Misconfigured}
EXIT_CODES = {"refused": 1, "unavailable": 3, "misconfigured": 4}

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, GatewayError) and kind not in {GatewayError, *FAMILIES.values()}
]


def rows() -> dict[str, list[str]]:
    """Return the rows of the page by code; the cells are family, meaning, who, retry, example."""
    found: dict[str, list[str]] = {}
    for line in PAGE.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 6 and cells[0].startswith("`"):
            assert cells[0] not in found, f"{cells[0]} stands twice on the page"
            found[cells[0].strip("`")] = cells[1:]
    return found


def test_no_two_errors_share_a_code() -> None:
    codes = [kind.code for kind in [GatewayError, *FAMILIES.values(), *KINDS]]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_code_is_written_in_small_letters_with_hyphens(kind: type[GatewayError]) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", kind.code)
    assert len(kind.code) <= 40  # the width of its column in the database


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_error_belongs_to_one_family_that_says_who_must_act(kind: type[GatewayError]) -> None:
    assert sum(issubclass(kind, family) for family in FAMILIES.values()) == 1


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_exit_code_follows_from_the_family(kind: type[GatewayError]) -> None:
    family = next(name for name, base in FAMILIES.items() if issubclass(kind, base))
    assert kind.exit_code == EXIT_CODES[family]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_stands_on_the_page_with_its_family(kind: type[GatewayError]) -> None:
    assert issubclass(kind, FAMILIES[rows()[kind.code][0]])


def test_page_names_no_error_that_is_not_there() -> None:
    assert set(rows()) == {kind.code for kind in KINDS}


@pytest.mark.parametrize("code", sorted(rows()))
def test_page_says_what_each_code_means_who_acts_and_shows_a_sentence(code: str) -> None:
    _, meaning, who, retry, example = rows()[code]
    assert meaning
    assert who
    assert retry
    assert example[0].isupper()


def test_families_stand_on_the_page_with_their_exit_codes() -> None:
    page = PAGE.read_text("utf-8")
    for family, exit_code in EXIT_CODES.items():
        assert re.search(rf"\| `{family}` \|.*\| {exit_code} \|", page)


def test_catalogue_holds_every_error() -> None:
    found = catalogue()
    assert {kind.code: kind for kind in KINDS}.items() <= found.items()
    assert set(found) - {kind.code for kind in KINDS} <= set(FAMILIES)


def test_errors_are_defined_in_one_place_only() -> None:
    for module in pkgutil.walk_packages(gateway.__path__, "gateway."):
        if ".migrations" in module.name or module.name == "gateway.__main__":
            continue
        for kind in vars(importlib.import_module(module.name)).values():
            if isinstance(kind, type) and issubclass(kind, GatewayError):
                assert kind.__module__ == "gateway.errors", f"{kind.__name__} is defined in {kind.__module__}"


def test_error_is_one_json_object_for_every_reader() -> None:
    error = errors.BadValue("the value is not a date", path="/Osoba/DatumRodjenja", line=12)
    assert error.as_dict() == {
        "code": "bad-value",
        "path": "/Osoba/DatumRodjenja",
        "line": 12,
        "message": "the value is not a date",
    }
    assert str(error) == error.message


def test_place_that_is_not_known_is_said_to_be_unknown() -> None:
    found = errors.NotHome("this gateway is not home to AT-BMI").as_dict()
    assert (found["path"], found["line"]) == (None, None)
