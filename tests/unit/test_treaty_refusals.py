"""Treaty files that are refused, each with the file and the key; and examples that do not come out."""

import pytest

from gateway.domain.limits import EndRule, ExtensionKind, OnLapse
from gateway.errors import TreatyInvalid
from gateway.partners.calendars import load_calendars
from gateway.partners.examples import failing_examples
from gateway.partners.treaties import load_treaties
from gateway.settings import data_folder


@pytest.fixture(scope="module")
def calendars():
    return load_calendars(data_folder("partners") / "calendars")


GOOD = """
id = "xa-xb"
name = "Sample agreement"
version = "1"

[[parties]]
code = "XA"
name = "Sample A"
states = ["XA"]

[[parties]]
code = "RS"
name = "Serbia"
states = ["RS"]

[[limits]]
id = "reply"
who = "requested"
start = "receipt"
amount = 20
unit = "calendar-days"
calendar = "requested"
procedures = ["ordinary"]
categories = ["national"]
article = "Art. 7(1)"
source = "invented"
confidence = "verified"
extension = { days = 30, kind = "total", who = "requested", article = "Art. 7(2)" }
examples = [{ start = 2026-06-01T10:15:00+02:00, due = 2026-06-21, rolled = 2026-06-22 }]
"""


def load(folder, text):
    (folder / "xa-xb.toml").write_text(text, encoding="utf-8")
    return load_treaties(folder)["xa-xb"]


def test_small_treaty_loads_and_its_example_comes_out(tmp_path, calendars):
    assert failing_examples(load(tmp_path, GOOD), calendars) == ()


def test_silence_means_nothing_unless_the_file_says_so(tmp_path):
    assert load(tmp_path, GOOD).limits[0].on_lapse is OnLapse.NOTHING


def test_example_that_does_not_come_out_is_told(tmp_path, calendars):
    wrong = load(tmp_path, GOOD.replace("due = 2026-06-21", "due = 2026-06-20"))
    (failure,) = failing_examples(wrong, calendars)
    assert failure.startswith("treaties/xa-xb.toml: limit 'reply' (ordinary), example 1: says 2026-06-20")
    assert failure.endswith("counted 2026-06-21, rolled 2026-06-22")


def test_example_beyond_the_horizon_is_told(tmp_path, calendars):
    (failure,) = failing_examples(load(tmp_path, GOOD.replace("start = 2026", "start = 2036")), calendars)
    assert "is not known" in failure


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('id = "xa-xb"', 'id = "xa-xc"', "id"),
        ('version = "1"', 'versions = "1"', "versions"),
        ('states = ["XA"]', 'states = ["xa"]', "states"),
        ('states = ["XA"]', 'states = ["RS"]', "parties"),
        ('who = "requested"\nstart', 'who = "anyone"\nstart', "who"),
        ('start = "receipt"', 'start = "whenever"', "start"),
        ("amount = 20", "amount = 0", "amount"),
        ("amount = 20", 'amount = "20"', "amount"),
        ("amount = 20", "amount = true", "amount"),
        ("amount = 20", "", "confidence"),
        ('unit = "calendar-days"', 'unit = "days"', "unit"),
        ('calendar = "requested"', 'calendar = "union"', "calendar"),
        ('procedures = ["ordinary"]', "procedures = []", "procedures"),
        ('article = "Art. 7(1)"', "", "article"),
        ('article = "Art. 7(1)"', f'article = "{"x" * 81}"', "article"),
        ('article = "Art. 7(1)"', 'article = "article not read"', "confidence"),
        ('id = "reply"', 'id = "answer"', "id"),
        ('id = "reply"', "", "id"),
        ('source = "invented"', "", "source"),
        ('confidence = "verified"', 'confidence = "recalled"', "confidence"),
        ('confidence = "verified"', 'confidence = "operator"', "confidence"),
        ('confidence = "verified"', 'confidence = "verified"\nescorted = "yes"', "escorted"),
        ('confidence = "verified"', 'confidence = "verified"\ndeadline = 3', "deadline"),
        ("days = 30", "days = 20", "days"),
        ('kind = "total"', 'kind = "more"', "kind"),
        ('who = "requested", article', 'who = "requested", articles', "articles"),
        ("2026-06-01T10:15:00+02:00", "2026-06-01T10:15:00", "start"),
        ("{ start = 2026-06-01T10:15:00+02:00,", "{ planned = 2026-06-01,", "planned"),
        ("due = 2026-06-21,", "due = 2026-06-21, means = 'air',", "means"),
        ("due = 2026-06-21,", "due = 2026-06-21, extension_days = 6,", "extension_days"),
        ("due = 2026-06-21,", "due = 2026-06-21, extension_asked = 2026-06-02T10:00:00Z,", "extension_days"),
        ("due = 2026-06-21,", "due = 2026-06-21, obstacle_from = 2026-06-03,", "obstacle_until"),
        ("due = 2026-06-21,", "due = 2026-06-21, obstacle_until = 2026-06-03,", "obstacle_until"),
        ("due = 2026-06-21,", "due = 2026-06-21, obstacle_from = 2026-06-03, obstacle_until = 2026-06-03,", "obstacle_until"),
        ("due = 2026-06-21,", "due = 2026-06-21, extension_asked = 2026-06-02, extension_days = 6,", "extension_asked"),
        ("due = 2026-06-21", 'due = "2026-06-21"', "due"),
    ],
)
def test_wrong_treaty_file_is_refused_with_file_and_key(tmp_path, old, new, key):
    assert old in GOOD
    with pytest.raises(TreatyInvalid, match=rf"(?s)treaties/xa-xb\.toml.*'{key}'"):
        load(tmp_path, GOOD.replace(old, new, 1))


