"""The attack catalogue on signatures: each forgery is refused with its stable code (tests/signature_forgeries.py)."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.errors import GatewayError, Refused
from gateway.trust.policy import STANDARD
from gateway.trust.sign import sign
from gateway.trust.verify import verify, verify_by_steps
from gateway.trust.written import open_written
from gateway.wire.documents import NS
from tests.signature_forgeries import FORGERIES, Material


@pytest.fixture
def material(signed, forge, ring, message, now):
    return Material(signed=signed.body, forge=forge, ring=ring, message=message, now=now)


@pytest.mark.parametrize("forgery", FORGERIES, ids=[each.name for each in FORGERIES])
def test_a_forgery_is_refused_with_its_code(material, trust, now, forgery):
    body = forgery.make(material)
    assert body != material.signed
    with pytest.raises(Refused) as refusal:
        verify(body, trust, now)
    assert refusal.value.code == forgery.code
    assert open_written(body, trust, now, STANDARD) is None


def test_what_the_forger_signs_unchanged_is_good(material, trust, now):
    # Else the forgeries that are signed again would be refused for another reason than their own.
    assert verify_by_steps(material.forge.resigned(material.envelope()), trust, now).signer == "BA-MS"


# --- any damage at all


@pytest.fixture(scope="module")
def small(message, ring, now):
    return sign(message(), ring.signing("BA-MS"), now).body


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(min_value=0), flip=st.integers(min_value=1, max_value=255))
@example(place=9, flip=0x20 ^ 0x09)  # a space between attributes becomes a tab
def test_any_changed_byte_is_refused(small, trust, now, place, flip):
    place %= len(small)
    damaged = small[:place] + bytes([small[place] ^ flip]) + small[place + 1 :]
    with pytest.raises(Refused):
        verify(damaged, trust, now)


def test_white_space_for_white_space_is_refused_everywhere(small, trust, now):
    for place in (index for index, byte in enumerate(small) if byte in b" \n"):
        for other in b"\t\n\r ":
            damaged = small[:place] + bytes([other]) + small[place + 1 :]
            if damaged != small:
                with pytest.raises(Refused):
                    verify(damaged, trust, now)


def test_an_envelope_cut_short_is_refused_at_every_length(small, trust, now):
    for length in range(0, len(small), 37):
        with pytest.raises(Refused):
            verify(small[:length], trust, now)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200))
def test_any_bytes_are_refused(trust, now, body):
    with pytest.raises(GatewayError):
        verify(body, trust, now)


def test_an_error_text_holds_nothing_of_the_message(signed, trust, now):
    with pytest.raises(Refused) as refusal:
        verify(signed.body.replace(b"SPECIMEN", b"SPECIMAN"), trust, now)
    assert "SPECIM" not in refusal.value.message
    assert NS not in refusal.value.message
