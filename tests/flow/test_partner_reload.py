"""A changed partner folder is taken up whole by the running gateway, or refused whole with the reason in the journal."""

import shutil
from pathlib import Path

import pytest

from gateway.cli.partner_apply import put_in_place
from gateway.errors import MappingInvalid, NotAFile, PartnerInvalid
from gateway.flow.partner_watch import take_up
from gateway.settings import Settings, data_folder
from gateway.store.database import open_engine, upgrade
from gateway.transport.memory import MemoryHub
from tests.forging import journalled
from tests.gateways import make_gateway
from tests.running import run

MAPPING = "rs/dialects/mup-xml/mapping.toml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A partners folder of our own, without the examples, which take long."""
    shutil.copytree(data_folder("partners"), tmp_path / "partners", ignore=shutil.ignore_patterns("examples", "pk", "ba"))
    return tmp_path / "partners"


@pytest.fixture
def side(folder, tmp_path, keys, clock):
    return make_gateway(
        f"sqlite:///{tmp_path}/one.sqlite3", keys, clock, home=["RS-MUP"], hub=MemoryHub(clock=clock), partners=folder
    )


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def _told(side) -> list[tuple[str, dict]]:
    return [(row["event"], row["detail"]) for row in journalled(side.rt.engine) if row["event"].startswith("partners.")]


def test_nothing_is_done_while_nothing_changes(side) -> None:
    assert take_up(side.rt) is None
    assert _told(side) == []


def test_a_changed_name_is_known_at_once_and_journalled_with_version_files_and_owner(side, folder) -> None:
    _edit(folder / "at" / "partner.toml", 'name = "Republic of Austria"', 'name = "Austria"')
    take_up(side.rt)
    assert side.rt.partners.partner("at").name == "Austria"
    ((event, detail),) = _told(side)
    (change,) = detail["changes"]
    assert (event, change["part"], change["files"]) == ("partners.changed", "at", {"changed": ["partner.toml"]})
    assert change["before"] != change["after"]
    assert change["owners"] == [(folder / "at" / "partner.toml").owner()]


def test_a_broken_mapping_is_refused_and_the_old_one_goes_on(side, folder) -> None:
    before = side.rt.directory.known
    _edit(folder / MAPPING, 'canonical = "Person"', 'canonical = "Persona"')
    swap = take_up(side.rt)
    assert isinstance(swap.refused, MappingInvalid)
    assert side.rt.directory.known is before
    ((event, detail),) = _told(side)
    assert (event, detail["code"]) == ("partners.refused", "mapping-invalid")
    assert "Persona" in detail["why"]


def test_one_broken_folder_holds_back_what_changed_beside_it(side, folder) -> None:
    _edit(folder / "at" / "partner.toml", 'name = "Republic of Austria"', 'name = "Austria"')
    _edit(folder / MAPPING, 'canonical = "Person"', 'canonical = "Persona"')
    take_up(side.rt)
    assert side.rt.partners.partner("at").name == "Republic of Austria"
    _edit(folder / MAPPING, 'canonical = "Persona"', 'canonical = "Person"')
    take_up(side.rt)
    assert side.rt.partners.partner("at").name == "Austria"
    assert side.rt.directory.problem is None


def test_an_example_that_does_not_come_back_the_same_refuses_the_folder(side, folder) -> None:
    examples = folder / "rs" / "dialects" / "mup-xml" / "examples"
    examples.mkdir()
    (examples / "broken.xml").write_text("<nothing/>", encoding="utf-8")
    _edit(folder / "rs" / "partner.toml", "[[authorities]]", "# seen\n[[authorities]]")
    swap = take_up(side.rt)
    assert isinstance(swap.refused, PartnerInvalid)
    assert "broken.xml" in swap.refused.message


def test_a_partner_cannot_vanish_while_the_gateway_runs(side, folder) -> None:
    shutil.rmtree(folder / "at")
    assert take_up(side.rt).refused is not None
    assert side.rt.partners.authority("AT-BMI").state == "AT"


def test_two_processes_say_a_change_once(side, folder, tmp_path, keys, clock) -> None:
    other = make_gateway(
        f"sqlite:///{tmp_path}/one.sqlite3", keys, clock, home=["RS-MUP"], hub=MemoryHub(clock=clock), partners=folder
    )
    _edit(folder / "at" / "partner.toml", 'name = "Republic of Austria"', 'name = "Austria"')
    take_up(side.rt)
    take_up(other.rt)
    assert other.rt.partners.partner("at").name == "Austria"
    assert len(_told(side)) == 1


def test_what_a_partner_may_sign_with_changes_with_its_folder(side, folder) -> None:
    assert side.rt.trust.rules("AT-BMI").second_signature == "none"
    with (folder / "at" / "partner.toml").open("a", encoding="utf-8") as file:
        file.write('\n[trust]\nsecond_signature = "required"\n')
    take_up(side.rt)
    assert side.rt.trust.rules("AT-BMI").second_signature == "required"