def test_third_party_is_refused(tmp_path):
    third = '\n[[parties]]\ncode = "XC"\nname = "Sample C"\nstates = ["XC"]\n'
    with pytest.raises(TreatyInvalid, match="names 3 parties"):
        load(tmp_path, GOOD + third)


def test_two_rows_for_the_same_procedure_and_category_are_refused(tmp_path):
    row = GOOD[GOOD.index("[[limits]]") :]
    with pytest.raises(TreatyInvalid, match="two rows 'reply'"):
        load(tmp_path, f"{GOOD}\n{row}")


def test_rows_for_other_procedures_stand_side_by_side(tmp_path):
    row = GOOD[GOOD.index("[[limits]]") :].replace('"ordinary"', '"accelerated"')
    assert len(load(tmp_path, f"{GOOD}\n{row}").limits) == 2


def test_file_that_is_not_toml_is_refused(tmp_path):
    with pytest.raises(TreatyInvalid, match="is not TOML"):
        load(tmp_path, "id = ")


def test_missing_folder_of_treaties_is_refused(tmp_path):
    with pytest.raises(TreatyInvalid):
        load_treaties(tmp_path / "treaties")


ROW = 'confidence = "verified"'
BACK = 'start = "planned-transfer"\ndirection = "before"'
EXTENSION = '{ days = 30, kind = "total", who = "requested", article = "Art. 7(2)" }'


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        # direction and start
        (ROW, f'{ROW}\ndirection = "backward"', "direction"),
        (ROW, f'{ROW}\ndirection = "before"', "direction"),
        ('start = "receipt"', 'start = "planned-transfer"', "direction"),
        ('start = "receipt"', 'start = "planned-transfer"\ndirection = "after"', "direction"),
        ('start = "receipt"', BACK, "extension"),
        # what silence means
        (ROW, f'{ROW}\non_lapse = "consent"', "on_lapse"),
        (ROW, f'{ROW}\nalso_on_lapse = ["consent"]', "also_on_lapse"),
        (ROW, f'{ROW}\nalso_on_lapse = ["nothing"]', "also_on_lapse"),
        (ROW, f'{ROW}\nalso_on_lapse = "agreed"', "also_on_lapse"),
        (ROW, f"{ROW}\nalso_on_lapse = []", "also_on_lapse"),
        # which end counts
        (ROW, f'{ROW}\nend = "next-day"\nend_source = "Art. 1"', "end"),
        (ROW, f'{ROW}\nend = "rolled"', "end_source"),
        (ROW, f'{ROW}\nend_source = "Art. 1"', "end_source"),
        (ROW, f'{ROW}\nend = "open"\nend_source = "Art. 1"', "end_source"),
        ('unit = "calendar-days"', 'unit = "hours"\nend = "rolled"\nend_source = "Art. 1"', "end"),
        ('start = "receipt"', f"{BACK}\nend = 'literal'\nend_source = 'Art. 1'", "end"),
        (ROW, f"{ROW}\nsaturday_may_count = true", "saturday_may_count"),
        (ROW, f'{ROW}\nsaturday_may_count = "yes"', "saturday_may_count"),
        # which transfer
        (ROW, f'{ROW}\nmeans = "rail"', "means"),
        (ROW, f"{ROW}\nprecedence = -1", "precedence"),
        (ROW, f"{ROW}\nprecedence = 0", "precedence"),
        (ROW, f'{ROW}\nprecedence = "first"', "precedence"),
        # a number that nobody verified
        (ROW, 'confidence = "unverified"', "amount"),
        ("amount = 20\nunit", "unit", "confidence"),
        # extension
        (EXTENSION, '"30 days"', "extension"),
        (EXTENSION, EXTENSION.replace('kind = "total", ', ""), "kind"),
        (EXTENSION, EXTENSION.replace("days = 30, ", ""), "days"),
        (EXTENSION, EXTENSION.replace('"total"', '"obstacle"'), "days"),
        (EXTENSION, EXTENSION.replace("days = 30", "days = 0"), "days"),
        (EXTENSION, EXTENSION.replace("days = 30", "days = 19"), "days"),
        (EXTENSION, EXTENSION.replace('who = "requested", ', ""), "who"),
        (EXTENSION, EXTENSION.replace(', article = "Art. 7(2)"', ""), "article"),
        (EXTENSION, EXTENSION.replace(" }", ", other_base = 10 }"), "other_base"),
        (EXTENSION, EXTENSION.replace(" }", ", resumes = 10 }"), "resumes"),
        (EXTENSION, EXTENSION.replace('"total"', '"increment"').replace(" }", ", resumes = 10 }"), "resumes"),
        (EXTENSION, '{ kind = "obstacle", who = "requested", article = "Art. 7", other_base = 10 }', "other_base"),
        (EXTENSION, EXTENSION.replace('"total"', '"increment"').replace(" }", ", other_base = 0 }"), "other_base"),
        ('unit = "calendar-days"', 'unit = "working-days"', "days"),
        ('unit = "calendar-days"', 'unit = "hours"', "extension"),
    ],
)
def test_rule_that_contradicts_itself_is_refused_with_file_and_key(tmp_path, old, new, key):
    assert old in GOOD
    with pytest.raises(TreatyInvalid, match=rf"(?s)treaties/xa-xb\.toml: limits\[1\].*'{key}'"):
        load(tmp_path, GOOD.replace(old, new, 1))


