"""Pairs of descriptions that look real: who is shown as perhaps the same person, who is not, and why."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.described import Description, Number, describe, search_terms
from gateway.wire.documents import NS, parse_xml
from gateway.wire.resemblance import LEAST, POINTS, REASONS, THRESHOLD, Resemblance, resemblance

PASSPORT = Number(kind="passport", state="PK", value="XX0000000")
CNIC = Number(kind="cnic", state="PK", value="3420112345671")


def person(name: str | None, **more: Any) -> Description:
    known = Description(
        names=(name,) if name else (),
        other_names=(),
        given=(),
        born="1991-03-14",
        birth_certain=True,
        sex="male",
        nationalities=frozenset({"PK"}),
        documents=frozenset(),
        identifiers=frozenset(),
    )
    return replace(known, **more)


def codes(found: Resemblance) -> set[str]:
    return {reason.code for reason in found.reasons}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("MUHAMMAD ALI KHAN", "KHAN MOHAMMED ALI"),
        ("DORDEVIC NIKOLA", "DJORDJEVIC NIKOLA"),
        ("Đorđević Nikola", "НИКОЛА ЂОРЂЕВИЋ"),
        ("محمد علي خان", "Mohammad Ali Khan"),
        ("ABDUL RAHMAN AL-HUSSEINI", "Abdul Rahman Alhusseini"),
        ("Гиорги Мгалоблишвили", "GIORGI MGALOBLISHVILI"),
        ("Müller Jürgen", "MUELLER JUERGEN"),
    ],
)
def test_one_name_in_two_spellings_is_the_same_name(one: str, other: str) -> None:
    found = resemblance(person(one), person(other))
    assert "name-same" in codes(found)
    assert found.score >= 90


def test_twins_score_low_for_their_given_names() -> None:
    ahmed = person("AHMED RASHID KHAN", given=("AHMED",))
    bilal = person("BILAL RASHID KHAN", given=("BILAL",))
    found, same = resemblance(ahmed, bilal), resemblance(ahmed, ahmed)
    assert "given-names-differ" in codes(found)
    assert found.score < THRESHOLD < same.score


def test_twins_whose_name_has_no_parts_score_low_for_the_word_that_differs() -> None:
    found = resemblance(person("AHMED KHAN"), person("BILAL KHAN"))
    assert "name-words-differ" in codes(found)
    assert found.score < THRESHOLD


def test_sister_and_brother_of_one_day_are_not_shown() -> None:
    found = resemblance(person("SPECIMEN NAMUNA KHAN"), person("SPECIMEN AISHA KHAN", sex="female"))
    assert {"name-words-differ", "sex-differs"} <= codes(found)
    assert found.score < THRESHOLD


def test_father_and_son_of_one_name_are_not_shown() -> None:
    found = resemblance(person("IVAN PETROV"), person("IVAN PETROV", born="1962-07-01"))
    assert codes(found) >= {"name-same", "birth-differs"}
    assert found.score < THRESHOLD


def test_name_with_a_word_less_is_still_shown() -> None:
    found = resemblance(person("MUHAMMAD ALI KHAN"), person("MUHAMMAD KHAN"))
    assert "name-words-differ" not in codes(found)
    assert found.score >= THRESHOLD


@pytest.mark.parametrize("born", ["1991", "1991-03"])
def test_partial_birth_date_counts_less_than_a_full_one(born: str) -> None:
    full, part = (resemblance(person("ALI KHAN"), person("ALI KHAN", born=date)) for date in ("1991-03-14", born))
    assert "birth-agrees-in-part" in codes(part)
    assert THRESHOLD <= part.score < full.score


@pytest.mark.parametrize(
    ("one", "other", "code"),
    [
        ("1991-03-04", "1991-04-03", "birth-day-and-month-swapped"),
        ("1991-03-14", "1997-03-14", "birth-one-figure-differs"),
        ("1991", "1993", "birth-differs"),
        ("1991-03", "1991-04", "birth-differs"),
    ],
)
def test_birth_dates_are_told_apart_by_how_they_differ(one: str, other: str, code: str) -> None:
    assert code in codes(resemblance(person("ALI KHAN", born=one), person("ALI KHAN", born=other)))


def test_estimated_birth_dates_two_years_apart_speak_little() -> None:
    found = resemblance(person("ALI KHAN", born="1991", birth_certain=False), person("ALI KHAN", born="1993"))
    assert "birth-near-an-estimate" in codes(found)


def test_same_number_is_always_shown_whatever_else_differs() -> None:
    other = person("IVAN PETROV", born="1950-01-01", sex="female", nationalities=frozenset({"BG"}))
    for field, number in (("documents", PASSPORT), ("identifiers", CNIC)):
        held: Any = {field: frozenset({number})}
        found = resemblance(person("ALI KHAN", **held), replace(other, **held))
        assert found.score == LEAST["document-number-same" if field == "documents" else "identifier-same"]


def test_number_of_another_state_is_another_number() -> None:
    found = resemblance(
        person("ALI KHAN", documents=frozenset({PASSPORT})),
        person("IVAN PETROV", documents=frozenset({replace(PASSPORT, state="BG")})),
    )
    assert "document-number-same" not in codes(found)


def test_personal_number_that_differs_speaks_against() -> None:
    mine = person("ALI KHAN", identifiers=frozenset({CNIC}))
    theirs = person("ALI KHAN", identifiers=frozenset({replace(CNIC, value="3420112345673")}))
    assert resemblance(mine, theirs).score == resemblance(person("ALI KHAN"), person("ALI KHAN")).score - 30


def test_alias_of_one_case_is_the_name_of_the_other() -> None:
    found = resemblance(person("NAMUNA AHMED", other_names=("SPECIMEN KHAN",)), person("SPECIMEN KHAN"))
    assert "name-as-other-name" in codes(found)
    assert found.score >= THRESHOLD


def test_persons_without_names_are_found_by_their_numbers_alone() -> None:
    unnamed = person(None, documents=frozenset({PASSPORT}))
    assert codes(resemblance(unnamed, unnamed)) >= {"name-not-known", "document-number-same"}
    assert resemblance(unnamed, unnamed).score >= THRESHOLD
    assert resemblance(person(None), person(None)).score < THRESHOLD


def test_every_reason_has_points_with_words() -> None:
    assert POINTS.keys() == REASONS.keys()


_NAMES = st.sampled_from(["ALI KHAN", "KHAN A", "نمونہ خان", "'", "123", "ß", "Ђорђевић"]) | st.text(max_size=30)


@given(_NAMES, _NAMES, st.sampled_from([None, "1991", "1991-03", "1991-03-14"]), st.sampled_from([None, "1990", "1991-14-03"]))
def test_any_two_names_give_the_same_score_in_either_order(
    one: str, other: str, born: str | None, other_born: str | None
) -> None:
    mine, theirs = person(one, born=born), person(other, born=other_born)
    found = resemblance(mine, theirs)
    assert found == resemblance(theirs, mine)
    assert 0 <= found.score <= 100


def application(inner: str) -> Any:
    return parse_xml(f'<ReadmissionApplication xmlns="{NS}">{inner}</ReadmissionApplication>'.encode())


def test_description_and_search_terms_hold_what_an_application_says() -> None:
    described = describe(
        application(
            "<Person><Name><AsShown>ЂОРЂЕВИЋ НИКОЛА</AsShown><Script>Cyrl</Script><Latin>DORDEVIC NIKOLA</Latin>"
            "<Part><Kind>given</Kind><Value>НИКОЛА</Value></Part></Name>"
            "<OtherName><Kind>alias</Kind><Name><AsShown>SPECIMEN DE KHAN</AsShown><Script>Latn</Script></Name></OtherName>"
            "<Sex>male</Sex><Birth><Date>1991-03</Date><DateQuality>partial</DateQuality></Birth><Nationality>unknown</Nationality>"
            "<Identifier><Kind>jmbg</Kind><Value>0101006500006</Value><State>RS</State></Identifier></Person>"
            "<Document><Kind>passport</Kind><Number>ab 12-345</Number><IssuingState>RS</IssuingState></Document>"
            "<Document><Kind>other</Kind><Number>7</Number><IssuingState>RS</IssuingState></Document>"
        )
    )
    assert described.given == ("НИКОЛА",)
    assert described.nationalities == frozenset()
    terms = {(term.kind, term.text) for term in search_terms(described)}
    assert {("number", "AB12345"), ("number", "0101006500006"), ("born", "1991")} <= terms
    assert {("name", "DORDEVIC"), ("name", "DJORDJEVIC"), ("name", "KHAN")} <= terms
    assert not {("name", "DE"), ("number", "7")} & terms


def test_word_of_many_spellings_weighs_no_more_than_a_word_of_one() -> None:
    weights = {name: sum(term.weight for term in search_terms(person(name, born=None))) for name in ("MUHAMMAD", "ZZYZX")}
    assert weights["ZZYZX"] == 100
    assert 80 <= weights["MUHAMMAD"] <= 120


def test_endless_aliases_make_no_endless_index() -> None:
    aliases = tuple(f"{a}{b}{c}" for a in "BCDFGHKLMN" for b in "AEIOU" for c in "BCDFGHKLMN")
    terms = search_terms(person("ALI KHAN", other_names=aliases, documents=frozenset({PASSPORT})))
    assert len(terms) <= 303
    assert {"KHAN", "XX0000000", "1991"} <= {term.text for term in terms}


def test_application_without_a_person_describes_nobody() -> None:
    assert search_terms(describe(application(""))) == ()
