"""Cases counted by hand from the texts, asked through the command line.

Each line was counted on paper from the wording of the article (days, working days, months, extension, obstacle) and
the holidays of the state that acts, not from the rule files. A line says why its end is where it is.
"""

import json
from functools import cache

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli import clock
from gateway.partners.calendar_changes import CalendarBook
from gateway.partners.treaties import load_treaties

# treaty, limit, what is given, literal end, rolled end
CASES = [
    # EU-Serbia, Art. 10: 10 calendar days; 2 working days accelerated; 3 months; 1 year
    ("eu-rs", "reply", "start=2026-06-01T10:15:00+02:00", "2026-06-11", "2026-06-11"),
    ("eu-rs", "reply", "start=2026-06-01T22:30:00Z", "2026-06-12", "2026-06-12"),  # 2 June, 00:30 in Belgrade
    ("eu-rs", "reply", "start=2026-12-22T09:00:00+01:00", "2027-01-01", "2027-01-04"),  # New Year, Friday; a weekend
    ("eu-rs", "reply", "start=2026-03-31T09:00:00+02:00", "2026-04-10", "2026-04-14"),  # Orthodox Good Friday to Monday
    (
        "eu-rs",
        "reply",
        "start=2026-06-03T10:15:00+02:00 extension-asked=2026-06-10T12:00:00+02:00 extension-days=6",
        "2026-06-19",
        "2026-06-19",
    ),  # 16 days
    (
        "eu-rs",
        "reply",
        "start=2026-06-03T10:15:00+02:00 extension-asked=2026-06-14T12:00:00+02:00 extension-days=6",
        "2026-06-13",
        "2026-06-19",
    ),  # asked for on the Sunday after the tenth day
    ("eu-rs", "reply", "start=2026-04-30T10:00:00+02:00 procedure=accelerated", "2026-05-05", "2026-05-05"),  # 1 and 2 May
    ("eu-rs", "reply", "start=2026-12-31T10:00:00+01:00 procedure=accelerated", "2027-01-05", "2027-01-05"),
    ("eu-rs", "transfer", "start=2026-11-30T12:00:00+01:00 requesting=AT", "2027-02-28", "2027-03-01"),  # no 30 February
    (
        "eu-rs",
        "transfer",
        "start=2026-06-11T12:00:00+02:00 requesting=AT obstacle=2026-09-01/2026-10-01",
        "2026-10-11",
        "2026-10-12",
    ),  # thirty days more, a Sunday
    ("eu-rs", "submission", "start=2026-02-28T12:00:00+01:00 requesting=AT category=stateless", "2027-02-28", "2027-03-01"),
    # France-Serbia, Art. 5: 7 calendar days, at most 4 more; the rest is the agreement's
    ("eu-rs", "reply", "start=2026-06-05T10:00:00+02:00 requesting=FR", "2026-06-12", "2026-06-12"),
    (
        "eu-rs",
        "reply",
        "start=2026-06-01T10:00:00+02:00 requesting=FR extension-asked=2026-06-05T12:00:00+02:00 extension-days=4",
        "2026-06-12",
        "2026-06-15",
    ),  # from day 7: the 12th; from day 10: the 15th
    (
        "eu-rs",
        "reply",
        "start=2026-06-01T10:00:00+02:00 requesting=FR extension-asked=2026-06-05T12:00:00+02:00 extension-days=5",
        "2026-06-08",
        "2026-06-08",
    ),  # more than the article gives
    ("eu-rs/fr", "reply", "start=2026-07-07T10:00:00+02:00 requesting=RS requested=FR", "2026-07-14", "2026-07-15"),
    ("eu-rs", "reply", "start=2026-06-04T10:00:00+02:00 requesting=FR procedure=accelerated", "2026-06-08", "2026-06-08"),
    ("eu-rs", "transfer", "start=2026-08-11T10:00:00+02:00 requesting=FR", "2026-11-11", "2026-11-12"),  # Armistice Day
    # EU-Bosnia and Herzegovina: 10 days, at most 6 more
    ("eu-ba", "reply", "start=2026-09-07T10:00:00+02:00", "2026-09-17", "2026-09-17"),
    (
        "eu-ba",
        "reply",
        "start=2026-09-07T10:00:00+02:00 extension-asked=2026-09-16T10:00:00+02:00 extension-days=6",
        "2026-09-23",
        "2026-09-23",
    ),
    # EU-Albania: 14 calendar days, no extension
    (
        "eu-al",
        "reply",
        "start=2026-09-07T10:00:00+02:00 extension-asked=2026-09-16T10:00:00+02:00 extension-days=6",
        "2026-09-21",
        "2026-09-21",
    ),
    # Czechia-Montenegro: 12 calendar days; interview within 5 working days
    ("eu-me", "reply", "start=2026-09-07T10:00:00+02:00 requesting=CZ", "2026-09-19", "2026-09-21"),  # a Saturday
    ("eu-me/cz", "interview", "start=2026-09-07T10:00:00+02:00 requesting=CZ", "2026-09-14", "2026-09-14"),
    # EU-Russia, Art. 11: 25 calendar days, 60 in all; 2 working days of the requested state; 90 days
    ("eu-ru", "reply", "start=2026-09-01T10:00:00+03:00", "2026-09-26", "2026-09-28"),
    (
        "eu-ru",
        "reply",
        "start=2026-09-01T10:00:00+03:00 extension-asked=2026-09-20T10:00:00+03:00 extension-days=60",
        "2026-10-31",
        "2026-11-02",
    ),  # day 60, a Saturday
    ("eu-ru", "reply", "start=2026-06-11T10:00:00+03:00 procedure=accelerated", "2026-06-16", "2026-06-16"),  # Russia Day
    ("eu-ru", "transfer", "start=2026-09-01T10:00:00+02:00 requesting=DE", "2026-11-30", "2026-11-30"),
    ("eu-ru", "transfer", "start=2026-06-10T10:00:00+02:00 requesting=DE procedure=accelerated", "2026-06-15", "2026-06-15"),
    # Switzerland-Russia: wrongly readmitted persons go back within 1 month
    ("ch-ru", "error", "start=2027-01-31T10:00:00+03:00 requested=RU", "2027-02-28", "2027-03-01"),
    # EU-Pakistan: 30 days by the days of Pakistan
    ("eu-pk", "reply", "start=2026-09-01T20:00:00Z", "2026-10-02", "2026-10-02"),  # 2 September, 01:00 in Karachi
    # EU-Turkiye: travel document within 3 working days
    (
        "eu-tr",
        "travel-document",
        "start=2026-10-27T10:00:00+03:00",
        "2026-11-02",
        "2026-11-02",
    ),  # the 28th is half a day, the 29th a holiday
    # Benelux-Kosovo, Art. 7: 28 calendar days; document 3 working days; notice 2 working days, transit 2 days; error 3 months
    ("benelux-xk", "reply", "start=2026-09-07T10:00:00+02:00 requesting=NL", "2026-10-05", "2026-10-05"),
    ("benelux-xk", "travel-document", "start=2026-02-12T10:00:00+01:00 requesting=NL", "2026-02-18", "2026-02-18"),
    ("benelux-xk", "transfer-notice", "planned=2026-04-29 requesting=NL", "2026-04-24", "2026-04-24"),  # King's Day
    ("benelux-xk", "transit-notice", "planned=2026-06-10 requesting=NL category=third-country", "2026-06-08", "2026-06-08"),
    ("benelux-xk", "error", "start=2026-11-30T10:00:00+01:00 requesting=NL", "2027-02-28", "2027-03-01"),
    # Benelux-Moldova: document 3 working days after the reply; transit 6 working days before
    ("eu-md", "travel-document", "start=2026-09-07T10:00:00+03:00 requesting=NL", "2026-09-10", "2026-09-10"),
    ("eu-md", "transit-notice", "planned=2026-06-15 requesting=NL category=stateless", "2026-06-05", "2026-06-05"),
    # Benelux-Yugoslavia 2002: 10 working days, 10 more once an obstacle has fallen away; notice 3, escorted 5
    ("benelux-yu-2002", "reply", "start=2026-06-01T10:00:00+02:00 requesting=NL requested=RS", "2026-06-15", "2026-06-15"),
    (
        "benelux-yu-2002",
        "reply",
        "start=2026-06-01T10:00:00+02:00 requesting=NL requested=RS obstacle=2026-06-10/2026-06-17",
        "2026-07-01",
        "2026-07-01",
    ),
    ("benelux-yu-2002", "transfer-notice", "planned=2026-06-15 requesting=NL requested=RS", "2026-06-10", "2026-06-10"),
    (
        "benelux-yu-2002",
        "transfer-notice",
        "planned=2026-06-15 requesting=NL requested=RS escorted",
        "2026-06-08",
        "2026-06-08",
    ),
    # Benelux-Bosnia and Herzegovina 2006: transit notice 2 working days by air, 3 by land
    (
        "benelux-ba-2006",
        "transit-notice",
        "planned=2026-06-15 requesting=NL category=stateless means=air",
        "2026-06-11",
        "2026-06-11",
    ),
    (
        "benelux-ba-2006",
        "transit-notice",
        "planned=2026-06-15 requesting=NL category=stateless",
        "2026-06-10",
        "2026-06-10",
    ),  # nobody says by which means: the longer
    # Benelux-Hungary: 5 working days; 8 August 2026 is a Saturday that is worked
    ("benelux-hu", "reply", "start=2026-08-06T10:00:00+02:00 requesting=NL", "2026-08-12", "2026-08-12"),
    # Benelux-Macedonia 2006: 15 working days
    ("benelux-mk-2006", "reply", "start=2026-09-14T10:00:00+02:00 requesting=NL", "2026-10-05", "2026-10-05"),
    # Austria-North Macedonia, Art. 6: 14 Werktage, with Saturdays or without; 3 months
    ("at-mk", "reply", "start=2026-09-14T10:00:00+02:00", "2026-09-30", "2026-10-02"),
    ("at-mk", "transfer", "start=2026-07-26T10:00:00+02:00", "2026-10-26", "2026-10-27"),  # National Day of Austria
]

