"""Which application is played: one that the partner's own format can carry, its own example where no other fits."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.errors import Refused
from gateway.flow.ports import Runtime
from gateway.settings import Settings
from gateway.simulation.cast import find_cast
from gateway.wiring.simulated import folders_only
from tests.cookbook import partners_of_the_cookbook
from tests.running import call


@pytest.fixture
def narrow(tmp_path: Path) -> Path:
    """Partner folders in which xa takes rows of CSV that happened in one place, of which no shipped example tells."""
    partners = partners_of_the_cookbook(tmp_path / "book", "row-csv")
    schema = partners / "xa" / "dialects" / "row-csv" / "schema.json"
    place = '"place": {"type": "string", "minLength": 1}'
    assert place in schema.read_text("utf-8")
    schema.write_text(schema.read_text("utf-8").replace(place, '"place": {"const": "Exampleton"}'), "utf-8")
    return partners


@pytest.fixture
def rt(narrow: Path) -> Iterator[Runtime]:
    with folders_only(Settings(home=("BA-MS",), partners=narrow)) as runtime:
        yield runtime


def test_format_that_can_carry_no_example_says_where(rt: Runtime) -> None:
    with pytest.raises(Refused) as refused:
        find_cast(rt, "xa")
    assert refused.value.path  # of the first that was tried


def test_partners_own_example_is_played_where_no_other_can_be_carried(
    rt: Runtime, narrow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = narrow / "xa" / "dialects" / "row-csv" / "examples"
    own = examples / "canonical" / "own.xml"  # a name that no shipped example has
    own.parent.mkdir()
    words = ("translate", examples / "own-national.csv", "--from", "xa/row-csv", "--to", "canonical", "--partners", narrow)
    assert call(*words, "--out", own, monkeypatch=monkeypatch).code == 0
    cast = find_cast(rt, "xa")
    assert (cast.ours, cast.theirs, cast.example) == ("BA-MS", "XA-MIA", "own")
