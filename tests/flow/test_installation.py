"""A change of what an installation runs with is journalled once, by name, when a process starts."""

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.flow.installation import fingerprints, note_settings
from gateway.flow.ports import Runtime
from gateway.settings import data_folder
from gateway.transport.memory import MemoryHub
from tests.forging import journalled
from tests.gateways import AUTHORITIES, make_gateway

WAIT = 30  # seconds


@pytest.fixture
def rt(database_url, keys, clock, tmp_path) -> Iterator[Runtime]:
    """A gateway with folders of its own, on SQLite and on PostgreSQL."""
    for name in ("partners", "schemas"):
        shutil.copytree(data_folder(name), tmp_path / name)
    shutil.copytree(keys, tmp_path / "keys")
    made = make_gateway(database_url, keys, clock, home=AUTHORITIES, hub=MemoryHub(clock))
    folders = {"partners": tmp_path / "partners", "schemas": tmp_path / "schemas", "keys": tmp_path / "keys"}
    yield changed(made.rt, **folders, calendar_changes=tmp_path / "changes.toml")
    made.rt.engine.dispose()


def changed(rt: Runtime, **settings: object) -> Runtime:
    return replace(rt, settings=replace(rt.settings, **settings))


def noted(rt: Runtime) -> list[tuple[bool, list[str]]]:
    rows = journalled(rt.engine, "settings.changed")
    return [(row["detail"]["first"], row["detail"]["changed"]) for row in rows]


def test_first_start_notes_what_there_is_and_the_next_one_nothing(rt) -> None:
    for _ in range(3):
        assert note_settings(rt) == ()
    assert noted(rt) == [(True, [])]


def test_changed_setting_is_named_without_its_value(rt) -> None:
    note_settings(rt)
    assert note_settings(changed(rt, batch=7, name="another-name")) == ("settings/batch", "settings/name")
    assert noted(rt)[1:] == [(False, ["settings/batch", "settings/name"])]
    assert "another-name" not in str(journalled(rt.engine))


def test_going_back_is_a_change_too(rt) -> None:
    note_settings(rt)
    note_settings(changed(rt, batch=7))
    assert note_settings(rt) == ("settings/batch",)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("partners/rs/partner.toml", "partners/rs/partner.toml"),
        ("partners/treaties/eu-rs.toml", "partners/treaties/eu-rs.toml"),
        ("partners/calendars/rs.toml", "partners/calendars/rs.toml"),
        ("partners/at/dialects/bmi-json/mapping.toml", "partners/at/dialects"),
        ("schemas/readmission/1.0/common.xsd", "schemas/readmission/1.0"),
        ("keys/pinned/RS-MUP.pem", "keys/pinned/RS-MUP.pem"),
        ("keys/sealing/RS-MUP.json", "keys/sealing/RS-MUP.json"),
    ],
)
def test_changed_file_is_named(rt, tmp_path, file, name) -> None:
    note_settings(rt)
    with (tmp_path / file).open("ab") as grown:
        grown.write(b"\n")
    assert note_settings(rt) == (name,)


def test_new_file_and_removed_file_are_named(rt, tmp_path) -> None:
    note_settings(rt)
    (tmp_path / "partners" / "xa").mkdir()
    (tmp_path / "partners" / "xa" / "partner.toml").write_text("")
    (tmp_path / "changes.toml").write_text("")
    (tmp_path / "keys" / "pinned" / "BA-MS.pem").unlink()
    assert note_settings(rt) == ("calendar_changes", "keys/pinned/BA-MS.pem", "partners/xa/partner.toml")


@pytest.mark.parametrize("name", ["database", "broker"])
def test_password_in_an_address_is_no_part_of_what_is_compared(rt, name) -> None:
    addresses = [f"amqp://user:{password}@host/vhost" for password in ("correct", "horse")]
    if name == "database":
        addresses = [address.replace("amqp", "postgresql") + "?sslpassword=x" for address in addresses]
    one, other = (fingerprints(changed(rt, **{name: address})) for address in addresses)
    assert one == other
    moved = fingerprints(changed(rt, **{name: addresses[0].replace("host", "another")}))
    assert {part for part in one if one[part] != moved[part]} == {f"settings/{name}"}


def test_processes_that_start_at_once_write_one_entry(rt) -> None:
    note_settings(rt)
    barrier = threading.Barrier(4, timeout=WAIT)

    def start(_: int) -> tuple[str, ...]:
        barrier.wait()
        return note_settings(changed(rt, batch=9))

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(start, range(4), timeout=WAIT))
    assert sorted(told) == [(), (), (), ("settings/batch",)]
    assert noted(rt)[1:] == [(False, ["settings/batch"])]


def test_private_files_and_half_written_ones_are_not_looked_at(rt) -> None:
    folder: Path = rt.settings.keys
    before = fingerprints(rt)
    (folder / "pinned" / ".BA-MS.pem.half").write_text("")
    (folder / "private" / "master.key").write_text("f" * 64)
    assert fingerprints(rt) == before