# treaty, limit, what is given, whether a rule applies: no end is known
UNKNOWN = [
    ("eu-rs", "submission", "start=2026-06-01T10:00:00+02:00 requesting=AT", False),  # own nationals: at any time
    ("eu-rs", "travel-document", "start=2026-06-01T10:00:00+02:00", True),  # the article was not read
    ("eu-ba", "reply", "start=2026-09-07T10:00:00+02:00 procedure=accelerated", False),  # the text has no such procedure
    ("eu-ge", "reply", "start=2026-09-07T10:00:00+04:00", True),  # the number is only remembered
    ("eu-rs", "transfer", "start=2026-06-11T12:00:00+02:00 requesting=AT obstacle=2026-09-01", True),  # it lasts
    ("benelux-ba-2006", "transit-notice", "planned=2026-06-15 requesting=NL category=stateless means=sea", False),
    ("ba-pk", "reply", "start=2026-06-01T10:00:00+02:00", True),
]


@pytest.fixture(autouse=True)
def files_read_once(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("PARTNERS", "OVERRIDES"):
        monkeypatch.delenv(f"GATEWAY_{name}", raising=False)
    monkeypatch.setattr(clock, "load_treaties", TREATIES)
    monkeypatch.setattr(clock, "CalendarBook", CALENDARS)


TREATIES, CALENDARS = cache(load_treaties), cache(CalendarBook)


def told(treaty, limit, given, code):
    options = [part for word in given.split() for part in f"--{word}".split("=", 1)]
    app = typer.Typer()
    clock.register(app)
    result = CliRunner().invoke(app, ["deadline", "--treaty", treaty, "--limit", limit, *options, "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize(("treaty", "limit", "given", "literal", "rolled"), CASES, ids=lambda part: part)
def test_case_counted_by_hand_comes_out(treaty, limit, given, literal, rolled):
    found = told(treaty, limit, given, 0)
    assert (found["literal"]["due_on"], found["rolled"]["due_on"]) == (literal, rolled), "\n".join(found["explain"])


@pytest.mark.parametrize(("treaty", "limit", "given", "applies"), UNKNOWN, ids=str)
def test_case_without_an_end_says_so(treaty, limit, given, applies):
    found = told(treaty, limit, given, 1)
    assert (found["applies"], found["known"], found["lapses_at"]) == (applies, False, None)


@pytest.mark.parametrize(
    ("treaty", "limit", "given", "meanings"),
    [
        ("eu-rs", "reply", "start=2026-06-01T10:15:00+02:00", ["agreed"]),
        ("eu-ru", "reply", "start=2026-09-01T10:00:00+03:00", ["agreed"]),
        ("benelux-am", "reply", "start=2026-06-01T10:15:00+02:00 requesting=NL", ["nothing"]),
        ("benelux-mk-2006", "reply", "start=2026-09-14T10:00:00+02:00 requesting=NL", ["agreed", "document-consent"]),
        ("benelux-xk", "travel-document", "start=2026-02-12T10:00:00+01:00 requesting=NL", ["document-consent"]),
        ("benelux-yu-2002", "reply", "start=2026-06-01T10:00:00+02:00 requesting=NL requested=RS", ["reasons"]),
    ],
)
def test_silence_means_what_the_text_says(treaty, limit, given, meanings):
    found = told(treaty, limit, given, 0)
    assert [found["on_lapse"], *found["also_on_lapse"]] == meanings
