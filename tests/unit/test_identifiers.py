"""A personal number that does not check out warns and never refuses."""

from typing import Any

import pytest

from gateway.wire.documents import NS, parse_xml
from gateway.wire.identifiers import warnings


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
