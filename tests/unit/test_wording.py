"""What the pages say about deadlines, dates, states and events."""

from datetime import UTC, date, datetime, timedelta

import pytest

from gateway.domain.messages import MESSAGE_TYPES, Ground
from gateway.domain.moves import WAITS_FOR, Role, State
from gateway.web import wording
from gateway.web.wording import Due, Tone, deadline_tag

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)  # Tue 24 Nov


def due(on: date | None, **more: object) -> Due:
    values: dict[str, object] = {
        "known": on is not None,
        "state": "open",
        "on": on,
        "until": None if on is None else datetime(on.year, on.month, on.day, 23, tzinfo=UTC),
        "zone": "Europe/Belgrade",
    }
    return Due(**(values | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("on", "text", "tone"),
    [
        (date(2026, 11, 22), "Overdue by 2 days", Tone.URGENT),
        (date(2026, 11, 23), "Overdue by 1 day", Tone.URGENT),
        (date(2026, 11, 24), "Due today (Tue 24 Nov)", Tone.URGENT),
        (date(2026, 11, 25), "Due tomorrow (Wed 25 Nov)", Tone.SOON),
        (date(2026, 11, 27), "3 days left (Fri 27 Nov)", Tone.SOON),
        (date(2026, 11, 28), "4 days left (Sat 28 Nov)", Tone.CALM),
        (date(2026, 12, 4), "10 days left (Fri 4 Dec)", Tone.CALM),
    ],
)
def test_open_deadline_is_told_in_days_and_by_its_date(on: date, text: str, tone: Tone) -> None:
    tag = deadline_tag(due(on), NOW)
    assert (tag.text, tag.tone) == (text, tone)


def test_deadline_carries_its_date_for_machines() -> None:
    assert deadline_tag(due(date(2026, 11, 25)), NOW).stands_for == "2026-11-25"


def test_deadline_that_is_not_known_is_never_given_a_date() -> None:
    tag = deadline_tag(due(None), NOW)
    assert (tag.text, tag.tone, tag.stands_for) == ("Not known: ask", Tone.UNKNOWN, None)


def test_date_of_a_limit_that_nobody_verified_is_not_shown() -> None:
    assert deadline_tag(due(date(2026, 11, 25), known=False), NOW).text == "Not known: ask"


def test_days_are_counted_where_the_acting_state_is() -> None:
    # 20:30 UTC on the 24th is the 25th in Karachi already.
    evening = datetime(2026, 11, 24, 20, 30, tzinfo=UTC)
    assert deadline_tag(due(date(2026, 11, 25), zone="Asia/Karachi"), evening).text == "Due today (Wed 25 Nov)"
    assert deadline_tag(due(date(2026, 11, 25), zone="Europe/Sarajevo"), evening).text == "Due tomorrow (Wed 25 Nov)"


def test_whole_last_day_still_counts() -> None:
    last_minute = datetime(2026, 11, 24, 22, 59, tzinfo=UTC)
    assert deadline_tag(due(date(2026, 11, 24)), last_minute).text.startswith("Due today")
    assert deadline_tag(due(date(2026, 11, 24)), last_minute + timedelta(minutes=1)).text == "Overdue by 1 day"


@pytest.mark.parametrize(
    ("left", "text", "tone"),
    [
        (timedelta(hours=30), "30 hours left (Wed 25 Nov, 16:30 CET)", Tone.SOON),
        (timedelta(hours=1, minutes=20), "1 hour left (Tue 24 Nov, 11:50 CET)", Tone.URGENT),
        (timedelta(minutes=20), "Less than an hour left (Tue 24 Nov, 10:50 CET)", Tone.URGENT),
        (timedelta(hours=-5), "Overdue by 5 hours", Tone.URGENT),
        (timedelta(seconds=-5), "Overdue by minutes", Tone.URGENT),
    ],
)
def test_limit_in_hours_is_told_with_its_time_of_day(left: timedelta, text: str, tone: Tone) -> None:
    tag = deadline_tag(due(date(2026, 11, 25), until=NOW + left, counts_hours=True), NOW)
    assert (tag.text, tag.tone) == (text, tone)


@pytest.mark.parametrize(
    ("state", "text"),
    [("met", "Met in time"), ("late", "Met late"), ("lapsed", "Time limit has passed"), ("moot", "No longer needed")],
)
def test_settled_deadline_says_how_it_ended(state: str, text: str) -> None:
    assert deadline_tag(due(date(2026, 11, 1), state=state), NOW).text == text


@pytest.mark.parametrize("state", ["met", "late", "lapsed"])
def test_answer_to_a_limit_that_is_not_known_is_not_called_in_time(state: str) -> None:
    assert deadline_tag(due(None, state=state), NOW).text == "Ended, limit not known"


def test_every_tone_but_the_calm_one_has_words_of_its_own() -> None:
    told = {deadline_tag(due(on), NOW).text for on in (None, date(2026, 11, 1), date(2026, 11, 25), date(2026, 12, 25))}
    assert len(told) == 4


def test_instant_is_shown_with_its_zone() -> None:
    assert wording.instant_text(NOW, "Europe/Sarajevo") == "24 Nov 2026, 10:30 CET"
    assert wording.instant_text(datetime(2026, 6, 1, 8, 15, tzinfo=UTC), "Europe/Sarajevo") == "1 Jun 2026, 10:15 CEST"


def test_zone_without_letters_is_shown_by_its_distance_from_utc() -> None:
    assert wording.instant_text(NOW, "Asia/Kathmandu") == "24 Nov 2026, 15:15 UTC+05:45"


def test_full_day_names_the_year() -> None:
    assert wording.full_day_text(date(2027, 1, 3)) == "Sun 3 Jan 2027"


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(hours=3), "3 hours"),
        (timedelta(days=2, hours=5), "2 days"),
    ],
)
def test_age_is_told_in_its_largest_unit(ago: timedelta, text: str) -> None:
    assert wording.age_text(NOW - ago, NOW) == text


