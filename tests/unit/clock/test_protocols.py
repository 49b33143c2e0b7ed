"""Implementing protocols: laid over their agreement for the states that made them."""

from dataclasses import replace

import pytest

from gateway.domain.calendars import Side
from gateway.domain.deadlines import due_date
from gateway.domain.limits import Confidence
from gateway.domain.treaties import Fact, Party, treaty_between, under
from gateway.errors import UnknownTreaty
from tests.clock_samples import MONDAY, calendar, dates, instant, june, limit, treaty

FACT = Fact(about="signed", text="Paris", confidence=Confidence.VERIFIED, source="invented")
AGREEMENT = replace(
    treaty(limit(treaty="eu-rs"), limit(id="interview", treaty="eu-rs", amount=None, confidence=Confidence.UNVERIFIED)),
    authorities={"RS": FACT},
    note="Of the agreement.",
)
PROTOCOL = replace(
    treaty(limit(amount=7, article="Art. 5", treaty="eu-rs/fr")),
    id="eu-rs/fr",
    name="the protocol France-Serbia",
    version="3",
    agreement="eu-rs",
    parties=(
        Party(code="FR", name="France", states=frozenset({"FR"})),
        Party(code="RS", name="Serbia", states=frozenset({"RS"})),
    ),
    authorities={"FR": FACT},
    facts=(FACT,),
    note="Of the protocol.",
)
KNOWN = {treaty.id: treaty for treaty in (AGREEMENT, PROTOCOL)}


def asked(rules, requesting, requested, limit_id="reply"):
    sides = {
        name: Side(state=state, calendar=calendar(state)) if state else None
        for name, state in (("requesting", requesting), ("requested", requested))
    }
    return due_date(rules, limit_id, start=instant(MONDAY), **sides)


# --- which rules hold between two states ----------------------------------------------------------------------------


@pytest.mark.parametrize(("requesting", "requested"), [("FR", "RS"), ("RS", "FR"), ("FR", None)])
def test_protocol_holds_between_its_states_in_both_directions(requesting, requested):
    assert treaty_between(KNOWN, "eu-rs", requesting, requested).protocol == "eu-rs/fr"


@pytest.mark.parametrize(("requesting", "requested"), [("AT", "RS"), ("RS", "AT"), ("AT", None), (None, "RS"), (None, None)])
def test_agreement_alone_holds_between_other_states(requesting, requested):
    assert treaty_between(KNOWN, "eu-rs", requesting, requested) is AGREEMENT


@pytest.mark.parametrize(("requesting", "requested"), [("RS", None), ("FR", "FR"), ("RS", "RS"), ("FR", "AT")])
def test_protocol_does_not_hold_where_only_one_of_its_states_takes_part(requesting, requested):
    assert treaty_between(KNOWN, "eu-rs", requesting, requested) is AGREEMENT


@pytest.mark.parametrize(("requesting", "requested"), [("FR", "RS"), (None, None), ("AT", "RS")])
def test_id_of_a_protocol_names_the_agreement_under_it(requesting, requested):
    found = treaty_between(KNOWN, "eu-rs/fr", requesting, requested)
    assert (found.id, found.protocol) == ("eu-rs", "eu-rs/fr")


def test_named_protocol_does_not_apply_to_states_that_did_not_make_it():
    assert asked(treaty_between(KNOWN, "eu-rs/fr", "AT", "RS"), "AT", "RS").applies is False


def test_unknown_treaty_is_refused():
    with pytest.raises(UnknownTreaty) as caught:
        treaty_between(KNOWN, "eu-xx", "FR", "RS")
    assert caught.value.path == "Request/Agreement"


def test_protocol_to_another_agreement_is_not_taken():
    other = replace(PROTOCOL, id="eu-ba/fr", agreement="eu-ba")
    assert treaty_between({"eu-ba/fr": other, "eu-rs": AGREEMENT}, "eu-rs", "FR", "RS") is AGREEMENT


# --- what it changes ------------------------------------------------------------------------------------------------

BOTH = under(AGREEMENT, PROTOCOL)


def test_rule_of_the_protocol_prevails():
    assert dates(asked(BOTH, "FR", "RS")) == (june(8), june(8))


def test_rule_that_the_protocol_lacks_is_the_agreements():
    silent = replace(PROTOCOL, limits=(limit(id="transfer", amount=3, treaty="eu-rs/fr"),))
    assert dates(asked(under(AGREEMENT, silent), "FR", "RS")) == (june(11), june(11))


def test_rule_of_the_protocol_for_another_procedure_leaves_the_agreements_alone():
    other = replace(PROTOCOL, limits=(limit(amount=2, procedures=frozenset({"accelerated"})),))
    assert dates(asked(under(AGREEMENT, other), "FR", "RS")) == (june(11), june(11))


def test_number_of_the_protocol_that_nobody_read_hides_the_agreements():
    unread = replace(PROTOCOL, limits=(limit(amount=None, confidence=Confidence.UNVERIFIED),))
    assert asked(under(AGREEMENT, unread), "FR", "RS").known is False


def test_precedence_of_the_agreement_does_not_outweigh_the_protocol():
    weighty = replace(AGREEMENT, limits=(limit(precedence=9),))
    assert dates(asked(under(weighty, PROTOCOL), "FR", "RS")) == (june(8), june(8))


def test_name_version_and_note_name_both_texts():
    assert BOTH.name == "Sample agreement, with the protocol France-Serbia"
    assert (BOTH.version, BOTH.note) == ("1+3", "Of the agreement. Of the protocol.")


def test_note_of_one_text_stands_alone():
    assert under(replace(AGREEMENT, note=""), PROTOCOL).note == "Of the protocol."


def test_facts_and_authorities_of_both_texts_stand_together():
    assert (BOTH.facts, dict(BOTH.authorities)) == ((FACT,), {"RS": FACT, "FR": FACT})


def test_parties_are_those_of_the_protocol():
    assert (BOTH.binds("FR", "RS"), BOTH.binds("AT", "RS")) == (True, False)


# --- what is told ---------------------------------------------------------------------------------------------------


def test_answer_names_the_file_whose_row_applies():
    told = asked(BOTH, "FR", "RS").as_dict()
    assert (told["treaty"], told["agreement"], told["protocol"]) == ("eu-rs/fr", "eu-rs", "eu-rs/fr")


def test_answer_names_the_agreement_where_its_row_applies():
    told = asked(BOTH, "FR", "RS", "interview").as_dict()
    assert (told["treaty"], told["agreement"], told["protocol"]) == ("eu-rs", "eu-rs", "eu-rs/fr")


def test_explanation_says_that_the_protocol_prevails():
    told = "Between these two states the protocol eu-rs/fr applies; this rule is that of the protocol, which prevails."
    assert told in asked(BOTH, "FR", "RS").explain


def test_explanation_says_that_the_agreement_speaks_where_the_protocol_does_not():
    told = "this rule is that of the agreement; the protocol has none of its own."
    assert any(sentence.endswith(told) for sentence in asked(BOTH, "FR", "RS", "interview").explain)


def test_explanation_without_protocol_does_not_speak_of_one():
    assert not any("protocol" in sentence for sentence in asked(AGREEMENT, "AT", "RS").explain)
