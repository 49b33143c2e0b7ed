"""Which row of a treaty applies: procedure, person, escort, means of transport, precedence."""

import pytest

from gateway.domain.deadlines import due_date
from gateway.domain.limits import Actor, Direction, Unit
from tests.clock_samples import MONDAY, SERBIA, instant, june, limit, treaty

ORDINARY = limit(amount=10)
ACCELERATED = limit(amount=2, unit=Unit.WORKING_DAYS, procedures=frozenset({"accelerated"}))


def asked(*rows, **options):
    limit_id = rows[0].id
    return due_date(treaty(*rows), limit_id, start=instant(MONDAY), requested=SERBIA, requesting=None, **options)


def notice(amount, **changes):
    given = {"id": "transit-notice", "direction": Direction.BEFORE, "unit": Unit.WORKING_DAYS, "amount": amount}
    return limit(**given | changes)


def picked(*rows, **options):
    return asked(*rows, planned=june(12), **options).limit


# --- procedure and person -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("procedure", "row"), [("ordinary", ORDINARY), ("accelerated", ACCELERATED)])
def test_procedure_picks_its_own_row(procedure, row):
    assert asked(ORDINARY, ACCELERATED, procedure=procedure).limit is row


def test_row_for_several_procedures_covers_each():
    row = limit(procedures=frozenset({"ordinary", "accelerated"}))
    assert asked(row, procedure="accelerated").limit is row


def test_row_for_own_nationals_only_does_not_apply_to_others():
    row = limit(categories=frozenset({"national"}))
    assert asked(row, category="national").applies is True
    assert asked(row, category="stateless").applies is False


def test_row_of_another_limit_is_not_taken_instead():
    assert treaty(limit(id="transfer")).limit("reply", "ordinary", "national") is None


def test_row_of_the_other_side_is_told_as_its_duty():
    assert asked(limit(who=Actor.REQUESTING)).as_dict()["who"] == "requesting"


# --- escort ---------------------------------------------------------------------------------------------------------

PLAIN, ESCORTED = notice(3, escorted=False), notice(5, escorted=True)


def test_escorted_transfer_takes_the_longer_notice():
    assert picked(PLAIN, ESCORTED, escorted=True) is ESCORTED


def test_transfer_is_not_escorted_unless_somebody_says_so():
    assert picked(PLAIN, ESCORTED) is PLAIN


def test_row_that_does_not_speak_of_escorts_covers_both():
    assert picked(notice(3), escorted=True).amount == 3
    assert picked(notice(3)).amount == 3


def test_notice_for_escorted_transfers_alone_does_not_apply_to_others():
    assert picked(ESCORTED) is None
    assert picked(PLAIN, escorted=True) is None


# --- means of transport ---------------------------------------------------------------------------------------------

AIR, LAND = notice(2, means="air", precedence=1), notice(3, means="land", precedence=2)


def in_order(*rows):
    return sorted(rows, key=lambda row: -row.precedence)


@pytest.mark.parametrize(("means", "row"), [("air", AIR), ("land", LAND)])
def test_means_of_transport_picks_its_own_row(means, row):
    assert picked(*in_order(AIR, LAND), means=means) is row


def test_longer_notice_holds_where_nobody_says_by_which_means():
    assert picked(*in_order(AIR, LAND)) is LAND


def test_means_that_no_row_knows_does_not_apply():
    assert picked(*in_order(AIR, LAND), means="sea") is None


def test_row_that_does_not_speak_of_means_covers_each():
    assert picked(notice(3), means="sea").amount == 3


def test_rows_by_air_and_by_land_cover_the_same_where_nobody_says():
    assert AIR.overlaps(LAND) is True


def test_rows_with_and_without_escort_do_not_cover_the_same():
    assert PLAIN.overlaps(ESCORTED) is False
    assert PLAIN.overlaps(notice(4)) is True


@pytest.mark.parametrize(
    "other",
    [
        limit(id="transfer"),
        limit(procedures=frozenset({"accelerated"})),
        limit(categories=frozenset({"alien"})),
    ],
)
def test_rows_for_other_limits_procedures_or_persons_do_not_cover_the_same(other):
    assert limit().overlaps(other) is False
    assert limit().overlaps(limit(amount=1)) is True


# --- what an event starts -------------------------------------------------------------------------------------------


def test_event_starts_every_limit_that_names_it():
    rows = (limit(), limit(id="interview"), limit(id="transfer", start="agreement"))
    assert [row.id for row in treaty(*rows).started_by("receipt", "ordinary", "national")] == ["reply", "interview"]


def test_event_starts_of_each_limit_only_the_row_that_prevails():
    first, second = limit(precedence=2), limit(amount=3, precedence=1)
    assert treaty(first, second).started_by("receipt", "ordinary", "national") == (first,)


def test_event_does_not_start_limits_of_other_procedures_or_persons():
    rows = (ACCELERATED, limit(categories=frozenset({"stateless"})))
    assert treaty(*rows).started_by("receipt", "ordinary", "national") == ()
