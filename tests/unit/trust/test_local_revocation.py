"""A person here takes a certificate back, whatever its issuer says."""

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import TrustInvalid
from gateway.trust.revocation import local

FINGERPRINT = "ab" * 32


def test_a_revocation_is_read_as_it_was_written(tmp_path, now):
    written = local.revoke(tmp_path, FINGERPRINT, now, "key lost", "B. Officer")
    assert local.read(tmp_path) == {FINGERPRINT: written}


def test_a_key_folder_without_revocations_has_none(tmp_path):
    assert local.read(tmp_path) == {}


def test_the_earlier_of_two_revocations_holds(tmp_path, now):
    local.revoke(tmp_path, FINGERPRINT, now, "key lost", "B. Officer")
    local.revoke(tmp_path, FINGERPRINT, now + timedelta(days=1), "later", "C. Officer")
    assert local.read(tmp_path)[FINGERPRINT].by == "B. Officer"
    local.revoke(tmp_path, FINGERPRINT, now - timedelta(days=1), "it was lost the day before", "C. Officer")
    assert local.read(tmp_path)[FINGERPRINT].at == now - timedelta(days=1)


@pytest.mark.parametrize("fingerprint", ["", "AB" * 32, "../" + "ab" * 31, "ab" * 31, "ab" * 32 + "\n"])
def test_what_is_no_fingerprint_is_not_written(tmp_path, now, fingerprint):
    with pytest.raises(TrustInvalid, match="64 hexadecimal digits"):
        local.revoke(tmp_path, fingerprint, now, "key lost", "B. Officer")
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize(("why", "by"), [("", "B. Officer"), ("key lost", " ")])
def test_a_revocation_without_reason_or_name_is_not_written(tmp_path, now, why, by):
    with pytest.raises(TrustInvalid, match="reason"):
        local.revoke(tmp_path, FINGERPRINT, now, why, by)


def test_an_instant_without_a_zone_is_not_written(tmp_path, now):
    with pytest.raises(TrustInvalid, match="zone"):
        local.revoke(tmp_path, FINGERPRINT, now.replace(tzinfo=None), "key lost", "B. Officer")


def test_a_file_named_for_another_certificate_is_refused(tmp_path, now):
    local.revoke(tmp_path, FINGERPRINT, now, "key lost", "B. Officer")
    file = next(tmp_path.rglob("*.json"))
    file.rename(file.with_name("cd" * 32 + ".json"))
    with pytest.raises(TrustInvalid):
        local.read(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.recursive(st.none() | st.text(max_size=9) | st.integers(), st.lists).map(json.dumps))
def test_any_content_of_a_file_gives_our_own_error(tmp_path, content):
    file = tmp_path / "revocation" / "local" / f"{FINGERPRINT}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(TrustInvalid):
        local.read(tmp_path)
