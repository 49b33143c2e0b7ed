"""The numbers of docs/scale.md are those that the simulation gives from what was measured."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def scale() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scale", ROOT / "benchmarks" / "scale.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["scale"] = module  # its dataclasses look there
    spec.loader.exec_module(module)
    return module


def test_document_quotes_what_the_simulation_prints(scale: ModuleType) -> None:
    text = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    assert scale.report(scale.read()) in text


def test_year_of_the_simulation_holds_all_its_messages(scale: ModuleType) -> None:
    found = scale.year()
    assert found.mean_per_s < found.busiest_hour_per_s < found.busiest_second
    assert scale.MESSAGES_A_YEAR / 365 < found.busiest_day < scale.MESSAGES_A_YEAR / 52


def test_what_breaks_first_stands_first(scale: ModuleType) -> None:
    _, _, *rows = scale.limits_table(scale.year(), scale.read())
    reached = [float(row.split("|")[3].replace(",", "")) for row in rows]
    assert reached == sorted(reached)
