"""The table [trust] of a partner folder: what its authorities may sign and seal with, and how a wrong key is named."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from gateway.errors import PartnerInvalid
from gateway.partners import load, trust_rules
from gateway.partners.fields import Table
from gateway.partners.trust_rules import Allowance, SecondSignature, TrustRules, read_trust_rules, stricter
from gateway.settings import data_folder
from gateway.trust.algorithms import ALGORITHMS
from gateway.trust.suites import HYBRID, SUITES, X25519

NOON = datetime(2030, 12, 31, 12, tzinfo=UTC)


def read(**values: object) -> TrustRules:
    return read_trust_rules(Table(values, "xa/partner.toml: trust", PartnerInvalid))


def test_the_names_are_those_of_the_code_that_signs_and_seals() -> None:
    assert set(trust_rules.SIGNATURES) == set(ALGORITHMS)
    assert set(trust_rules.SEALING) == set(SUITES)


def test_without_a_table_every_algorithm_is_allowed_without_end() -> None:
    rules = read()
    assert rules == trust_rules.DEFAULT
    assert all(rules.allows_signature(name, NOON + timedelta(days=36500)) for name in ALGORITHMS)


def test_p256_is_sealed_with_only_where_a_folder_says_so() -> None:
    assert {each.name for each in read().sealing} == {HYBRID.name, X25519.name}
    assert read(sealing=["p256-hkdf-sha256-aes256gcm"]).allows_sealing("p256-hkdf-sha256-aes256gcm", NOON)


def test_what_is_not_on_the_list_is_not_allowed() -> None:
    rules = read(signatures=[{"algorithm": "ecdsa-p256-sha256"}], sealing=[HYBRID.name])
    assert rules.allows_signature("ecdsa-p256-sha256", NOON)
    assert not rules.allows_signature("rsa3072-sha256", NOON)
    assert not rules.allows_sealing(X25519.name, NOON)


def test_the_last_day_still_counts_to_its_end_in_utc() -> None:
    rules = read(signatures=[{"algorithm": "rsa3072-sha256", "until": date(2030, 12, 31)}])
    midnight = datetime(2031, 1, 1, tzinfo=UTC)
    assert rules.allows_signature("rsa3072-sha256", midnight - timedelta(seconds=1))
    assert not rules.allows_signature("rsa3072-sha256", midnight)
    assert not rules.allows_signature("rsa3072-sha256", midnight.astimezone(timezone(timedelta(hours=-5))))


def test_a_suite_may_have_an_end() -> None:
    rules = read(sealing=[HYBRID.name, {"suite": X25519.name, "until": date(2030, 12, 31)}])
    assert rules.sealing == (Allowance(name=HYBRID.name), Allowance(name=X25519.name, until=date(2030, 12, 31)))
    assert rules.allows_sealing(X25519.name, NOON)
    assert not rules.allows_sealing(X25519.name, NOON + timedelta(days=1))


def test_between_two_authorities_the_stricter_word_holds() -> None:
    none, accepted, required = SecondSignature
    assert stricter(none, accepted) == stricter(accepted, none) == accepted
    assert stricter(required, accepted) == stricter(none, required) == required
    assert stricter(none, none) == none


REFUSED = {
    "unknown key": ({"signature": []}, "'signature' is not known"),
    "empty list": ({"signatures": []}, "'signatures'"),
    "no list": ({"signatures": "ecdsa-p256-sha256"}, "'signatures'"),
    "number in the list": ({"sealing": [1]}, "'sealing'"),
    "unknown algorithm": ({"signatures": [{"algorithm": "rsa2048-sha256"}]}, "'algorithm'.*rsa2048"),
    "unknown suite": ({"sealing": ["none"]}, "'suite'.*none"),
    "suite as algorithm": ({"signatures": [HYBRID.name]}, "'algorithm'"),
    "no algorithm": ({"signatures": [{"until": date(2030, 1, 1)}]}, "'algorithm' is missing"),
    "unknown member": ({"signatures": [{"algorithm": "ecdsa-p256-sha256", "from": 1}]}, "'from' is not known"),
    "end that is no date": ({"signatures": [{"algorithm": "ecdsa-p256-sha256", "until": "2030-12-31"}]}, "'until'"),
    "end that is an instant": ({"signatures": [{"algorithm": "ecdsa-p256-sha256", "until": NOON}]}, "'until'"),
    "twice": ({"sealing": [HYBRID.name, {"suite": HYBRID.name}]}, "'sealing' names one twice"),
    "unknown verifier": ({"foreign": ["openssl"]}, "'foreign'"),
    "verifier twice": ({"foreign": ["xmlsec", "xmlsec"]}, "'foreign'"),
    "verifier that is no list": ({"foreign": "xmlsec"}, "'foreign'"),
    "table as verifier": ({"foreign": [{}]}, "'foreign'"),
    "unknown word": ({"second_signature": "optional"}, "'second_signature'"),
}


@pytest.mark.parametrize(("values", "named"), REFUSED.values(), ids=REFUSED.keys())
def test_a_wrong_key_is_refused_by_file_and_key(values: dict[str, object], named: str) -> None:
    with pytest.raises(PartnerInvalid, match=rf"xa/partner\.toml: trust.*{named}"):
        read(**values)


def test_a_partner_folder_gives_its_rules_to_each_of_its_authorities(tmp_path: Path) -> None:
    for name in ("ba", "pk"):
        (tmp_path / name).symlink_to(data_folder("partners") / name)
    (tmp_path / "rs" / "dialects").mkdir(parents=True)
    (tmp_path / "rs" / "dialects" / "mup-xml").symlink_to(data_folder("partners") / "rs" / "dialects" / "mup-xml")
    text = (data_folder("partners") / "rs" / "partner.toml").read_text(encoding="utf-8")
    (tmp_path / "rs" / "partner.toml").write_text(f'{text}\n[trust]\nsecond_signature = "required"\n', encoding="utf-8")
    rules = load(tmp_path).trust_rules()
    assert rules["RS-MUP"].second_signature is SecondSignature.REQUIRED
    assert rules["BA-MS"] == trust_rules.DEFAULT
