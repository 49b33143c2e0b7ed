"""A personal number that does not check out warns and never refuses."""

from typing import Any

import pytest

from gateway.wire.documents import NS, parse_xml
from gateway.wire.identifiers import jmbg_region, number_warnings, warnings


def application(*numbers: tuple[str, str]) -> Any:
    inner = "".join(
        f"<Identifier><Kind>{kind}</Kind><Value>{value}</Value><State>BA</State></Identifier>" for kind, value in numbers
    )
    return parse_xml(f'<ReadmissionApplication xmlns="{NS}"><Person>{inner}</Person></ReadmissionApplication>'.encode())


@pytest.mark.parametrize(("kind", "value"), [("jmbg", "0101006500006"), ("cnic", "34201-0891231-8"), ("cnic", "3420108912318")])
def test_a_number_that_checks_out_gives_no_warning(kind: str, value: str) -> None:
    assert warnings(application((kind, value))) == []


@pytest.mark.parametrize(("kind", "value"), [("jmbg", "0101006500007"), ("jmbg", "one"), ("cnic", "94201-0891231-8")])
def test_a_number_that_does_not_check_out_gives_a_warning_without_the_number(kind: str, value: str) -> None:
    (path, text), *more = warnings(application(("other", "x"), (kind, value)))
    assert (path, more) == ("/ReadmissionApplication/Person/Identifier[2]/Value", [])
    assert kind.upper() in text
    assert value not in text


def test_a_number_of_another_kind_is_not_judged() -> None:
    assert warnings(application(("other", "12"))) == []


def person(*, number: str, kind: str = "other", state: str = "TR", born: str = "", sex: str = "") -> Any:
    birth = f"<Birth><Date>{born}</Date></Birth>" if born else ""
    told = f"<Sex>{sex}</Sex>" if sex else ""
    inner = f"{told}{birth}<Identifier><Kind>{kind}</Kind><Value>{number}</Value><State>{state}</State></Identifier>"
    return parse_xml(f'<ReadmissionApplication xmlns="{NS}"><Person>{inner}</Person></ReadmissionApplication>'.encode())


# Numbers from the documentation of the algorithms.
VALID = {
    "TR": "17291716060",
    "BG": "7523169263",
    "RO": "1630615123457",
    "HR": "33392005961",
    "IN": "234123412346",
    "NL": "111222333",
    "PL": "44051401359",
    "GR": "01013099997",
}


@pytest.mark.parametrize("state", VALID)
def test_another_states_number_is_judged_by_that_states_rule(state: str) -> None:
    number = VALID[state]
    assert number_warnings(person(number=number, state=state)) == []
    changed = number[:-1] + str((int(number[-1]) + 1) % 10)
    (found,) = number_warnings(person(number=changed, state=state))
    assert (found.code, state in found.text, changed in found.text) == ("check-digit", True, False)


@pytest.mark.parametrize("state", ["AF", "AL", "AM", "BD", "GE", "LK", "XK"])
def test_the_number_of_a_state_without_a_known_rule_is_not_judged(state: str) -> None:
    assert number_warnings(person(number="1", state=state)) == []


def test_a_number_that_says_another_birth_or_sex_than_the_message_is_told() -> None:
    jmbg = "0101006500006"  # born 1.1.2006, male
    same = person(number=jmbg, kind="jmbg", state="BA", born="2006-01-01", sex="male")
    assert number_warnings(same) == []
    other = person(number=jmbg, kind="jmbg", state="BA", born="2006-02-01", sex="female")
    assert [each.code for each in number_warnings(other)] == ["birth-differs", "sex-differs"]


@pytest.mark.parametrize(("born", "codes"), [("2006", []), ("2006-01", []), ("2007", ["birth-differs"]), ("", [])])
def test_a_partial_birth_is_compared_as_far_as_it_goes(born: str, codes: list[str]) -> None:
    document = person(number="0101006500006", kind="jmbg", state="BA", born=born, sex="unknown")
    assert [each.code for each in number_warnings(document)] == codes


@pytest.mark.parametrize(("digits", "place"), [("10", "Bosnia"), ("71", "Serbia"), ("91", "Kosovo"), ("60", None)])
def test_a_jmbg_says_where_it_was_given_out(digits: str, place: str | None) -> None:
    found = jmbg_region(f"0101006{digits}0006")
    assert found is None if place is None else found is not None and found.startswith(place)
