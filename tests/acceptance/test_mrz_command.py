"""`gateway mrz` reads the machine readable zone of a document, and says which check digits do not fit."""

from pathlib import Path

from tests.running import run

PASSPORT = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10\n"


def test_a_passport_is_read_with_the_rule_of_its_century(tmp_path: Path) -> None:
    (tmp_path / "zone.txt").write_text(PASSPORT, encoding="ascii")
    found = run("mrz", "zone.txt", "--json", cwd=tmp_path).json
    assert (found["kind"], found["family"], found["given"], found["valid"]) == ("TD3", "ERIKSSON", "ANNA MARIA", True)
    assert found["birth"]["date"] == "1974-08-12"
    assert "not in the future" in found["birth"]["rule"]


def test_a_wrong_check_digit_is_told_and_refuses_nothing(tmp_path: Path) -> None:
    (tmp_path / "zone.txt").write_text(PASSPORT.replace("L898902C36", "L898902C35"), encoding="ascii")
    done = run("mrz", "zone.txt", cwd=tmp_path)
    assert done.code == 0
    assert "the check digit of number (line 2, column 10) does not fit" in " ".join(done.out.split())


def test_what_is_no_zone_is_refused_without_being_repeated(tmp_path: Path) -> None:
    (tmp_path / "zone.txt").write_text("SPECIMEN NAMUNA", encoding="ascii")
    done = run("mrz", "zone.txt", "--json", cwd=tmp_path)
    assert (done.code, done.json["error"]["code"]) == (1, "mrz-invalid")
    assert "SPECIMEN" not in done.out + done.err


def test_bytes_that_are_no_signs_of_a_zone_are_refused(tmp_path: Path) -> None:
    (tmp_path / "zone.txt").write_bytes(b"\xff\xfe")
    assert run("mrz", "zone.txt", cwd=tmp_path).code == 1
