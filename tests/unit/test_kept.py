"""A file of rows is kept as it was read, and parsed when somebody looks into it."""

from gateway.partners.dialects import load_dialect
from gateway.partners.kept import Kept
from gateway.settings import data_folder

FOLDER = data_folder("partners") / "at" / "dialects" / "bmi-json"


def test_values_are_those_of_the_file() -> None:
    assert Kept(b'version = "1"\n[rows]\nheader = [{here = "a"}]\n') == {"version": "1", "rows": {"header": [{"here": "a"}]}}


def test_keys_are_told_in_the_order_of_the_file() -> None:
    found = Kept(b"b = 1\na = 2\n")
    assert (list(found), len(found), "b" in found, found.get("c")) == (["b", "a"], 2, True, None)


def test_two_files_are_told_apart_when_they_are_looked_into_in_turn() -> None:
    one, other = Kept(b"a = 1\n"), Kept(b"a = 2\n")
    assert [one["a"], other["a"], one["a"]] == [1, 2, 1]


def test_file_that_changes_after_it_was_read_changes_nothing(tmp_path) -> None:
    for each in FOLDER.iterdir():
        if each.is_file():
            (tmp_path / each.name).write_bytes(each.read_bytes())
    dialect = load_dialect(tmp_path, "at")
    before = dict(dialect.mapping)
    (tmp_path / "mapping.toml").write_text("nothing = true\n", encoding="utf-8")
    assert dict(dialect.mapping) == before
    assert "messages" in before
