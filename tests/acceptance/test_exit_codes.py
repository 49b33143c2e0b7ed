"""Exit codes and what stands on standard output, for every command as a process or through its own entrance."""

import json
import shutil
from functools import lru_cache
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand

from gateway.cli import main as entrance
from gateway.errors import catalogue
from gateway.settings import data_folder
from gateway.transport import installed
from scripts.make_docs import commands
from scripts.make_vectors import FOLDER
from tests.running import call, run, write_settings

EXAMPLES = data_folder("schemas") / "readmission" / "1.0" / "examples"
APPLICATION = EXAMPLES / "ReadmissionApplication-own-national.xml"
START = "2026-06-01T10:15:00+02:00"
EXPECTED: dict[str, str] = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))


application = lru_cache(entrance.build)  # made once per command, not once per document


@pytest.fixture
def config(tmp_path: Path, sqlite_url: str, keys: Path) -> Path:
    return write_settings(tmp_path, keys, database=sqlite_url)


# --- one real command for each code ------------------------------------------------------------------------------------


def test_done_is_0(config: Path, tmp_path: Path) -> None:
    done = run("check", APPLICATION, "--json", "--config", config, cwd=tmp_path)
    assert (done.code, done.err, done.json["verdict"]) == (0, "", "accepted")


def test_refused_is_1(config: Path, tmp_path: Path) -> None:
    done = run("check", FOLDER / "cut_off.xml", "--json", "--config", config, cwd=tmp_path)
    assert (done.code, done.err, done.json["verdict"]) == (1, "", "refused")


def test_wrong_usage_is_2(tmp_path: Path) -> None:
    done = run("check", "--json", cwd=tmp_path)
    assert done.code == 2
    assert done.json["error"]["code"] == "wrong-usage"
    assert "file" in done.err.lower()


def test_unavailable_is_3(keys: Path, tmp_path: Path) -> None:
    config = write_settings(tmp_path, keys, database="postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")
    done = run("case", "list", "--json", "--config", config, cwd=tmp_path)
    assert (done.code, done.err, done.json["error"]["code"]) == (3, "", "database-unavailable")


