"""The key folder is read again when it changes: at once as a whole, without a restart, and never worse than before."""

import shutil
from datetime import timedelta

import pytest

from gateway.errors import CertificateRevoked, KeyMissing, RevocationUnknown, SignerNotTrusted, TrustInvalid
from gateway.trust import certificates
from gateway.trust.certificates import LOOK_SECONDS, TrustStore
from gateway.trust.devca import make_development_keys
from gateway.trust.revocation import local
from tests.throwaway_ca import DAY, lay, offers, root


class Seconds:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def pass_by(self):
        """Move to where the folder is looked at again."""
        self.now += LOOK_SECONDS + 0.001


@pytest.fixture
def seconds():
    return Seconds()


@pytest.fixture
def ca(now):
    return root(now)


@pytest.fixture
def leaf(ca):
    return ca.issue(more=offers(crl=["http://crl.specimen.example/list"]))


@pytest.fixture
def store(ca, leaf, tmp_path, seconds):
    lay(tmp_path, [ca], BA_MS=leaf)
    (tmp_path / "revocation" / "a.crl").write_bytes(ca.crl())
    return TrustStore.load(tmp_path, clock=seconds)


def chain(holder):
    return holder.signer().chain


def test_a_verdict_is_dropped_when_a_list_changes(store, ca, leaf, tmp_path, seconds, now):
    assert store.verdict(chain(leaf), now).authority == "BA-MS"
    (tmp_path / "revocation" / "a.crl").write_bytes(ca.crl(leaf.certificate))
    seconds.pass_by()
    with pytest.raises(CertificateRevoked):
        store.verdict(chain(leaf), now)


def test_a_verdict_is_dropped_when_a_person_revokes(store, leaf, tmp_path, seconds, now):
    store.verdict(chain(leaf), now)
    local.revoke(tmp_path, leaf.fingerprint, now, "key lost", "B. Officer")
    seconds.pass_by()
    with pytest.raises(CertificateRevoked):
        store.verdict(chain(leaf), now)


def test_a_verdict_is_dropped_when_the_evidence_is_taken_away(store, leaf, tmp_path, seconds, now):
    store.verdict(chain(leaf), now)
    (tmp_path / "revocation" / "a.crl").unlink()
    seconds.pass_by()
    with pytest.raises(RevocationUnknown):
        store.verdict(chain(leaf), now)


def test_a_pin_that_is_taken_away_is_believed_no_more(store, leaf, tmp_path, seconds, now):
    store.verdict(chain(leaf), now)
    (tmp_path / "pinned" / "BA-MS.pem").unlink()
    seconds.pass_by()
    with pytest.raises(SignerNotTrusted):
        store.verdict(chain(leaf), now)


def test_a_new_pin_is_believed_without_a_restart(store, ca, tmp_path, seconds, now):
    new = ca.issue("PK-MOI signing")
    lay(tmp_path, [ca], PK_MOI=new)
    seconds.pass_by()
    assert store.verdict(chain(new), now).authority == "PK-MOI"
    assert store.authorities() == ("BA-MS", "PK-MOI")


def test_an_anchor_that_is_taken_away_takes_its_chains_along(store, ca, leaf, tmp_path, seconds, now):
    store.verdict(chain(leaf), now)
    lay(tmp_path, [root(now, "Another")])
    seconds.pass_by()
    with pytest.raises(SignerNotTrusted):
        store.verdict(chain(leaf), now)


def test_the_folder_is_looked_at_once_a_second_at_most(store, leaf, seconds, now, monkeypatch):
    looks = []
    true_look = certificates.look
    monkeypatch.setattr(certificates, "look", lambda *args: looks.append(1) or true_look(*args))
    for _ in range(100):
        store.verdict(chain(leaf), now)
    assert looks == []
    seconds.pass_by()
    for _ in range(100):
        store.verdict(chain(leaf), now)
    assert looks == [1]


def test_an_unchanged_folder_is_not_read_again(store, leaf, seconds, now):
    store.verdict(chain(leaf), now)
    before = store.loaded()
    seconds.pass_by()
    store.verdict(chain(leaf), now)
    assert store.loaded() is before


@pytest.mark.parametrize(
    "content", [b"", b"not a certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_file_that_cannot_be_used_leaves_in_force_what_was_there(store, ca, leaf, tmp_path, seconds, now, content):
    bad = tmp_path / "pinned" / "PK-MOI.pem"
    bad.write_bytes(content)
    seconds.pass_by()
    assert store.verdict(chain(leaf), now).authority == "BA-MS"
    assert isinstance(store.problem, TrustInvalid)
    assert "PK-MOI" in store.problem.message
    with pytest.raises(TrustInvalid):
        TrustStore.load(tmp_path)
    bad.unlink()
    seconds.pass_by()
    store.verdict(chain(leaf), now)
    assert store.problem is None


def test_the_last_anchor_cannot_be_taken_away_from_a_running_gateway(store, leaf, tmp_path, seconds, now):
    shutil.rmtree(tmp_path / "anchors")
    seconds.pass_by()
    assert store.verdict(chain(leaf), now).authority == "BA-MS"
    assert isinstance(store.problem, KeyMissing)


def test_a_list_that_cannot_be_used_is_named_and_proves_nothing(store, leaf, tmp_path, seconds, now):
    (tmp_path / "revocation" / "a.crl").write_bytes(b"no list")
    seconds.pass_by()
    with pytest.raises(RevocationUnknown):
        store.verdict(chain(leaf), now)
    assert list(store.loaded().judge.evidence.unusable) == ["a.crl"]
    assert store.problem is None


def test_another_set_of_pins_has_another_digest(store, ca, tmp_path, seconds):
    before = store.loaded().digest
    (tmp_path / "revocation" / "a.crl").write_bytes(ca.crl())
    seconds.pass_by()
    assert store.loaded().digest == before  # lists come and go; whom we believe is the same
    lay(tmp_path, [ca], PK_MOI=ca.issue("PK-MOI signing"))
    seconds.pass_by()
    assert store.loaded().digest != before


def test_nothing_is_sealed_with_a_key_that_a_revoked_certificate_vouches_for(tmp_path, seconds, now):
    make_development_keys(tmp_path, ["BA-MS"], now)
    trust = TrustStore.load(tmp_path, clock=seconds)
    (pinned,) = trust.pinned("BA-MS")
    assert trust.sealing_key("BA-MS", now).authority == "BA-MS"
    local.revoke(tmp_path, pinned.fingerprint, now, "key lost", "B. Officer")
    seconds.pass_by()
    assert trust.sealing_key("BA-MS", now - timedelta(seconds=1)).authority == "BA-MS"
    with pytest.raises(CertificateRevoked):
        trust.sealing_key("BA-MS", now)
    with pytest.raises(KeyMissing):
        trust.sealing_key("BA-MS", now + 9000 * DAY)