def test_example_of_a_limit_counted_back_names_the_planned_day_only(tmp_path):
    back = GOOD.replace('start = "receipt"', 'start = "planned-transfer"\ndirection = "before"')
    back = back.replace(f"extension = {EXTENSION}\n", "")
    assert load(tmp_path, back.replace("{ start = 2026-06-01T10:15:00+02:00,", "{ planned = 2026-06-01,")).limits[0].examples
    with pytest.raises(TreatyInvalid, match="'start' is not known"):
        load(tmp_path, back)


def test_every_new_word_of_a_row_is_read(tmp_path):
    words = 'end = "rolled"\nend_source = "Art. 1"\nalso_on_lapse = ["reasons"]\nmeans = "air"\nescorted = true\nprecedence = 2'
    row = load(tmp_path, GOOD.replace(ROW, f"{ROW}\n{words}")).limits[0]
    assert (row.end, row.end_source, row.also_on_lapse) == (EndRule.ROLLED, "Art. 1", (OnLapse.REASONS,))
    assert (row.means, row.escorted, row.precedence, row.saturday_may_count) == ("air", True, 2, False)


@pytest.mark.parametrize(
    ("extension", "read"),
    [
        (EXTENSION, (ExtensionKind.TOTAL, 30, None, None)),
        ('{ days = 1, kind = "increment", who = "requested", article = "x", other_base = 10 }', ("increment", 1, 10, None)),
        ('{ kind = "obstacle", who = "requested", article = "x", resumes = 3 }', ("obstacle", None, None, 3)),
    ],
)
def test_each_kind_of_extension_is_read(tmp_path, extension, read):
    found = load(tmp_path, GOOD.replace(EXTENSION, extension)).limits[0].extension
    assert (found.kind, found.days, found.other_base, found.resumes) == read


def test_row_without_a_number_needs_no_article_that_was_read(tmp_path):
    unread = (
        GOOD.replace("amount = 20\n", "").replace(ROW, 'confidence = "unverified"').replace("Art. 7(1)", "article not read")
    )
    row = load(tmp_path, unread.replace(f"extension = {EXTENSION}\n", "")).limits[0]
    assert (row.amount, row.article) == (None, "article not read")