@pytest.mark.parametrize("state", [state for state in State if WAITS_FOR[state] is not None])
@pytest.mark.parametrize("role", Role)
def test_state_in_which_somebody_must_act_has_words_for_each_side(role: Role, state: State) -> None:
    # The requested side never sees a held case: nothing has left yet.
    assert ((role.value, state.value) in wording._STATES) is not ((role, state) == (Role.REQUESTED, State.HELD))


def test_words_are_for_states_that_there_are() -> None:
    assert set(wording._STATES) <= {(role.value, state.value) for role in Role for state in State}


def test_side_that_must_act_is_not_told_to_be_calm() -> None:
    waited_for = {
        (WAITS_FOR[state], state) for state in (State.REQUESTED, State.PLANNED, State.CLAIMED, State.TRANSIT_REQUESTED)
    }
    for role, state in waited_for:
        assert role is not None
        assert wording.state_tag(role.value, state.value).tone is Tone.SOON
        assert wording.state_tag(role.other.value, state.value).tone is Tone.CALM


def test_every_ground_has_words() -> None:
    assert set(wording._GROUNDS) == {ground.value for ground in Ground}


def test_every_message_type_has_a_name() -> None:
    names = {kind: wording.type_text(kind) for kind in MESSAGE_TYPES}
    assert len(set(names.values())) == len(MESSAGE_TYPES)
    assert names["TransferNotification"] == "Transfer notification"
    assert set(wording._TYPES) <= set(MESSAGE_TYPES)


def test_unknown_code_is_shown_in_its_own_words() -> None:
    assert wording.in_words("source-reveals-protection") == "Source reveals protection"
    assert wording.state_tag("requesting", "in_transfer").text == "In transfer"
    assert wording.outcome_text("set-aside") == "Set aside"
    assert wording.confidence_text("hearsay") == "hearsay"
    assert wording.lapse_text("something-else") == "something else"


def test_event_is_a_short_sentence() -> None:
    assert wording.event_text("message.received") == "Message received"
    assert wording.event_text("message.refused_by_partner", "ReadmissionReply") == "Reply refused by partner"
    assert wording.event_text("statement.released", "ReadmissionReply") == "Due diligence statement released"
    assert wording.event_text("clock.moved") == "Clock moved"
