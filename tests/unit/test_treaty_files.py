"""Treaty files: what the shipped ones say, what a wrong one is refused for, and the operator's own figures."""

from datetime import date

import pytest

from gateway.domain.limits import Confidence, OnLapse, Unit
from gateway.domain.treaties import NO_AGREEMENT, treaty_between
from gateway.errors import TreatyInvalid
from gateway.partners.calendars import load_calendars
from gateway.partners.examples import failing_examples
from gateway.partners.treaties import load_treaties
from gateway.settings import data_folder
from tests.clock_samples import treaty as sample_treaty

FOLDER = data_folder("partners") / "treaties"


@pytest.fixture(scope="module")
def shipped():
    return load_treaties(FOLDER)


@pytest.fixture(scope="module")
def calendars():
    return load_calendars(data_folder("partners") / "calendars")


# --- the shipped files ------------------------------------------------------------------------------------------------


NAMES = sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.rglob("*.toml"))


@pytest.mark.parametrize("name", NAMES)
def test_every_example_beside_a_rule_comes_out(shipped, calendars, name):
    assert failing_examples(shipped[name], calendars, shipped) == ()


def test_protocols_are_among_the_files():
    assert {"eu-rs", "eu-rs/fr"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_row_that_nobody_verified_holds_no_number(shipped, name):
    rows = [row for row in shipped[name].limits if row.confidence is Confidence.UNVERIFIED]
    assert [(row.id, row.amount, row.examples) for row in rows] == [(row.id, None, ()) for row in rows]


@pytest.mark.parametrize("name", NAMES)
def test_row_names_the_file_it_stands_in(shipped, name):
    assert {row.treaty for row in shipped[name].limits} <= {name}


@pytest.mark.parametrize("name", [name for name in NAMES if "/" in name])
def test_protocol_prevails_between_its_states_in_both_directions(shipped, name):
    one, other = (min(party.states) for party in shipped[name].parties)
    for requesting, requested in ((one, other), (other, one)):
        rules = treaty_between(shipped, shipped[name].agreement, requesting, requested)
        assert rules.protocol == name
        assert rules.limits[: len(shipped[name].limits)] == shipped[name].limits


def test_every_rule_that_computes_has_an_example(shipped):
    bare = [
        (name, row.id)
        for name, treaty in shipped.items()
        for row in treaty.limits
        if row.confidence is not Confidence.UNVERIFIED and not row.examples
    ]
    assert bare == []


@pytest.mark.parametrize(
    ("limit_id", "procedure", "category", "amount", "unit", "on_lapse"),
    [
        ("reply", "ordinary", "national", 10, Unit.CALENDAR_DAYS, OnLapse.AGREED),
        ("reply", "accelerated", "third-country", 2, Unit.WORKING_DAYS, OnLapse.AGREED),
        ("transfer", "ordinary", "stateless", 3, Unit.MONTHS, OnLapse.NOTHING),
        ("submission", "ordinary", "third-country", 1, Unit.YEARS, OnLapse.NOTHING),
    ],
)
def test_limits_with_serbia_are_those_of_article_10(shipped, limit_id, procedure, category, amount, unit, on_lapse):
    row = shipped["eu-rs"].limit(limit_id, procedure, category)
    assert (row.amount, row.unit, row.on_lapse, row.confidence) == (amount, unit, on_lapse, Confidence.VERIFIED)
    assert row.article.startswith("Art. 10")


def test_extension_with_serbia_is_six_days_of_the_ordinary_reply_only(shipped):
    assert shipped["eu-rs"].limit("reply", "ordinary", "national").extension.days == 6
    assert shipped["eu-rs"].limit("reply", "accelerated", "national").extension is None


def test_submission_limit_is_not_for_own_nationals(shipped):
    assert shipped["eu-rs"].limit("submission", "ordinary", "national") is None


def test_limits_with_pakistan_have_no_number_nobody_read(shipped):
    rows = shipped["ba-pk"].limits
    assert {(row.id, row.amount, row.confidence, row.on_lapse) for row in rows} == {
        ("reply", None, Confidence.UNVERIFIED, OnLapse.NOTHING)
    }


def test_register_entry_of_pakistan_says_how_sure_it_is(shipped):
    entry = shipped["ba-pk"]
    assert entry.entered_into_force == date(2021, 7, 23)
    assert {fact.confidence for fact in (*entry.facts, *entry.authorities.values())} == {Confidence.SECONDARY}
    assert entry.authorities["PK"].text == "Ministry of Interior"


def test_denmark_is_not_bound_by_the_agreement_of_the_union(shipped):
    assert shipped["eu-rs"].binds("DK", "RS") is False


def test_where_there_is_no_agreement_nothing_computes_and_only_states_without_one_are_bound(shipped):
    rules = shipped[NO_AGREEMENT]
    assert rules.binds("MK", "BD")
    assert rules.binds("BD", "MK")
    assert not rules.binds("RS", "AT")
    assert not rules.binds("MA", "DZ")
    assert {(row.amount, row.confidence, row.on_lapse) for row in rules.limits} == {
        (None, Confidence.UNVERIFIED, OnLapse.NOTHING)
    }
    without = rules.parties[1].states
    others = [treaty for treaty in shipped.values() if treaty.id != NO_AGREEMENT]
    assert not [treaty.id for treaty in others for party in treaty.parties if party.states & without]


def test_receipt_starts_the_reply_limit_of_the_procedure(shipped):
    rows = shipped["eu-rs"].started_by("receipt", "accelerated", "national")
    assert [(row.id, row.amount) for row in rows] == [("reply", 2)]


@pytest.mark.parametrize(("state", "other"), [("AT", "RS"), ("RS", None), ("PK", None)])
def test_counterpart_is_named_only_where_it_is_one_state(shipped, state, other):
    assert shipped["eu-rs"].counterpart(state) == other


def test_party_named_second_is_asked_by_default(shipped):
    assert (shipped["eu-rs"].asked_by_default, shipped["ba-pk"].asked_by_default) == ("RS", "PK")


def test_unnamed_requesting_state_may_be_any_party():
    assert sample_treaty().binds(None, "FR") is True


# --- the operator's own figures ---------------------------------------------------------------------------------------


OVERRIDE = """
[[overrides]]
treaty = "ba-pk"
limit = "reply"
amount = 30
unit = "calendar-days"
who = "Ministry of Security"
when = 2026-05-04
reference = "Minutes 3/2026"
"""


def with_overrides(folder, text):
    path = folder / "overrides.toml"
    path.write_text(text, encoding="utf-8")
    return load_treaties(FOLDER, path)


def test_figure_of_the_operator_is_marked_with_office_day_and_ground(tmp_path):
    row = with_overrides(tmp_path, OVERRIDE)["ba-pk"].limit("reply", "ordinary", "national")
    assert (row.amount, row.confidence, row.cited) == (30, Confidence.OPERATOR, "Minutes 3/2026")
    assert (row.override.who, row.override.when) == ("Ministry of Security", date(2026, 5, 4))


def test_figure_of_the_operator_gives_silence_no_meaning_by_itself(tmp_path):
    assert with_overrides(tmp_path, OVERRIDE)["ba-pk"].limits[0].on_lapse is OnLapse.NOTHING


def test_operator_may_say_what_silence_means(tmp_path):
    stated = with_overrides(tmp_path, OVERRIDE + 'on_lapse = "agreed"\n')
    assert stated["ba-pk"].limits[0].on_lapse is OnLapse.AGREED


def test_figure_of_the_operator_leaves_other_rows_alone(tmp_path, shipped):
    text = OVERRIDE.replace("ba-pk", "eu-rs") + 'procedure = "accelerated"\n'
    rules = with_overrides(tmp_path, text)["eu-rs"]
    assert rules.limit("reply", "accelerated", "national").amount == 30
    assert rules.limit("reply", "ordinary", "national") == shipped["eu-rs"].limit("reply", "ordinary", "national")


def test_figure_of_the_operator_drops_an_extension_measured_against_the_old_number(tmp_path):
    text = OVERRIDE.replace("ba-pk", "eu-rs") + 'procedure = "ordinary"\n'
    assert with_overrides(tmp_path, text)["eu-rs"].limit("reply", "ordinary", "national").extension is None


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('treaty = "ba-pk"', 'treaty = "ba-xx"', "treaty"),
        ('treaty = "ba-pk"', 'treaty = "eu-rs"', "limit"),
        ('limit = "reply"', 'limit = "costs"', "limit"),
        ('limit = "reply"', 'limit = "reply"\nprocedure = "border"', "limit"),
        ("amount = 30", "amount = -1", "amount"),
        ('unit = "calendar-days"', 'unit = "weeks"', "unit"),
        ('who = "Ministry of Security"', "", "who"),
        ("when = 2026-05-04", "", "when"),
        ('reference = "Minutes 3/2026"', "", "reference"),
        ('reference = "Minutes 3/2026"', f'reference = "{"x" * 81}"', "reference"),
        ('reference = "Minutes 3/2026"', 'reference = "Minutes"\nconfidence = "verified"', "confidence"),
    ],
)
def test_wrong_figure_of_the_operator_is_refused_with_file_and_key(tmp_path, old, new, key):
    assert old in OVERRIDE
    with pytest.raises(TreatyInvalid, match=rf"overrides\.toml.*'{key}'"):
        with_overrides(tmp_path, OVERRIDE.replace(old, new))


def test_two_figures_for_one_limit_are_refused(tmp_path):
    with pytest.raises(TreatyInvalid, match="a second time"):
        with_overrides(tmp_path, OVERRIDE + OVERRIDE)


def test_missing_overrides_file_is_refused(tmp_path):
    with pytest.raises(TreatyInvalid, match="cannot be read"):
        load_treaties(FOLDER, tmp_path / "none.toml")
