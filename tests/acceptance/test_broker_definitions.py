"""`gateway broker definitions`: from the partner folder to a file for RabbitMQ."""

import json
from pathlib import Path

from tests.running import run


def test_definitions_are_printed_for_the_partners_that_are_named(tmp_path: Path) -> None:
    done = run("broker", "definitions", "rs", "ba", cwd=tmp_path)

    assert done.code == 0
    assert [each["name"] for each in json.loads(done.out)["vhosts"]] == ["ba", "rs"]


def test_definitions_are_written_for_every_partner_where_none_is_named(tmp_path: Path) -> None:
    done = run("broker", "definitions", "--out", tmp_path / "made.json", "--json", cwd=tmp_path)

    made = json.loads((tmp_path / "made.json").read_text())
    assert done.json["vhosts"] == len(made["vhosts"]) > 2
    assert done.json["permissions"] == len(made["vhosts"]) ** 2


def test_partner_that_is_not_known_is_refused(tmp_path: Path) -> None:
    done = run("broker", "definitions", "zz", "--out", tmp_path / "made.json", "--json", cwd=tmp_path)

    assert done.json["error"]["code"] == "unknown-partner"
    assert not (tmp_path / "made.json").exists()
