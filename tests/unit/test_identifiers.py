"""A personal number that does not check out, or says something else than the application, warns and never refuses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.documents import NS, parse_xml
from gateway.wire.identifiers import BY_STATE, Examined, examine_numbers, warnings

# Numbers that the documentation of python-stdnum gives as examples of valid ones, with what they say.
VALID = [
    ("jmbg", "BA", "0101006500006", "2006-01-01", "male"),
    ("cnic", "PK", "34201-0891231-8", None, "female"),
    ("cnic", "PK", "3420108912317", None, "male"),
    ("other", "TR", "17291716060", None, None),
    ("other", "HR", "33392005961", None, None),
    ("other", "BG", "7523169263", "1875-03-16", "male"),
    ("other", "BG", "8032056031", "1880-12-05", "female"),
    ("other", "RO", "1630615123457", "1963-06-15", "male"),
    ("other", "IT", "RCCMNL83S18D969H", "1983-11-18", "male"),
    ("other", "CN", "360426199101010071", "1991-01-01", "male"),
    ("other", "PL", "44051401359", "1944-05-14", "male"),
    ("other", "NL", "111222333", None, None),
    ("other", "FR", "295109912611193", None, "female"),
    ("other", "DE", "36574261809", None, None),
    ("other", "IN", "234123412346", None, None),
    ("other", "GR", "01013099997", "1930-01-01", "male"),
    ("other", "BE", "85073003328", "1985-07-30", "male"),
    ("other", "CZ", "710319/2745", "1971-03-19", "male"),
    ("other", "SK", "710319/2745", "1971-03-19", "male"),
    ("other", "DK", "211062-5629", "1862-10-21", "male"),
    ("other", "EE", "36805280109", "1968-05-28", "male"),
    ("other", "ES", "54362315-K", None, None),
    ("other", "FI", "131052-308T", None, None),
    ("other", "LT", "33309240064", "1933-09-24", "male"),
    ("other", "MY", "770305-02-1234", "1977-03-05", "female"),
    ("other", "NO", "151086 95088", "1986-10-15", "female"),
    ("other", "SE", "880320-0016", "1988-03-20", "male"),
    ("other", "SI", "0101006500006", "2006-01-01", "male"),
    ("other", "UA", "1759013776", None, None),
]


def application(*numbers: tuple[str, str, str], born: str = "", sex: str = "unknown") -> Any:
    inner = "".join(
        f"<Identifier><Kind>{kind}</Kind><Value>{value}</Value><State>{state}</State></Identifier>"
        for kind, state, value in numbers
    )
    about = f"<Sex>{sex}</Sex><Birth>{f'<Date>{born}</Date>' if born else ''}</Birth>"
    return parse_xml(f'<ReadmissionApplication xmlns="{NS}"><Person>{about}{inner}</Person></ReadmissionApplication>'.encode())


def only(kind: str, state: str, value: str, **about: str) -> Examined:
    (found,) = examine_numbers(application((kind, state, value), **about))
    return found


@pytest.mark.parametrize(("kind", "state", "value", "born", "sex"), VALID)
def test_number_that_checks_out_says_what_its_form_says(
    kind: str, state: str, value: str, born: str | None, sex: str | None
) -> None:
    found = only(kind, state, value)
    assert found.valid is True
    assert (found.born.isoformat() if found.born else None, found.sex, found.warnings) == (born, sex, ())


def test_every_state_that_is_named_is_tried_here() -> None:
    tried = {state for kind, state, *_ in VALID if kind == "other"} | {"MD"}
    assert tried == set(BY_STATE)


@pytest.mark.parametrize(("kind", "state", "value"), [(kind, state, value) for kind, state, value, *_ in VALID])
def test_number_cut_short_warns_without_being_named(kind: str, state: str, value: str) -> None:
    (warning,) = warnings(application(("other", "XK", "x"), (kind, state, value[:-1])))
    assert (warning.code, warning.path) == ("check-digit", "/ReadmissionApplication/Person/Identifier[2]/Value")
    assert value[:-1] not in warning.message
    assert warning.name in warning.message


@pytest.mark.parametrize(("kind", "state", "value"), [("jmbg", "RS", "0101006500007"), ("other", "TR", "17291716061")])
def test_wrong_check_digit_warns(kind: str, state: str, value: str) -> None:
    assert [warning.code for warning in warnings(application((kind, state, value)))] == ["check-digit"]


def test_number_of_a_company_is_no_number_of_a_person() -> None:
    assert only("other", "MD", "1008600038413").valid is False
    assert only("other", "MD", "2008600038410").valid is True


@pytest.mark.parametrize("state", ["AF", "AL", "AM", "AZ", "BD", "GE", "LK", "XK", "AT"])
def test_number_without_a_rule_is_told_to_be_not_checked(state: str) -> None:
    assert only("other", state, "12").valid is None
    assert warnings(application(("other", state, "12"))) == []


def test_region_of_a_jmbg_is_where_it_was_given_out() -> None:
    assert only("jmbg", "BA", "0101006170006").region == ("BA", "Sarajevo")
    assert only("jmbg", "SI", "0101006500006").region == ("SI", None)


@pytest.mark.parametrize("born", ["2006", "2006-01", "2006-01-01", ""])
def test_birth_date_that_agrees_as_far_as_it_goes_gives_no_warning(born: str) -> None:
    assert warnings(application(("jmbg", "BA", "0101006500006"), born=born, sex="male")) == []


def test_other_birth_date_and_other_sex_warn() -> None:
    found = warnings(application(("jmbg", "BA", "0101006500006"), born="2006-02", sex="female"))
    assert [warning.code for warning in found] == ["birth-differs", "sex-differs"]
    assert all("2006" not in warning.message for warning in found)


def test_century_that_a_number_does_not_say_is_not_held_against_anybody() -> None:
    assert warnings(application(("other", "IT", "RCCMNL83S18D969H"), born="1883-11-18")) == []
    assert len(warnings(application(("other", "IT", "RCCMNL83S18D969H"), born="1984"))) == 1


@given(
    st.sampled_from(["jmbg", "cnic", *BY_STATE]),
    st.text(alphabet="0123456789 -./ABCXß\u0661", max_size=20)
    | st.text(max_size=20, alphabet=st.characters(codec="utf-8", categories=["L", "N", "P"])),
)
def test_any_text_is_judged_without_an_error(rule: str, value: str) -> None:
    kind, state = (rule, "BA") if rule.islower() else ("other", rule)
    document = application((kind, state, "x"))
    document[0][-1][1].text = value
    (found,) = examine_numbers(document)
    assert found.valid is not None
