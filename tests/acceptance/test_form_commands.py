"""`gateway form`: a message on paper from the command line."""

import json
from pathlib import Path

from tests.gateways import EXAMPLES
from tests.paper import fill, require_pango
from tests.running import run

APPLICATION = EXAMPLES / "ReadmissionApplication-own-national.xml"


def test_print_view_needs_no_key_and_no_extra(tmp_path: Path) -> None:
    out = tmp_path / "form.html"
    done = run("form", "print", APPLICATION, "--language", "sq", "--html", "--unsigned", "--out", out, "--json", cwd=tmp_path)
    assert done.code == 0, done.err
    assert json.loads(done.out)["signed"] is False
    assert "Kërkesë për ripranim" in out.read_text(encoding="utf-8")


def test_language_that_is_no_tag_is_told(tmp_path: Path) -> None:
    done = run(
        "form", "print", APPLICATION, "--language", "../x", "--html", "--unsigned", "--out", tmp_path / "x", cwd=tmp_path
    )
    assert (done.code, "labels-invalid" in done.out) == (4, True)


def test_form_is_printed_from_a_file_or_a_message_and_not_from_both(tmp_path: Path) -> None:
    assert run("form", "print", "--out", tmp_path / "x", cwd=tmp_path).code == 2
    assert run("form", "print", APPLICATION, "--message", "x", "--out", tmp_path / "x", cwd=tmp_path).code == 2


def test_reply_form_goes_out_and_comes_back_as_a_draft(tmp_path: Path, config: Path) -> None:
    require_pango()
    signed, blank, filled, reply = (tmp_path / name for name in ("signed.xml", "blank.pdf", "filled.pdf", "reply.xml"))
    assert run("sign", APPLICATION, "--as", "BA-MS", "--out", signed, "--config", config, cwd=tmp_path).code == 0
    done = run("form", "reply", signed, "--language", "ur", "--out", blank, "--config", config, cwd=tmp_path)
    assert done.code == 0, done.err + done.out
    said = {"outcome": "refused", "decision_date": "3.12.2026", "reason_1": "incomplete", "name": "SPECIMEN OFFICIAL"}
    filled.write_bytes(fill(blank.read_bytes(), said))
    done = run("form", "read", filled, "--application", signed, "--out", reply, "--json", "--config", config, cwd=tmp_path)
    answer = json.loads(done.out)
    assert (done.code, answer["matches"], answer["fields"]["decided_on"]) == (0, True, "2026-12-03")
    assert b"<Outcome>refused</Outcome>" in reply.read_bytes()

    filled.write_bytes(fill(blank.read_bytes(), said | {"digest": "0" * 64}))
    refused = run("form", "read", filled, "--application", signed, "--json", "--config", config, cwd=tmp_path)
    assert (refused.code, json.loads(refused.out)["error"]["code"]) == (1, "form-mismatch")


def test_message_that_this_gateway_does_not_have_is_neither_printed_nor_delivered(tmp_path: Path, config: Path) -> None:
    nobody = "019ab4d2-7c40-7a11-8f02-000000000000"
    printed = run("form", "print", "--message", nobody, "--out", tmp_path / "x.pdf", "--config", config, "--json", cwd=tmp_path)
    words = (
        "--kind",
        "courier",
        "--at",
        "2026-06-01T10:00:00+05:00",
        "--reference",
        "R 1",
        "--by",
        "officer.one",
        "--for",
        "PK-MOI",
    )
    delivered = run("form", "delivered", nobody, *words, "--config", config, "--json", cwd=tmp_path)
    for done in (printed, delivered):
        assert (done.code, json.loads(done.out)["error"]["code"]) == (1, "not-found"), done.err
    stranger = (*words[:-1], "DE-BPOL")  # speaks for an authority that is not at home here
    refused = run("form", "delivered", nobody, *stranger, "--config", config, "--json", cwd=tmp_path)
    assert (refused.code, json.loads(refused.out)["error"]["code"]) == (4, "not-home")
    naive = run(
        "form", "delivered", nobody, *words[:2], "--at", "2026-06-01T10:00:00", *words[4:], "--config", config, cwd=tmp_path
    )
    assert naive.code == 2
