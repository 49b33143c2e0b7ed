"""What the documents say about the code is so: names exist, links lead somewhere, a word has one meaning."""

import ast
import builtins
import re
from functools import cache
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from gateway.domain.moves import CROSSING, Event
from gateway.errors import catalogue
from gateway.settings import data_folder
from scripts.make_docs import clocks_table, message_cycle_page, moves_table, values_page

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SCHEMAS = data_folder("schemas") / "readmission" / "1.0"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
NAMED = [DOCS / "message-cycle.md", DOCS / "divergences.md"]

_CODE = re.compile(r"`([^`\n]+)`")
_FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CODE_WORD = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+")  # an error code, the id of a rule, the id of a treaty


def text_of(page: Path) -> str:
    """Return a page without its pictures."""
    return _FENCE.sub("", page.read_text("utf-8"))


@cache
def names_of_the_code() -> frozenset[str]:
    """Return every function, class, parameter, field and module-level name of the code, and the types of the schema."""
    found: set[str] = set(dir(builtins))
    for path in (ROOT / "gateway").rglob("*.py"):
        found.add(path.stem)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    found.add(name)
                case ast.AnnAssign(target=ast.Name(id=name)):
                    found.add(name)
                case ast.Assign(targets=targets):
                    found |= {target.id for target in targets if isinstance(target, ast.Name)}
    for file in SCHEMAS.glob("*.xsd"):
        found |= {item.get("name", "") for item in ET.parse(file).iter() if item.get("name")}
    return frozenset(found)


@cache
def ids_of_the_data() -> frozenset[str]:
    """Return the codes of errors, the ids of rules between fields, treaties, reasons of a hold and authorities."""
    from gateway.domain.safeguards import HoldReason

    rules = ET.parse(SCHEMAS / "rules.sch").iter("{http://purl.oclc.org/dsdl/schematron}assert")
    treaties = (path.stem for path in (data_folder("partners") / "treaties").glob("*.toml"))
    return frozenset(
        {
            *catalogue(),
            "internal-error",
            *(rule.get("id", "") for rule in rules),
            *treaties,
            *(str(reason) for reason in HoldReason),
        }
    )


def claims() -> list[tuple[str, str]]:
    """Return page and word for everything in `code` that looks like a name of ours."""
    found = [(page.name, word) for page in NAMED for word in _CODE.findall(text_of(page))]
    return sorted({(page, word) for page, word in found if _WORD.fullmatch(word) or _CODE_WORD.fullmatch(word)})


def missing(word: str) -> bool:
    known = ids_of_the_data() if _CODE_WORD.fullmatch(word) else names_of_the_code()
    return word not in known and word not in {"type", "XK", "code"}  # words of standards that a page explains


def test_pages_make_claims_about_the_code() -> None:
    assert len(claims()) > 40


@pytest.mark.parametrize(("page", "word"), claims(), ids=lambda part: part)
def test_name_in_code_on_a_page_exists(page: str, word: str) -> None:
    assert not missing(word), f"{page} names `{word}`, which is not in the code"


@pytest.mark.parametrize("word", ["no_such_function", "no-such-rule"])
def test_name_that_does_not_exist_would_be_found(word: str) -> None:
    assert missing(word)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_to_files_that_are_there(page: Path) -> None:
    links = [link for link in _LINK.findall(text_of(page)) if not re.match(r"[a-z]+:|#", link)]
    assert [link for link in links if not (page.parent / link.partition("#")[0]).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_in_code_on_a_page_exist(page: Path) -> None:
    """A path that begins with a folder of this repository and names no placeholder is a claim."""
    heads = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    paths = [word for word in _CODE.findall(text_of(page)) if word.partition("/")[0] in heads and "/" in word]
    claimed = [path for path in paths if re.fullmatch(r"[A-Za-z0-9_./-]+", path)]
    assert [path for path in claimed if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_targets_of_make_on_a_page_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {name for words in _CODE.findall(page.read_text("utf-8")) for name in re.findall(r"^make ([a-z-]+)", words)}
    assert named <= targets


def glossary() -> list[str]:
    rows = re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|$", (DOCS / "glossary.md").read_text("utf-8"), re.MULTILINE)
    return [word for word, _ in rows if word not in {"word", "---"}]


def test_word_of_the_glossary_has_one_meaning() -> None:
    words = [part.strip().lower() for word in glossary() for part in word.split("/")]
    assert len(words) > 30
    assert sorted(words) == sorted(set(words))


def test_glossary_is_in_order() -> None:
    assert glossary() == sorted(glossary(), key=str.lower)


def test_decision_records_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((DOCS / "decisions").glob("[0-9]*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_tables_of_the_message_cycle_are_those_of_the_code() -> None:
    page = (DOCS / "message-cycle.md").read_text("utf-8")
    assert f"\n{moves_table()}\n<!-- end -->" in page, "run make docs"
    assert f"\n{clocks_table()}\n<!-- end -->" in page, "run make docs"
    assert message_cycle_page() == page


ARRIVING = {
    "agreement": Event.AGREEMENT,
    "refusal": Event.REFUSAL,
    "agreement to transit": Event.TRANSIT_AGREEMENT,
    "revocation": Event.TRANSIT_REVOCATION,
    "revocation of transit": Event.TRANSIT_REVOCATION,
    "notice of silence": Event.LAPSE,
    "transfer notification": Event.TRANSFER_NOTICE,
    "plan changed": Event.PLAN_CHANGED,
    "plan refused": Event.PLAN_REFUSED,
    "postponed": Event.POSTPONED,
    "refused at the border": Event.REFUSED_AT_BORDER,
    "not carried out": Event.NOT_CARRIED_OUT,
    "handed over": Event.HANDED_OVER,
    "withdrawal": Event.WITHDRAWAL,
}


def test_tables_of_values_are_those_of_the_converters() -> None:
    assert values_page() == (DOCS / "values.md").read_text("utf-8"), "run make docs"


def test_crossings_of_the_page_are_those_of_the_code_row_by_row() -> None:
    section = (DOCS / "message-cycle.md").read_text("utf-8").partition("## Messages that cross")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ") and not line.startswith(("| here", "| any"))]
    told: dict[tuple[str, Event], list[str]] = {}
    for here, arrives, becomes, why in ([cell.strip() for cell in line.strip("|").split("|")] for line in lines):
        assert why
        for state in here.split(", "):
            for word in arrives.split(", "):
                transit = state.startswith("transit") and word == "refusal"
                told[state, Event.TRANSIT_REFUSAL if transit else ARRIVING[word]] = becomes.split(", ")
    assert set(told) == {(str(state), event) for state, event in CROSSING}
    for (state, event), after in CROSSING.items():
        assert ("the same" if after is state else str(after)) in told[state, event], (state, event)