# --- two rows for the same ------------------------------------------------------------------------------------------


def two_rows(first="", second="", *, other=lambda row: row):
    row = GOOD[GOOD.index("[[limits]]") :]
    return GOOD.replace(ROW, f"{ROW}\n{first}") + "\n" + other(row).replace(ROW, f"{ROW}\n{second}")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("", ""),
        ("escorted = true", ""),
        ("escorted = true", "escorted = true"),
        ('means = "air"', 'means = "land"'),  # where nobody says by which means, both cover the transfer
        ("precedence = 1", "precedence = 1"),
    ],
)
def test_rows_that_overlap_without_precedence_are_refused(tmp_path, first, second):
    with pytest.raises(TreatyInvalid, match="two rows 'reply' for the same procedure and category, and no precedence"):
        load(tmp_path, two_rows(first, second))


@pytest.mark.parametrize(
    ("first", "second"),
    [("escorted = true", "escorted = false"), ("precedence = 1", ""), ('means = "air"\nprecedence = 1', 'means = "land"')],
)
def test_rows_that_are_told_apart_are_taken(tmp_path, first, second):
    assert len(load(tmp_path, two_rows(first, second)).limits) == 2


def test_row_with_the_higher_precedence_stands_first(tmp_path):
    rows = load(tmp_path, two_rows("precedence = 1", "precedence = 2", other=lambda row: row.replace("= 20", "= 21"))).limits
    assert [row.amount for row in rows] == [21, 20]


def test_rows_for_other_persons_do_not_overlap(tmp_path):
    text = two_rows(other=lambda row: row.replace('["national"]', '["stateless"]'))
    assert len(load(tmp_path, text).limits) == 2


# --- examples -------------------------------------------------------------------------------------------------------


def failures(folder, calendars, old, new):
    assert old in GOOD
    return failing_examples(load(folder, GOOD.replace(old, new, 1)), calendars)


def test_rule_that_computes_without_an_example_is_told(tmp_path, calendars):
    (failure,) = failures(tmp_path, calendars, GOOD[GOOD.index("examples =") :], "")
    assert failure == "treaties/xa-xb.toml: limit 'reply' (ordinary) computes without an example"


def test_rolled_end_that_does_not_come_out_is_told(tmp_path, calendars):
    (failure,) = failures(tmp_path, calendars, ", rolled = 2026-06-22", "")
    assert "says 2026-06-21, rolled 2026-06-21; counted 2026-06-21, rolled 2026-06-22" in failure


@pytest.mark.parametrize("other", ["procedure = 'accelerated'", "category = 'stateless'", "requested = 'FR'"])
def test_example_that_the_rule_does_not_cover_is_told(tmp_path, calendars, other):
    (failure,) = failures(tmp_path, calendars, "due = 2026-06-21", f"{other}, due = 2026-06-21")
    assert "is not known" in failure


def test_example_that_another_row_covers_is_told(tmp_path, calendars):
    hidden = two_rows("", "precedence = 1")
    found = failing_examples(load(tmp_path, hidden), calendars)
    assert found == ("treaties/xa-xb.toml: limit 'reply' (ordinary), example 1: another row applies to it",)


def test_examples_of_rows_for_means_and_escort_are_those_of_their_transfer(tmp_path, calendars):
    text = two_rows('means = "air"\nescorted = true', 'means = "land"\nescorted = true\nprecedence = 1')
    assert failing_examples(load(tmp_path, text), calendars) == ()


def test_example_with_an_extension_is_counted_with_it(tmp_path, calendars):
    asked = "extension_asked = 2026-06-10T12:00:00+02:00, extension_days = 10, due = 2026-07-01 }]"
    text = GOOD.replace("due = 2026-06-21, rolled = 2026-06-22 }]", asked)
    assert failing_examples(load(tmp_path, text), calendars) == ()


def test_example_with_an_obstacle_is_counted_with_it(tmp_path, calendars):
    text = GOOD.replace(EXTENSION, '{ kind = "obstacle", who = "requested", article = "Art. 7(2)" }')
    text = text.replace("due = 2026-06-21, rolled = 2026-06-22 }]", OBSTACLE)
    assert failing_examples(load(tmp_path, text), calendars) == ()


OBSTACLE = "obstacle_from = 2026-06-03, obstacle_until = 2026-06-06, due = 2026-06-24 }]"
