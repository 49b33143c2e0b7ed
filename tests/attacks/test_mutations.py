"""Good documents, damaged: any bytes give a verdict or one of our errors, at every way in and through every command.

The same few thousand damages each time: a failure can be repeated.
"""

import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import catalogue
from tests.attacks.forged import keys
from tests.attacks.mutated import mutated
from tests.fuzz.entrances import NOW, Entrance, entrances, runtime
from tests.running import call, write_settings

STEADY = settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
NAMES = (
    "xml",
    "json",
    "envelope",
    "seal",
    "sealing-key",
    "revocation-list",
    "revocation-answer",
    "timestamp",
    "message",
    "mrz",
    "dialect-at-bmi-json",
    "dialect-ba-ms-xml",
    "dialect-eg-moi-xslt",
    "dialect-in-mha-xlsx",
    "dialect-lk-die-csv",
    "dialect-pk-moi-json",
    "dialect-rs-mup-xml",
    "dialect-tn-mi-lines",
    "dialect-xk-canonical",
)


@cache
def ways_in() -> dict[str, Entrance]:
    return dict(entrances(runtime(keys())))


def test_every_way_in_is_tried_and_of_partners_one_of_each_format() -> None:
    assert set(NAMES) <= set(ways_in())
    left_out = set(ways_in()) - set(NAMES)
    assert {name.partition("-")[0] for name in left_out} == {"dialect"}
    assert {name.rpartition("-")[2] for name in left_out} <= {name.rpartition("-")[2] for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_way_in_takes_its_own_corpus(name: str) -> None:
    entrance = ways_in()[name]
    taken = [entrance.try_(body) for body in entrance.corpus]
    assert any(taken) or name == "json"  # of JSON alone the corpus is what is broken


@pytest.mark.parametrize("name", NAMES)
@settings(STEADY, max_examples=300)
@given(data=st.data())
def test_damaged_document_gets_a_verdict_or_one_of_our_errors(name: str, data: st.DataObject) -> None:
    entrance = ways_in()[name]
    entrance.try_(data.draw(mutated(entrance.corpus)))


# --- the commands -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    write_settings(folder, keys())
    return folder


COMMANDS = {
    "verify": ("envelope", ("--at", NOW.isoformat())),
    "open": ("seal", ("--as", "PK-MOI", "--out", "opened.xml", "--at", NOW.isoformat())),
    "check": ("message", ()),
    "check-dialect": ("dialect-ba-ms-xml", ("--dialect", "ba/ms-xml")),
    "translate": ("dialect-ba-ms-xml", ("--from", "ba/ms-xml", "--to", "pk/moi-json")),
    "translate-json": ("dialect-pk-moi-json", ("--from", "pk/moi-json", "--to", "canonical")),
    "sign": ("message", ("--as", "BA-MS", "--out", "signed.xml")),
}


def codes(told: object) -> list[str]:
    """Return every code in the JSON of a refusal."""
    assert isinstance(told, dict)
    if "error" in told:
        return [told["error"]["code"]]
    if "errors" in told:
        return [each["code"] for each in told["errors"]]
    return [told["code"]] if told.get("code") else []


@pytest.mark.parametrize("name", COMMANDS)
@settings(STEADY, max_examples=25)
@given(data=st.data())
def test_command_on_a_damaged_file_ends_with_a_code_and_no_traceback(
    name: str, data: st.DataObject, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    way, options = COMMANDS[name]
    work = Path(tempfile.mkdtemp(dir=desk))
    (work / "file").write_bytes(data.draw(mutated(ways_in()[way].corpus)))
    words = [str(work / word) if word.endswith(".xml") and "/" not in word else word for word in options]
    command = name.partition("-")[0]
    done = call(command, work / "file", *words, "--json", "--config", desk / "gateway.toml", monkeypatch=monkeypatch)
    shutil.rmtree(work)
    assert done.code in {0, 1, 4}
    assert "Traceback" not in done.err
    told = codes(done.json)
    assert bool(told) == bool(done.code)
    assert set(told) <= set(catalogue())