def test_misconfigured_is_4(tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text('nonsense = "x"\n', encoding="utf-8")
    done = run("partner", "list", "--json", cwd=tmp_path)
    assert (done.code, done.err, done.json["error"]["code"]) == (4, "", "settings-invalid")


def test_settings_file_that_is_not_there_is_4(tmp_path: Path) -> None:
    assert run("partner", "list", "--config", tmp_path / "none.toml", cwd=tmp_path).code == 4


def test_errors_for_people_are_one_sentence_without_a_traceback(tmp_path: Path) -> None:
    done = run("sign", tmp_path, "--as", "BA-MS", "--out", "x", cwd=tmp_path)
    assert (done.code, done.err) == (1, "")
    assert done.out == "not-a-file: this is a folder, not a document (at /)\n"


def test_broker_that_is_missing_is_one_sentence_with_exit_3(
    monkeypatch: pytest.MonkeyPatch, keys: Path, tmp_path: Path
) -> None:
    monkeypatch.setattr(installed, "_PLACES", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    own = Path(shutil.copytree(keys, tmp_path / "keys"))  # the demonstration adds those of every authority
    words = ("demo", "--broker", "rabbitmq", "--out", tmp_path / "out", "--config", write_settings(tmp_path, own))
    done = call(*words, monkeypatch=monkeypatch)
    assert done.code == 3
    assert done.out.splitlines()[-1].startswith("broker-missing: RabbitMQ is not installed")
    assert "Traceback" not in done.out + done.err
    done = call(*words, "--json", monkeypatch=monkeypatch)
    assert (done.code, done.json["error"]["code"]) == (3, "broker-missing")


# --- every broken document, by every command that reads one --------------------------------------------------------------

WAYS: dict[str, tuple[str, ...]] = {
    "check": (),
    "translate": ("--from", "canonical", "--to", "pk/moi-json", "--out", "written"),
    "sign": ("--as", "BA-MS", "--out", "written"),
    "seal": ("--as", "BA-MS", "--to", "PK-MOI", "--out", "written"),
    "verify": (),
    "open": ("--as", "PK-MOI", "--out", "written"),
}


# `check` alone knows who takes part; the others would only say the same of each further document with the same code.
ONE_OF_EACH = sorted({code: name for name, code in EXPECTED.items() if code != "unknown-authority"}.values())
READINGS = [("check", name) for name in sorted(EXPECTED)] + [
    (way, name) for way in WAYS if way != "check" for name in ONE_OF_EACH
]


@pytest.mark.parametrize(("way", "name"), READINGS)
def test_broken_document_is_refused_with_one_json_document(
    way: str, name: str, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(entrance, "build", application)
    monkeypatch.setenv("GATEWAY_KEYS", str(keys))
    done = call(way, FOLDER / name, *WAYS[way], "--json", monkeypatch=monkeypatch)
    assert (done.code, done.err) == (1, "")
    told = done.json
    codes = (
        {told["error"]["code"]}
        if "error" in told
        else {told["code"]}
        if way == "verify"
        else {e["code"] for e in told["errors"]}
    )
    assert codes <= set(catalogue())
    assert not (tmp_path / "written").exists(), "a partial write"


@pytest.mark.parametrize("name", ["photograph.bin", "empty.xml", "json_half_of_a_surrogate_pair.json", "entity_expansion.xml"])
def test_broken_document_leaves_no_traceback_of_the_process(name: str, tmp_path: Path) -> None:
    done = run("check", FOLDER / name, cwd=tmp_path)
    assert done.code == 1
    assert done.err == ""
    assert done.out.startswith(f"refused {name}")


# --- the commands there are --------------------------------------------------------------------------------------------

OWED = {
    "check", "translate", "mrz", "sign", "verify", "seal", "open", "deadline", "deadline whatif", "treaty list", "treaty show",
    "treaty check", "calendar list", "calendar show", "calendar confirm", "calendar add", "calendar remove", "partner list",
    "partner apply", "partner check", "partner draft", "partner new", "partner words",
    "partner kit", "partner admit", "partner production", "partner suspend",
    "partner resume", "partner show", "partner passes", "partner pass verify", "simulate",
    "case list", "case show", "case reverse-lapse", "case durations", "journal verify",
    "queue list", "queue again", "queue parked", "queue replay", "queue drop",
    "broker definitions",
    "case hints", "certs check", "certs grace", "case export", "case erase", "verify-case",
    "form print", "form reply", "form read", "form delivered",
    "keys new", "keys certificate", "keys list", "keys rotate", "keys revoke", "keys publish", "doctor", "demo", "serve", "run",
}  # fmt: skip


def test_every_command_that_is_owed_is_there() -> None:
    assert {name.removeprefix("gateway ") for name in commands()} == OWED


@pytest.mark.parametrize(("name", "command"), commands().items())
def test_command_takes_json_with_config(name: str, command: TyperCommand) -> None:
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--json", "--config"} <= options


@pytest.mark.parametrize(("name", "command"), commands().items())
def test_help_explains_with_an_example(name: str, command: TyperCommand) -> None:
    text = f"{command.help}\n{command.epilog or ''}"
    assert "Example" in text
    assert f"{name} " in text.partition("Example")[2].replace("`", " ") + " ", "the example is of another command"
    undescribed = [parameter.name for parameter in command.params if not getattr(parameter, "help", None)]
    assert set(undescribed) <= {"file"}


def test_table_of_commands_is_what_the_modules_register() -> None:
    for module in set(entrance.COMMANDS.values()):
        app = typer.Typer()
        app.callback()(lambda: None)
        import_module(f"gateway.cli.{module}").register(app)
        registered = set(typer.main.get_group(app).commands)
        assert registered == {word for word, holder in entrance.COMMANDS.items() if holder == module}


def test_help_lists_every_command(tmp_path: Path) -> None:
    done = run("--help", cwd=tmp_path)
    assert done.code == 0
    assert [word for word in entrance.COMMANDS if f" {word} " not in done.out] == []


def test_version_needs_no_command(tmp_path: Path) -> None:
    done = run("--version", cwd=tmp_path)
    assert (done.code, done.out.startswith("gateway ")) == (0, True)


@pytest.mark.parametrize(
    ("words", "kept_out"),
    [
        (
            ("check", APPLICATION),
            ("fastapi", "uvicorn", "aio_pika", "sqlalchemy", "alembic", "cryptography", "jinja2", "xmlschema"),
        ),
        (
            ("deadline", "--treaty", "eu-rs", "--limit", "reply", "--start", START),
            ("fastapi", "aio_pika", "sqlalchemy", "lxml"),
        ),
        (("sign", "--help"), ("fastapi", "aio_pika", "sqlalchemy")),
        (("case", "--help"), ("fastapi", "aio_pika")),
    ],
)
def test_command_loads_only_what_it_needs(words: tuple[object, ...], kept_out: tuple[str, ...], tmp_path: Path) -> None:
    done = run(*words, cwd=tmp_path, env={"PYTHONPROFILEIMPORTTIME": "1"})
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.err.splitlines()}
    assert done.code == 0
    assert "typer" in loaded
    assert loaded & set(kept_out) == set()


# --- standard output with --json -----------------------------------------------------------------------------------------

SHOWS: dict[str, tuple[object, ...]] = {
    "deadline": ("--treaty", "eu-rs", "--limit", "reply", "--start", START),
    "treaty list": (),
    "treaty show": ("eu-rs",),
    "treaty check": (),
    "calendar list": (),
    "calendar show": ("rs",),
    "case durations": (),
    "partner list": (),
    "partner words": (),
    "partner show": ("pk",),
    "partner passes": (),
    "case list": (),
    "journal verify": (),
    "queue list": (),
    "queue parked": (),
    "keys list": (),
    "doctor": (),
}


@pytest.mark.parametrize("name", SHOWS)
def test_command_prints_one_json_document(name: str, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = call(*name.split(), *SHOWS[name], "--json", "--config", config, monkeypatch=monkeypatch)
    assert (done.code, done.err) == (0, "")
    assert isinstance(done.json, dict)


@pytest.mark.parametrize("name", SHOWS)
def test_command_says_the_same_to_people(name: str, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = call(*name.split(), *SHOWS[name], "--config", config, monkeypatch=monkeypatch)
    assert (done.code, done.err) == (0, "")
    assert done.out.strip()
    assert not done.out.startswith("{")


@pytest.mark.parametrize("name", sorted({*SHOWS, "case show", "check", "sign", "keys new", "serve", "run", "demo"}))
def test_error_is_one_json_document_too(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = {"case show": ("1",), "check": (APPLICATION,), "keys new": ("--development",), "run": ("api",)}
    more["sign"] = (APPLICATION, "--as", "BA-MS", "--out", str(tmp_path / "x"))
    words = (*name.split(), *more.get(name, SHOWS.get(name, ())))
    done = call(*words, "--json", "--config", tmp_path / "none.toml", monkeypatch=monkeypatch)
    assert (done.code, done.err) == (4, "")
    assert done.json["error"].keys() == {"code", "path", "line", "message"}


def test_documents_of_a_whole_job_pass_from_command_to_command(config: Path, tmp_path: Path) -> None:
    shutil.copy(APPLICATION, tmp_path / "application.xml")
    steps = (
        ("seal", "application.xml", "--as", "BA-MS", "--to", "PK-MOI", "--out", "sealed"),
        ("open", "sealed", "--as", "PK-MOI", "--out", "opened.xml", "--envelope", "signed.xml"),
        ("verify", "signed.xml"),
        ("check", "opened.xml"),
        (
            "translate",
            "opened.xml",
            "--from",
            "canonical",
            "--to",
            "pk/moi-json",
            "--out",
            "own.json",
            "--report",
            "report.json",
        ),
    )
    for step in steps:
        done = run(*step, "--json", "--config", config, cwd=tmp_path)
        assert (done.code, done.err) == (0, ""), (step, done.out)
        assert done.json
    assert json.loads((tmp_path / "own.json").read_text(encoding="utf-8"))["documentType"] == "READMISSION_REQUEST"
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["to"] == "pk/moi-json"
