"""What ends is known 60, 30, 14, 7 days and one day before, for every kind of certificate and key."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.trust.certificates import TrustStore
from gateway.trust.devca import make_development_keys
from gateway.trust.expiry import ENDED, Ending, days_left, endings
from tests.throwaway_ca import DAY, lay, root

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("left", "stage"),
    [
        (61 * DAY, None),
        (60 * DAY + SECOND, None),
        (60 * DAY, 60),
        (30 * DAY + SECOND, 60),
        (30 * DAY, 30),
        (14 * DAY, 14),
        (7 * DAY, 7),
        (DAY + SECOND, 7),
        (DAY, 1),
        (timedelta(0), 1),
        (-SECOND, ENDED),
    ],
)
def test_each_warning_comes_when_so_many_days_are_left(now, left, stage):
    ending = Ending(kind="signing", authority="BA-MS", key="x", subject="CN=x", not_after=now + left)
    assert ending.stage(now) == stage


@pytest.mark.parametrize(("left", "days"), [(DAY, 1), (DAY - SECOND, 0), (timedelta(0), 0), (-SECOND, -1)])
def test_days_left_are_whole_days(now, left, days):
    assert days_left(now + left, now) == days


def test_every_kind_of_certificate_and_key_is_looked_at(tmp_path, now):
    make_development_keys(tmp_path, ["PK-MOI"], now)
    stamps, ca = root(now, "Timestamps"), root(now)
    lay(tmp_path, [ca], BA_MS=ca.issue("Issuing CA", ca=True, ends=20 * DAY).issue(ends=10 * DAY))
    (tmp_path / "timestamp-anchors").mkdir(exist_ok=True)
    (tmp_path / "timestamp-anchors" / "specimen.pem").write_bytes(stamps.certificate.public_bytes(Encoding.PEM))
    found = endings(TrustStore.load(tmp_path))
    assert {each.kind for each in found} == {"signing", "intermediate", "anchor", "sealing", "timestamp"}
    assert [(each.kind, each.authority) for each in found[:2]] == [("signing", "BA-MS"), ("intermediate", "BA-MS")]


def test_an_intermediate_above_two_certificates_of_an_authority_is_named_once(tmp_path, now):
    ca = root(now)
    issuing = ca.issue("Issuing CA", ca=True)
    lay(tmp_path, [ca], **{"BA_MS": issuing.issue(), "BA_MS.2": issuing.issue()})
    kinds = [each.kind for each in endings(TrustStore.load(tmp_path))]
    assert (kinds.count("signing"), kinds.count("intermediate")) == (2, 1)
