"""What a message says does no harm where it is written out again: a log, a page, a terminal, a report (row 34)."""

import io
import json
from pathlib import Path

import pytest
import structlog

from gateway import log
from gateway.cli.output import console, print_error
from gateway.errors import SchemaViolation
from gateway.web.rendering import _name, environment
from tests.attacks.forged import keys
from tests.running import call, write_settings

EVIL = "x\nmessage.accepted code=none\r\x1b[2J\u2028<script>alert(1)</script>"


@pytest.mark.parametrize("as_json", [True, False])
def test_value_with_line_feeds_stays_one_line_of_the_log(as_json: bool) -> None:
    out = io.StringIO()
    log.set_up(as_json=as_json, stream=out)
    structlog.get_logger().warning("message.refused", code="x", path=EVIL)
    assert out.getvalue().count("\n") == 1
    assert out.getvalue().endswith("\n")
    assert "\x1b" not in out.getvalue()
    assert "\r" not in out.getvalue()


def test_name_of_a_person_is_text_on_a_page() -> None:
    assert "<script" not in _name(EVIL, None)
    assert "&lt;script&gt;" in _name(EVIL, None)


def test_every_template_escapes_what_it_is_given() -> None:
    assert environment().autoescape is True
    folder = Path(log.__file__).parent / "web" / "templates"
    for path in folder.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "|safe" not in text.replace(" ", ""), path.name
        assert "autoescape false" not in text, path.name


def test_markup_of_the_terminal_in_an_error_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    print_error(SchemaViolation("the value [red]is[/red] [/none] bad", path="/a[1]"), as_json=False)
    assert "[red]is[/red] [/none]" in capsys.readouterr().out
    console().print("still here")


def test_file_name_that_looks_like_markup_is_told_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_settings(tmp_path, keys())
    example = Path(__file__).resolve().parents[2] / "schemas/readmission/1.0/examples/ReadmissionApplication-own-national.xml"
    out = tmp_path / "[" / "red].xml"
    out.parent.mkdir()
    done = call("sign", example, "--as", "BA-MS", "--out", out, "--config", config, monkeypatch=monkeypatch)
    assert done.code == 0
    assert str(out) in done.out


@pytest.mark.parametrize("name", ["=cmd|calc!A1.xml", "\udcff.xml", "a\nb.xml"])
def test_odd_file_name_is_refused_or_read_without_a_traceback(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write_settings(tmp_path, keys())
    for as_json in (["--json"], []):
        done = call("verify", tmp_path / name, *as_json, "--config", config, monkeypatch=monkeypatch)
        assert done.code == 1
        assert not as_json or json.loads(done.out)["code"] == "not-a-file"
