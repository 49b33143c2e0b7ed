"""Protocols as files: where they lie, what they need beside them, and how their examples are counted."""

import pytest

from gateway.domain.treaties import treaty_between
from gateway.errors import TreatyInvalid
from gateway.partners.calendars import load_calendars
from gateway.partners.examples import failing_examples
from gateway.partners.treaties import load_treaties
from gateway.settings import data_folder

TREATY = """
id = "%(id)s"
%(agreement)s
name = "Sample"
version = "1"

[[parties]]
code = "XA"
name = "Sample A"
states = %(states)s

[[parties]]
code = "RS"
name = "Serbia"
states = ["RS"]

[[limits]]
id = "reply"
who = "requested"
start = "receipt"
amount = %(amount)d
unit = "calendar-days"
calendar = "requested"
procedures = ["ordinary"]
categories = ["national"]
article = "Art. 7(1)"
source = "invented"
confidence = "verified"
examples = [{ start = 2026-06-01T10:15:00+02:00, due = 2026-06-%(due)02d }]
"""


@pytest.fixture(scope="module")
def calendars():
    return load_calendars(data_folder("partners") / "calendars")


def write(folder, treaty_id, states='["AT", "FR"]', amount=10, *, agreement=None, due=None):
    of = agreement if agreement is not None else treaty_id.partition("/")[0] if "/" in treaty_id else ""
    path = folder / f"{treaty_id}.toml"
    path.parent.mkdir(exist_ok=True)
    named = f'agreement = "{of}"' if of else ""
    path.write_text(
        TREATY % {"id": treaty_id, "agreement": named, "states": states, "amount": amount, "due": due or 1 + amount},
        encoding="utf-8",
    )


def test_protocol_is_named_by_its_path(tmp_path):
    write(tmp_path, "xa-rs")
    write(tmp_path, "xa-rs/fr", '["FR"]', 7)
    found = load_treaties(tmp_path)
    assert set(found) == {"xa-rs", "xa-rs/fr"}
    assert (found["xa-rs"].agreement, found["xa-rs/fr"].agreement) == (None, "xa-rs")
    assert treaty_between(found, "xa-rs", "FR", "RS").limits[0].amount == 7


def test_protocol_without_its_agreement_is_refused(tmp_path):
    write(tmp_path, "xa-rs/fr", '["FR"]')
    with pytest.raises(TreatyInvalid, match=r"treaties/xa-rs/fr\.toml: there is no agreement 'xa-rs'"):
        load_treaties(tmp_path)


@pytest.mark.parametrize("agreement", ["xa-xc", "xa-rs/fr"])
def test_protocol_in_the_folder_of_another_agreement_is_refused(tmp_path, agreement):
    write(tmp_path, "xa-rs")
    write(tmp_path, "xa-rs/fr", '["FR"]', agreement=agreement)
    with pytest.raises(TreatyInvalid, match=r"treaties/xa-rs/fr\.toml: key 'agreement'"):
        load_treaties(tmp_path)


def test_agreement_that_calls_itself_a_protocol_is_refused(tmp_path):
    write(tmp_path, "xa-rs", agreement="xa-xc")
    with pytest.raises(TreatyInvalid, match="'agreement'"):
        load_treaties(tmp_path)


def test_protocol_that_does_not_name_its_agreement_is_refused(tmp_path):
    write(tmp_path, "xa-rs")
    write(tmp_path, "xa-rs/fr", '["FR"]')
    path = tmp_path / "xa-rs" / "fr.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('agreement = "xa-rs"', ""), encoding="utf-8")
    with pytest.raises(TreatyInvalid, match="'agreement'"):
        load_treaties(tmp_path)


@pytest.mark.parametrize("states", ['["BA"]', '["FR", "BA"]'])
def test_protocol_of_a_state_that_the_agreement_does_not_bind_is_refused(tmp_path, states):
    write(tmp_path, "xa-rs")
    write(tmp_path, "xa-rs/fr", states)
    with pytest.raises(TreatyInvalid, match="its states are not on the two sides of 'xa-rs'"):
        load_treaties(tmp_path)


@pytest.mark.parametrize("states", ['["FR"]', '["FR", "AT"]'])
def test_two_protocols_for_one_pair_of_states_are_refused(tmp_path, states):
    write(tmp_path, "xa-rs")
    write(tmp_path, "xa-rs/fr", '["FR"]')
    write(tmp_path, "xa-rs/two", states)
    with pytest.raises(TreatyInvalid, match=r"xa-rs/fr\.toml and xa-rs/two\.toml are protocols for the same pair"):
        load_treaties(tmp_path)


def test_protocols_of_other_states_stand_side_by_side(tmp_path):
    write(tmp_path, "xa-rs")
    write(tmp_path, "xa-rs/fr", '["FR"]')
    write(tmp_path, "xa-rs/at", '["AT"]')
    assert len(load_treaties(tmp_path)) == 3


def test_protocols_of_one_pair_to_two_agreements_stand_side_by_side(tmp_path):
    for name in ("xa-rs", "xb-rs"):
        write(tmp_path, name)
        write(tmp_path, f"{name}/fr", '["FR"]')
    assert len(load_treaties(tmp_path)) == 4


def test_examples_of_a_protocol_are_counted_over_its_agreement(tmp_path, calendars):
    write(tmp_path, "xa-rs")
    write(tmp_path, "xa-rs/fr", '["FR"]', 7)
    found = load_treaties(tmp_path)
    assert failing_examples(found["xa-rs/fr"], calendars, found) == ()


def test_example_of_a_protocol_that_takes_the_agreements_number_is_told(tmp_path, calendars):
    write(tmp_path, "xa-rs")
    write(tmp_path, "xa-rs/fr", '["FR"]', 7, due=11)
    found = load_treaties(tmp_path)
    (failure,) = failing_examples(found["xa-rs/fr"], calendars, found)
    assert failure.startswith("treaties/xa-rs/fr.toml: limit 'reply' (ordinary), example 1: says 2026-06-11")


def test_examples_of_an_agreement_are_not_changed_by_its_protocols(tmp_path, calendars):
    write(tmp_path, "xa-rs")
    write(tmp_path, "xa-rs/fr", '["FR"]', 7)
    found = load_treaties(tmp_path)
    assert failing_examples(found["xa-rs"], calendars, found) == ()