def test_what_is_saved_while_the_folders_are_read_is_checked_and_journalled_too(side, folder, monkeypatch) -> None:
    read = side.rt.directory._read

    def meanwhile():
        fresh = read()
        monkeypatch.setattr(side.rt.directory, "_read", read)
        _edit(folder / "rs" / "partner.toml", 'name = "Republic of Serbia"', 'name = "Serbia"')
        return fresh

    monkeypatch.setattr(side.rt.directory, "_read", meanwhile)
    _edit(folder / "at" / "partner.toml", 'name = "Republic of Austria"', 'name = "Austria"')
    assert take_up(side.rt) is None  # still being written
    assert side.rt.partners.partner("at").name == "Republic of Austria"
    swap = take_up(side.rt)
    assert {each.part for each in swap.changes} == {"at", "rs"}
    assert (side.rt.partners.partner("at").name, side.rt.partners.partner("rs").name) == ("Austria", "Serbia")


def test_a_link_to_itself_refuses_the_folders_once_and_ends_nothing(side, folder) -> None:
    (folder / "rs" / "self").symlink_to(folder / "rs" / "self")
    assert take_up(side.rt).refused.code == "partner-invalid"
    assert take_up(side.rt) is None
    assert [event for event, _ in _told(side)] == ["partners.refused"]
    (folder / "rs" / "self").unlink()
    _edit(folder / "at" / "partner.toml", 'name = "Republic of Austria"', 'name = "Austria"')
    take_up(side.rt)
    assert side.rt.partners.partner("at").name == "Austria"


def test_a_file_that_is_nested_without_end_is_refused(side, folder) -> None:
    (folder / "at" / "partner.toml").write_text("x=" + "[" * 100_000, encoding="utf-8")
    assert take_up(side.rt).refused.code == "partner-invalid"


def test_a_changed_calendar_counts_from_then_on_and_a_broken_one_is_refused(side, folder) -> None:
    path = folder / "calendars" / "rs.toml"
    text = path.read_text(encoding="utf-8")
    version = side.rt.calendars["rs"].version
    path.write_text(text.replace(f'version = "{version}"', 'version = "specimen/1"'), encoding="utf-8")
    take_up(side.rt)
    assert side.rt.calendars["rs"].version == "specimen/1"
    assert side.rt.calendars.refresh()  # the watch is told, and counts again
    path.write_text("nothing", encoding="utf-8")
    assert take_up(side.rt).refused.code == "calendar-invalid"
    assert side.rt.calendars["rs"].version == "specimen/1"


# --- gateway partner apply ------------------------------------------------------------------------------------------------


@pytest.fixture
def settings(folder, tmp_path, keys) -> Settings:
    found = Settings(partners=folder, keys=keys, database=f"sqlite:///{tmp_path}/two.sqlite3")
    upgrade(open_engine(found.database))
    return found


@pytest.fixture
def copy(folder, tmp_path) -> Path:
    """The folder of Austria, to be changed."""
    return Path(shutil.copytree(folder / "at", tmp_path / "new" / "at"))


def test_a_folder_is_put_in_place_with_who_and_why_in_the_journal(settings, copy, clock) -> None:
    _edit(copy / "partner.toml", 'name = "Republic of Austria"', 'name = "Austria"')
    found = put_in_place(copy, settings, by="A. Specimen", why="order 12/2026", now=clock())
    assert found.changed == ("partner.toml",)
    assert 'name = "Austria"' in (settings.partners / "at" / "partner.toml").read_text(encoding="utf-8")
    (entry,) = journalled(open_engine(settings.database))
    assert (entry["event"], entry["actor"], entry["detail"]["why"]) == ("partner.applied", "A. Specimen", "order 12/2026")
    assert [path.name for path in settings.partners.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ('code = "AT-BMI"', 'code = "RS-MUP"', PartnerInvalid),  # another partner's
        ('code = "at"', 'code = "xx"', PartnerInvalid),
    ],
)
def test_a_folder_that_does_not_fit_changes_nothing(settings, copy, clock, old, new, error) -> None:
    before = (settings.partners / "at" / "partner.toml").read_bytes()
    _edit(copy / "partner.toml", old, new)
    with pytest.raises(error):
        put_in_place(copy, settings, by="A. Specimen", why="order 12/2026", now=clock())
    assert (settings.partners / "at" / "partner.toml").read_bytes() == before
    assert journalled(open_engine(settings.database)) == []


def test_what_is_no_partner_folder_is_not_put_in_place(settings, tmp_path, clock) -> None:
    with pytest.raises(NotAFile):
        put_in_place(tmp_path, settings, by="A. Specimen", why="order 12/2026", now=clock())


def test_the_command_says_what_differs(settings, copy, tmp_path) -> None:
    config = tmp_path / "gateway.toml"
    config.write_text(f'partners = "{settings.partners}"\nkeys = "{settings.keys}"\ndatabase = "{settings.database}"\n')
    words = ("partner", "apply", str(copy), "--by", "A. Specimen", "--why", "order 12/2026", "--config", str(config))
    assert run(*words, "--json", cwd=tmp_path).json["changed"] is False
    _edit(copy / "partner.toml", 'name = "Republic of Austria"', 'name = "Austria"')
    done = run(*words, cwd=tmp_path)
    assert done.code == 0
    assert "1 files changed" in done.out
