"""Single rules of the verifier that the list of forgeries does not show: which rule refused, and any damage at all.

The attack catalogue itself is in tests/forgeries, run by tests/attacks/test_forgeries.py.
"""

from copy import deepcopy

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.errors import GatewayError, Refused, SignatureProfile
from gateway.trust.sign import sign
from gateway.trust.verify import verify
from gateway.wire.documents import NS, canonicalize, parse_xml


@pytest.fixture
def envelope(signed):
    return parse_xml(signed.body)


def test_two_signatures_are_refused(envelope, trust, now):
    envelope.append(deepcopy(envelope[1]))
    with pytest.raises(SignatureProfile, match="more than one signature"):
        verify(canonicalize(envelope), trust, now)


def test_an_extra_attribute_of_the_envelope_is_refused(envelope, trust, now, forge):
    envelope.set("schema", "other")
    with pytest.raises(SignatureProfile, match="attribute"):
        verify(forge.resigned(envelope), trust, now)


@pytest.mark.parametrize("name", ["Id", "iD", "{http://www.w3.org/XML/1998/namespace}id", "{urn:other}ID"])
def test_an_id_inside_the_message_is_refused(envelope, trust, now, forge, name):
    envelope[0][0].set(name, "signed-properties")
    with pytest.raises(SignatureProfile, match="named id"):
        verify(forge.resigned(envelope), trust, now)


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
