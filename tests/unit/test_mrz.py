"""Machine-readable zones: the specimens that ICAO prints, every altered check digit told, everything else refused by place."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import MrzInvalid, Refused
from gateway.wire.documents import NS, parse_xml
from gateway.wire.mrz import LAYOUTS, Fields, birth_date, compare, expiry_date, is_protected, read_mrz, suggested, write_mrz
from tests.zones import LONG, SPECIMENS

TODAY = date(2026, 11, 24)
FIGURES = "0123456789"


@pytest.mark.parametrize("name", SPECIMENS)
def test_specimen_of_icao_is_read_and_written_again_unchanged(name: str) -> None:
    mrz = read_mrz(SPECIMENS[name])
    assert mrz.fields.format == name
    assert (mrz.fields.primary, mrz.fields.secondary, mrz.fields.sex) == ("ERIKSSON", "ANNA MARIA", "F")
    assert mrz.fits
    assert not mrz.truncated
    assert write_mrz(mrz.fields) == SPECIMENS[name]
    assert read_mrz(SPECIMENS[name].replace("\n", "").lower()) == mrz


def test_specimen_passport_says_what_its_page_shows() -> None:
    fields = read_mrz(SPECIMENS["TD3"]).fields
    assert (fields.code, fields.issuer, fields.number, fields.nationality) == ("P", "UTO", "L898902C3", "UTO")
    assert (fields.birth, fields.expiry, fields.optional) == ("740812", "120415", ("ZE184226B",))


def test_every_altered_check_digit_is_told_by_its_line_and_position() -> None:
    for name, text in SPECIMENS.items():
        for check in read_mrz(text).checks:
            lines = text.split("\n")
            line, place = lines[check.line - 1], check.position - 1
            wrong = FIGURES[(int(line[place]) + 1) % 10]
            lines[check.line - 1] = line[:place] + wrong + line[place + 1 :]
            altered = read_mrz("\n".join(lines))
            failed = [one for one in altered.checks if not one.fits]
            assert (check.line, check.position) in {(one.line, one.position) for one in failed}, (name, check.name)
            assert {one.name for one in failed} <= {check.name, "composite"}, (name, check.name)


def test_every_altered_figure_of_a_checked_field_is_told() -> None:
    for name, text in SPECIMENS.items():
        layout = LAYOUTS[name]
        for place in (layout.number, layout.birth, layout.expiry):
            for position in range(place.start, place.end):
                lines = text.split("\n")
                line = lines[place.line]
                if line[position] not in FIGURES:
                    continue
                lines[place.line] = line[:position] + FIGURES[(int(line[position]) + 1) % 10] + line[position + 1 :]
                assert not read_mrz("\n".join(lines)).fits, (name, position)


def test_long_number_of_a_card_goes_on_in_the_optional_data() -> None:
    mrz = read_mrz(LONG)
    assert mrz.fields.number == "D23145890734"
    assert mrz.fields.optional == ("", "")
    assert mrz.fits
    assert write_mrz(mrz.fields) == LONG
    assert not read_mrz(LONG.replace("7349", "7348")).fits


def test_long_number_is_followed_by_what_optional_data_is_left() -> None:
    for name in ("TD1", "TD2"):
        before = read_mrz(SPECIMENS[name]).fields
        fields = replace(before, number="AB12345678", optional=("X7", *before.optional[1:]))
        mrz = read_mrz(write_mrz(fields))
        assert mrz.fields == fields
        assert mrz.fits


def test_number_that_is_too_long_for_a_passport_is_not_written() -> None:
    with pytest.raises(MrzInvalid):
        write_mrz(replace(read_mrz(SPECIMENS["TD3"]).fields, number="L898902C34"))


def test_empty_optional_data_of_a_passport_may_have_a_filler_for_its_check_digit() -> None:
    empty = write_mrz(replace(read_mrz(SPECIMENS["TD3"]).fields, optional=("",)))
    assert empty[-2] == "0"
    assert read_mrz(empty[:-2] + "<" + empty[-1]).fits


@pytest.mark.parametrize(
    ("field", "primary", "secondary"),
    [
        ("ARKFREITH<<<<", "ARKFREITH", ""),
        ("VAN<DER<MUELLEN<<SARAH", "VAN DER MUELLEN", "SARAH"),
        ("PAPANDROPOULOUS<<JONATHON<ALEC<<<<", "PAPANDROPOULOUS", "JONATHON ALEC"),
    ],
)
def test_names_are_parted_at_two_fillers(field: str, primary: str, secondary: str) -> None:
    lines = SPECIMENS["TD3"].split("\n")
    fields = read_mrz("P<UTO" + field.ljust(39, "<") + "\n" + lines[1]).fields
    assert (fields.primary, fields.secondary) == (primary, secondary)


def test_name_that_fills_its_field_may_have_been_cut() -> None:
    fields = replace(
        read_mrz(SPECIMENS["TD3"]).fields, primary="BENNELONG WOOLOOMOOLOO WARRANDYTE WARNAMBOOL", secondary="DINGO POTOROO"
    )
    cut = read_mrz(write_mrz(fields))
    assert cut.truncated
    assert cut.fits


def test_cut_between_two_words_still_ends_with_a_letter() -> None:
    fields = read_mrz(SPECIMENS["TD1"]).fields
    for length in range(20, 32):
        assert read_mrz(write_mrz(replace(fields, primary="A" * length, secondary="B C D E F G"))).truncated


def test_unknown_parts_of_a_birth_date_stay_unknown() -> None:
    for said, reading in (("<<<<<<", None), ("74<<<<", "1974"), ("7408<<", "1974-08")):
        assert read_mrz(write_mrz(replace(read_mrz(SPECIMENS["TD3"]).fields, birth=said))).fits
        assert birth_date(said, TODAY).reading == reading
    assert birth_date("<<<<<<", TODAY).rule == "year-not-known"


@pytest.mark.parametrize(
    ("said", "reading", "other"),
    [
        ("740812", "1974-08-12", None),
        ("261124", "2026-11-24", "1926-11-24"),  # born today, or a hundred years old
        ("261125", "1926-11-25", None),  # tomorrow: nobody is born then
        ("040101", "2004-01-01", None),
        ("000229", "2000-02-29", None),  # 1900 was no leap year
    ],
)
def test_century_of_birth_is_a_reading_with_its_rule(said: str, reading: str, other: str | None) -> None:
    found = birth_date(said, TODAY)
    assert (found.said, found.reading, found.other, found.rule) == (said, reading, other, "latest-not-in-future")


def test_expiry_lies_within_fifty_years_of_today() -> None:
    assert expiry_date("120415", TODAY).reading == "2012-04-15"
    assert expiry_date("750101", TODAY).reading == "2075-01-01"
    assert expiry_date("961210", TODAY).reading == "1996-12-10"


def test_impossible_date_is_no_date_rather_than_another_one() -> None:
    for said in ("741312", "740230", "74<<12", "7<0812"):
        assert birth_date(said, TODAY).reading is None
        assert birth_date(said, TODAY).rule == "no-date"


@pytest.mark.parametrize("code", ["RKS", "UNK", "XKX", "XXK"])
def test_every_code_of_kosovo_is_read_as_one(code: str) -> None:
    mrz = read_mrz(write_mrz(replace(read_mrz(SPECIMENS["TD3"]).fields, nationality=code, issuer=code)))
    said = suggested(mrz, TODAY)
    assert (said["document"]["IssuingState"], said["person"]["Nationality"]) == ("XK", "XK")


def test_code_that_says_somebody_was_protected_becomes_no_field() -> None:
    mrz = read_mrz(write_mrz(replace(read_mrz(SPECIMENS["TD3"]).fields, nationality="XXB")))
    assert is_protected(mrz)
    assert suggested(mrz, TODAY)["person"]["Nationality"] is None


def test_germany_is_one_letter() -> None:
    mrz = read_mrz(write_mrz(replace(read_mrz(SPECIMENS["TD3"]).fields, nationality="D", issuer="D")))
    assert suggested(mrz, TODAY)["document"]["IssuingState"] == "DE"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", MrzInvalid),
        ("P<UTO", MrzInvalid),
        (SPECIMENS["TD3"][:-1], MrzInvalid),
        (SPECIMENS["TD3"] + "\n" + SPECIMENS["TD3"], MrzInvalid),
        ("A" * 500, MrzInvalid),
        (SPECIMENS["TD3"].replace("UTO7408122F", "UTO7408122Q"), MrzInvalid),
        (SPECIMENS["TD3"].replace("ANNA", "4NNA"), MrzInvalid),
        (SPECIMENS["TD3"].replace("UTO740812", "UTO74O812"), MrzInvalid),
        (SPECIMENS["TD3"].replace("ANNA", "ANNÄ"), MrzInvalid),
        ("<" + SPECIMENS["TD3"][1:], MrzInvalid),
    ],
)
def test_text_that_is_no_zone_is_refused_without_its_words(text: str, error: type[Refused]) -> None:
    with pytest.raises(error) as caught:
        read_mrz(text)
    for word in ("ERIKSSON", "ANNA", "4NNA", "740812", "L898902C"):
        assert word not in str(caught.value)


@given(st.text(alphabet="ABC<019\n \tß\u0661P", max_size=200) | st.text(max_size=200))
@settings(max_examples=300)
def test_any_text_gives_a_zone_or_our_own_error(text: str) -> None:
    try:
        mrz = read_mrz(text)
    except MrzInvalid:
        return
    suggested(mrz, TODAY)


@st.composite
def _fields(draw: st.DrawFn) -> Fields:
    layout = LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))]
    word = st.text(alphabet="ABCXYZ", min_size=1, max_size=4)
    alnum = "ABCXYZ019"
    longest = 12 if layout.long_numbers else 9
    unknown = st.sampled_from(["<<<<<<", "74<<<<", "7408<<", "740812", "000229"])
    kinds = st.just("V") if layout.name.startswith("MRV") else st.sampled_from(["P", "I", "AC", "ID"])
    return Fields(
        format=layout.name,
        code=draw(kinds),
        issuer=draw(st.sampled_from(["UTO", "D", "RKS"])),
        primary=" ".join(draw(st.lists(word, min_size=1, max_size=2))),
        secondary=" ".join(draw(st.lists(word, max_size=2))),
        number=draw(st.text(alphabet=alnum, min_size=1, max_size=longest)),
        nationality=draw(st.sampled_from(["UTO", "XXX", "BIH"])),
        birth=draw(unknown),
        sex=draw(st.sampled_from("MFX<")),
        expiry=draw(unknown),
        optional=tuple(draw(st.text(alphabet=alnum, max_size=2 if layout.long_numbers else 8)) for _ in layout.optional),
    )


@given(_fields())
@settings(max_examples=300)
def test_what_is_written_is_read_again_with_every_check_digit_right(fields: Fields) -> None:
    mrz = read_mrz(write_mrz(fields))
    assert mrz.fields == fields
    assert mrz.fits


def _application(name: str = "Eriksson Anna Maria", number: str = "L898902C3", born: str = "1974-08-12") -> object:
    return parse_xml(
        f'<ReadmissionApplication xmlns="{NS}"><Person><Name><AsShown>{name}</AsShown></Name><Sex>female</Sex>'
        f"<Birth><Date>{born}</Date></Birth><Nationality>XK</Nationality></Person>"
        f"<Document><Kind>passport</Kind><Number>{number}</Number><IssuingState>XK</IssuingState>"
        "<ExpiryDate>2012-04</ExpiryDate></Document></ReadmissionApplication>".encode()
    )


def _zone() -> str:
    return write_mrz(replace(read_mrz(SPECIMENS["TD3"]).fields, nationality="RKS", issuer="RKS"))


def test_zone_of_the_same_person_differs_in_nothing() -> None:
    found = compare(read_mrz(_zone()), _application(), TODAY)
    assert {one.field: one.verdict for one in found} == dict.fromkeys(
        ("name", "number", "issuer", "expiry", "birth", "sex", "nationality"), "same"
    )


def test_what_differs_from_the_application_is_named() -> None:
    found = compare(read_mrz(_zone()), _application(name="Eriksson Ana-Marija", number="X1", born="1974-09"), TODAY)
    assert {one.field for one in found if one.verdict == "differs"} == {"name", "number", "birth"}


def test_what_one_of_them_does_not_say_is_no_difference() -> None:
    zone = write_mrz(replace(read_mrz(_zone()).fields, sex="<", birth="<<<<<<"))
    found = compare(read_mrz(zone), _application(), TODAY)
    assert {one.field for one in found if one.verdict == "not-said"} == {"sex", "birth"}
