"""A named person may decide to bear with an outage for a time; what is known to be revoked stays refused."""

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import CertificateRevoked, RevocationStale, RevocationUnknown, TrustInvalid
from gateway.trust.certificates import TrustStore
from gateway.trust.revocation import grace
from tests.throwaway_ca import DAY, lay, offers, root

HOUR = timedelta(hours=1)
BY = {"by": "A. Officer", "why": "the issuer announced an outage"}


@pytest.fixture
def ca(now):
    return root(now)


@pytest.fixture
def middle(ca):
    return ca.issue("Issuing CA", ca=True, more=offers(crl=["http://crl.specimen.example/above"]))


@pytest.fixture
def leaf(middle):
    return middle.issue(more=offers(crl=["http://crl.specimen.example/below"]))


@pytest.fixture
def verdict(ca, leaf, tmp_path):
    lay(tmp_path, [ca], BA_MS=leaf)

    def judge(at):
        return TrustStore.load(tmp_path).verdict(leaf.signer().chain, at).authority

    return judge


def test_a_grace_for_an_authority_covers_its_whole_chain_until_its_end(verdict, tmp_path, now):
    with pytest.raises(RevocationUnknown):
        verdict(now)
    grace.give(tmp_path, "BA-MS", at=now, until=now + DAY, **BY)
    assert (verdict(now), verdict(now - HOUR), verdict(now + DAY)) == ("BA-MS",) * 3
    with pytest.raises(RevocationUnknown):
        verdict(now + DAY + timedelta(seconds=1))


def test_a_grace_for_a_certificate_covers_that_one_alone(verdict, leaf, middle, tmp_path, now):
    grace.give(tmp_path, leaf.fingerprint, at=now, until=now + DAY, **BY)
    with pytest.raises(RevocationUnknown):
        verdict(now)
    grace.give(tmp_path, middle.fingerprint, at=now, until=now + DAY, **BY)
    assert verdict(now) == "BA-MS"


def test_a_grace_for_another_authority_covers_nothing(verdict, tmp_path, now):
    grace.give(tmp_path, "PK-MOI", at=now, until=now + DAY, **BY)
    with pytest.raises(RevocationUnknown):
        verdict(now)


def test_a_grace_bears_with_a_list_that_has_run_out(verdict, ca, middle, tmp_path, now):
    for name, data in (("a", ca.crl()), ("b", middle.crl())):
        (tmp_path / "revocation" / f"{name}.crl").write_bytes(data)
    with pytest.raises(RevocationStale):
        verdict(now + 2 * DAY)
    grace.give(tmp_path, "BA-MS", at=now, until=now + 3 * DAY, **BY)
    assert verdict(now + 2 * DAY) == "BA-MS"


@pytest.mark.parametrize("which", ["leaf", "middle"])
def test_no_grace_covers_what_is_revoked(verdict, ca, middle, leaf, tmp_path, now, which):
    lists = {"a": ca.crl(middle.certificate), "b": middle.crl()} if which == "middle" else {"b": middle.crl(leaf.certificate)}
    for name, data in lists.items():
        (tmp_path / "revocation" / f"{name}.crl").write_bytes(data)
    grace.give(tmp_path, "BA-MS", at=now, until=now + DAY, **BY)
    with pytest.raises(CertificateRevoked):
        verdict(now)


def test_a_grace_can_be_taken_back(verdict, tmp_path, now):
    grace.give(tmp_path, "BA-MS", at=now, until=now + DAY, **BY)
    assert grace.end(tmp_path, "BA-MS")
    assert not grace.end(tmp_path, "BA-MS")
    with pytest.raises(RevocationUnknown):
        verdict(now)


def test_a_grace_is_read_as_it_was_given(tmp_path, now):
    given_ = grace.give(tmp_path, "BA-MS", at=now, until=now + DAY, **BY)
    assert grace.read(tmp_path) == {"BA-MS": given_}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"subject": "../BA-MS"}, "by its SHA-256 fingerprint"),
        ({"subject": ""}, "by its SHA-256 fingerprint"),
        ({"until": timedelta(0)}, "ends after it is given"),
        ({"until": grace.LONGEST + timedelta(seconds=1)}, "30 days"),
        ({"by": " "}, "name of the person"),
        ({"why": ""}, "a reason"),
    ],
)
def test_a_grace_that_cannot_be_is_not_given(tmp_path, now, changes, words):
    values = {"subject": "BA-MS", "until": DAY, **BY} | changes
    with pytest.raises(TrustInvalid, match=words):
        grace.give(tmp_path, values["subject"], at=now, until=now + values["until"], by=values["by"], why=values["why"])
    assert not list(tmp_path.rglob("*.json"))


def test_a_file_of_a_grace_that_was_made_longer_by_hand_is_refused(tmp_path, now):
    grace.give(tmp_path, "BA-MS", at=now, until=now + DAY, **BY)
    file = next(tmp_path.rglob("*.json"))
    content = json.loads(file.read_text()) | {"until": (now + 300 * DAY).isoformat()}
    file.write_text(json.dumps(content))
    with pytest.raises(TrustInvalid):
        grace.read(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.recursive(st.none() | st.text(max_size=9) | st.integers(), st.lists).map(json.dumps))
def test_any_content_of_a_file_gives_our_own_error(tmp_path, content):
    file = tmp_path / "revocation" / "grace" / "BA-MS.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(TrustInvalid):
        grace.read(tmp_path)
