"""`gateway doctor` names a partner folder whose rules this installation cannot keep."""

import shutil
import sys

import pytest

from gateway.settings import data_folder
from tests.running import call, write_settings


@pytest.fixture
def trust_part(tmp_path, keys, sqlite_url, monkeypatch):
    """Return a function that gives what doctor says of a part when the folder of BA-MS holds these rules."""

    def examine(rules, part="trust"):
        folder = tmp_path / "partners"
        shutil.copytree(data_folder("partners"), folder)
        file = folder / "ba" / "partner.toml"
        file.write_text(f"{file.read_text(encoding='utf-8')}\n[trust]\n{rules}\n", encoding="utf-8")
        config = write_settings(tmp_path, keys, database=sqlite_url, partners=str(folder))
        done = call("doctor", "--upgrade", "--json", "--config", config, monkeypatch=monkeypatch)
        (found,) = [each for each in done.json["parts"] if each["part"] == part]
        return found

    return examine


def test_rules_that_hold_for_our_own_key_are_well(trust_part):
    found = trust_part('signatures = ["ecdsa-p256-sha256"]\nforeign = ["xmlsec"]')
    assert "does not allow" not in found["what"]
    assert "foreign" not in found["what"]


def test_algorithm_of_our_own_key_that_our_folder_does_not_allow_is_named(trust_part):
    found = trust_part('signatures = ["rsa3072-sha256"]', "keys")
    assert not found["ok"]
    assert "BA-MS does not allow ecdsa-p256-sha256" in found["what"]


def test_verifier_that_is_not_installed_is_named(trust_part, monkeypatch):
    monkeypatch.setitem(sys.modules, "xmlsec", None)
    found = trust_part('foreign = ["xmlsec"]')
    assert not found["ok"]
    assert "foreign-verifier-missing" in found["what"]
