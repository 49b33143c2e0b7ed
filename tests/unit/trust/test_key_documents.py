"""Published keys: versions that grow, documents that follow each other, two keys in parallel while one takes over."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.errors import KeyDocumentRefused, KeyMissing, TrustInvalid
from gateway.partners.trust_rules import Allowance, TrustRules
from gateway.stages import Received
from gateway.trust import key_documents, suites
from gateway.trust.algorithms import RSA_3072
from gateway.trust.certificates import TrustStore
from gateway.trust.devca import make_development_keys
from gateway.trust.folder import write_file
from gateway.trust.key_documents import accept
from gateway.trust.keys import KeyRing, private_sealing_document
from gateway.trust.mldsa import ML_DSA_65
from gateway.trust.refresh import refresh
from gateway.trust.seal import seal, unseal
from gateway.trust.sealing_keys import SEALING_KEYS
from gateway.trust.second import SECOND_KEYS

DAY = timedelta(days=1)
KINDS = pytest.mark.parametrize(
    ("kind", "scheme"), [(SEALING_KEYS, suites.HYBRID), (SECOND_KEYS, ML_DSA_65)], ids=["sealing", "second"]
)


@pytest.fixture
def own(folder, tmp_path):
    """Return a copy of the key folder, to be added to."""
    for path in folder.rglob("*"):
        if path.is_file():
            write_file(tmp_path / path.relative_to(folder), path.read_bytes(), private=path.parent.name in {"private", "ca"})
    return tmp_path


@pytest.fixture
def document(ring, now):
    """Return a function that gives a document of PK-MOI that follows its development key (30 days back, 730 on)."""

    def write(kind=SEALING_KEYS, scheme=suites.HYBRID, *, version=2, begins=-DAY, ends=800 * DAY, raw=None, signer=None):
        public = scheme.public_of(raw or scheme.new_private())
        signer = signer or ring.signing("PK-MOI")
        return key_documents.write_document(kind, signer, scheme, public, now + begins, now + ends, version=version)

    return write


@pytest.fixture
def take(own, now):
    """Return a function that takes a document in as a running gateway would."""

    def function(data, kind=SEALING_KEYS, authority="PK-MOI", at=now):
        return refresh(kind, data, authority, TrustStore.load(own), at)

    return function


def _names(own, kind=SEALING_KEYS):
    return sorted(path.name for path in (own / kind.folder).iterdir() if path.name.startswith("PK-MOI"))


# --- taking over


@KINDS
def test_a_newer_document_is_written_beside_the_older_one(own, take, document, kind, scheme):
    before = (own / kind.folder / "PK-MOI.json").read_bytes()
    key = take(document(kind, scheme), kind)
    assert _names(own, kind) == ["PK-MOI.2.json", "PK-MOI.json"]
    assert (own / kind.folder / "PK-MOI.json").read_bytes() == before
    assert (key.authority, key.version) == ("PK-MOI", 2)


def test_the_next_document_gets_the_next_number(own, take, document):
    take(document(version=2))
    take(document(version=7, begins=timedelta(0), ends=801 * DAY))
    assert _names(own) == ["PK-MOI.2.json", "PK-MOI.3.json", "PK-MOI.json"]
    assert [key.version for key in TrustStore.load(own).sealing_keys("PK-MOI")] == [7, 2, 1]


def test_the_first_document_of_an_authority_is_taken(own, take, document):
    (own / "sealing" / "PK-MOI.json").unlink()
    take(document(version=5))
    assert _names(own) == ["PK-MOI.2.json"]


def test_old_and_new_key_both_open_while_the_newest_seals(own, take, document, signed, message_id, now):
    raw = suites.HYBRID.new_private()
    before = TrustStore.load(own)
    old = seal(signed, message_id=message_id, sender="BA-MS", recipient="PK-MOI", trust=before).body
    write_file(own / "private" / "PK-MOI.2.sealing.json", private_sealing_document("PK-MOI", suites.HYBRID, raw), private=True)
    key = take(document(raw=raw))
    trust, ring = TrustStore.load(own), KeyRing.load(own)
    assert trust.sealing_key("PK-MOI", now).key_id == key.key_id != before.sealing_key("PK-MOI", now).key_id
    new = seal(signed, message_id=message_id, sender="BA-MS", recipient="PK-MOI", trust=trust).body
    for body in (old, new):
        assert unseal(Received(body=body, received_at=now, transport="test"), ring, trust).digest == signed.digest


def test_a_key_that_begins_later_seals_from_then_on(own, take, document, now):
    key = take(document(begins=10 * DAY))
    trust = TrustStore.load(own)
    assert trust.sealing_key("PK-MOI", now).version == 1
    assert trust.sealing_key("PK-MOI", now + 10 * DAY).key_id == key.key_id


def test_a_document_that_is_known_changes_nothing(own, take, document):
    data = document()
    assert take(data).key_id == take(data).key_id
    assert take((own / "sealing" / "PK-MOI.json").read_bytes()).version == 1
    assert _names(own) == ["PK-MOI.2.json", "PK-MOI.json"]


# --- what is refused


@pytest.mark.parametrize("version", [1, 2])
def test_an_older_version_is_refused_after_a_newer_one(own, take, document, version):
    take(document(version=2))
    with pytest.raises(KeyDocumentRefused, match="not newer than version 2"):
        take(document(version=version, begins=timedelta(0), ends=801 * DAY))
    assert _names(own) == ["PK-MOI.2.json", "PK-MOI.json"]


def test_the_newest_key_may_be_vouched_for_anew(own, take, document, now):
    raw = suites.HYBRID.new_private()
    first = take(document(raw=raw))
    again = take(document(raw=raw, version=3, begins=timedelta(0), ends=400 * DAY))
    assert again.key_id == first.key_id
    assert TrustStore.load(own).sealing_key("PK-MOI", now).version == 3


def test_a_key_that_was_replaced_cannot_be_brought_back_under_a_new_version(take, document):
    raw = suites.HYBRID.new_private()
    take(document(raw=raw))
    take(document(version=3, begins=timedelta(0), ends=801 * DAY))
    with pytest.raises(KeyDocumentRefused, match="taken the place"):
        take(document(raw=raw, version=4, begins=DAY, ends=802 * DAY))


def test_a_document_that_was_taken_is_in_force_at_once(own, document, now):
    trust = TrustStore.load(own)
    key = refresh(SEALING_KEYS, document(), "PK-MOI", trust, now)
    assert trust.sealing_key("PK-MOI", now).key_id == key.key_id


@pytest.mark.parametrize(
    ("begins", "ends"), [(-30 * DAY, 800 * DAY), (-31 * DAY, 800 * DAY), (-DAY, 730 * DAY), (-DAY, 2 * DAY)]
)
def test_a_key_that_does_not_begin_and_end_after_the_one_before_is_refused(forge, take, document, own, begins, ends, now):
    with pytest.raises(KeyDocumentRefused):
        take(document(begins=begins, ends=ends))
    assert _names(own) == ["PK-MOI.json"]


def test_a_key_that_has_ended_is_refused(own, take, document, now):
    (own / "sealing" / "PK-MOI.json").unlink()
    with pytest.raises(KeyDocumentRefused, match="ended"):
        take(document(begins=-10 * DAY, ends=-DAY))


@KINDS
def test_a_document_signed_by_another_authority_is_refused(take, document, ring, kind, scheme):
    thief = replace(ring.signing("BA-MS"), authority="PK-MOI")
    with pytest.raises(KeyDocumentRefused, match="signed by BA-MS"):
        take(document(kind, scheme, signer=thief), kind)


def test_a_document_signed_by_a_certificate_that_is_not_pinned_is_refused(take, document, forge):
    with pytest.raises(KeyDocumentRefused, match="not pinned"):
        take(document(signer=forge.certificate("PK-MOI")))


def test_a_document_of_another_authority_is_refused(take, document):
    with pytest.raises(KeyDocumentRefused, match="another authority"):
        take(document(), authority="BA-MS")


def test_a_document_is_refused_once_the_certificate_that_signed_it_has_ended(take, document, now):
    with pytest.raises(KeyDocumentRefused, match="is valid from"):
        take(document(ends=2000 * DAY), at=now + 900 * DAY)


def test_a_document_of_one_kind_is_not_taken_for_one_of_another(take, document):
    with pytest.raises(KeyDocumentRefused):
        take(document(SECOND_KEYS, ML_DSA_65), SEALING_KEYS)


def test_the_signature_of_one_kind_does_not_hold_for_another(take, document):
    # Same members under another word: only the first line under the signature tells them apart.
    content = json.loads(document(SECOND_KEYS, ML_DSA_65))
    content["suite"] = content.pop("algorithm")
    with pytest.raises(KeyDocumentRefused, match="not signed by"):
        take(json.dumps(content).encode())


def test_documents_signed_with_an_algorithm_that_is_not_allowed_any_more_do_not_stop_the_start(own, now):
    rules = {"PK-MOI": TrustRules(signatures=(Allowance(name=RSA_3072.name),))}
    trust = TrustStore.load(own, rules=rules)
    assert trust.sealing_keys("PK-MOI")
    assert trust.second_keys("PK-MOI", now) == ()
    with pytest.raises(KeyMissing):
        trust.sealing_key("PK-MOI", now)
    assert trust.sealing_key("BA-MS", now).authority == "BA-MS"


def test_a_document_signed_with_an_algorithm_that_is_not_allowed_is_refused(own, document, now):
    rules = {"PK-MOI": TrustRules(signatures=(Allowance(name=RSA_3072.name),))}
    with pytest.raises(KeyDocumentRefused, match="may not sign with"):
        refresh(SEALING_KEYS, document(), "PK-MOI", TrustStore.load(own, rules=rules), now)


@pytest.mark.parametrize(
    "respelled",
    [
        lambda text: text.replace('"authority"', '"authority": "BA-MS", "authority"', 1).encode(),
        lambda text: text.replace('"not_after"', '"not_after": "2099-01-01T00:00:00Z", "not_after"', 1).encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
    ],
    ids=["authority twice", "end twice", "mark", "utf-16"],
)
def test_a_document_that_two_readers_could_read_differently_is_refused(take, document, respelled):
    with pytest.raises(KeyDocumentRefused, match="not that of a sealing key"):
        take(respelled(document().decode()))


@pytest.mark.parametrize("suite", [suites.HYBRID, suites.X25519], ids=lambda suite: suite.name)
def test_a_key_that_nobody_can_seal_with_is_refused(take, ring, now, suite):
    point_of_low_order = bytes(len(suite.public_of(suite.new_private())))
    data = key_documents.write_document(
        SEALING_KEYS, ring.signing("PK-MOI"), suite, point_of_low_order, now - DAY, now + 800 * DAY, version=2
    )
    with pytest.raises(KeyDocumentRefused, match="not that of a sealing key"):
        take(data)


def test_a_document_beyond_the_limit_is_refused(take):
    with pytest.raises(KeyDocumentRefused, match="at most"):
        take(b" " * 70_000)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300))
def test_any_bytes_are_refused(trust, data):
    with pytest.raises(KeyDocumentRefused):
        accept(SEALING_KEYS, data, "PK-MOI", trust.verdict)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    member=st.sampled_from(sorted(SEALING_KEYS.members)),
    value=st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.lists(st.text(max_size=5), max_size=3),
)
def test_any_value_of_any_member_is_refused(trust, folder, member, value):
    content = json.loads((folder / "sealing" / "PK-MOI.json").read_bytes())
    changed = json.dumps({**content, member: value}).encode()
    if json.loads(changed) != content or isinstance(value, bool):
        with pytest.raises(KeyDocumentRefused):
            accept(SEALING_KEYS, changed, "PK-MOI", trust.verdict)


def test_two_documents_of_one_version_stop_the_start(own, document):
    write_file(own / "sealing" / "PK-MOI.2.json", document(version=1))
    with pytest.raises(TrustInvalid, match=r"PK-MOI.*has the version 1 too"):
        TrustStore.load(own)


def test_development_documents_of_an_older_format_are_made_again_from_the_same_key(own, now):
    file = own / "sealing" / "BA-MS.json"
    content = json.loads(file.read_bytes())
    key_id = content["key_id"]
    del content["version"]
    write_file(file, json.dumps({**content, "v": 1}).encode())
    make_development_keys(own, ["BA-MS"], now)
    assert TrustStore.load(own).sealing_key("BA-MS", now).key_id == key_id
