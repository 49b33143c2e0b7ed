"""What a message type needs is made when the first message of that type comes."""

import pytest

from gateway.wire.on_demand import OnDemand


def test_value_is_made_once_and_only_when_it_is_asked_for():
    made: list[str] = []
    found = OnDemand({"Withdrawal": 1, "Suspension": 2}, lambda kind: made.append(kind) or kind.lower())
    assert made == []
    assert [found["Withdrawal"], found["Withdrawal"]] == ["withdrawal", "withdrawal"]
    assert made == ["Withdrawal"]


def test_all_types_are_named_before_anything_is_made():
    found = OnDemand({"Withdrawal": 1, "Suspension": 2}, str.lower)
    assert (list(found), len(found)) == (["Withdrawal", "Suspension"], 2)


def test_type_that_is_not_there_is_refused():
    with pytest.raises(KeyError):
        OnDemand({"Withdrawal": 1}, str.lower)["Resumption"]
