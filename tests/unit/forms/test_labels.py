"""The words of the forms: a file a language, English where a word or a language is missing."""

import tomllib

import pytest

from gateway.errors import LabelsInvalid
from gateway.settings import data_folder
from gateway.wire.forms.labels import OWN, in_words, languages, words_for
from gateway.wire.forms.layout import layout_of

FORMS = ("ReadmissionApplication", "TransitApplication", "ReadmissionReply")


def test_every_label_file_is_in_order_and_has_no_key_that_english_lacks() -> None:
    english = tomllib.loads((OWN / "en.toml").read_text(encoding="utf-8"))
    codes = set(english["codes"])
    for tag in languages():
        words = words_for(tag)
        if words.own is None:
            continue
        assert set(words.own.labels) <= set(english["labels"]), tag
        assert words.own.language == tag
        shared = codes & {"true", "false"}
        assert shared <= set(words.own.codes), tag


def test_every_row_of_the_treaty_forms_has_an_english_label() -> None:
    english = words_for("en").english.labels
    for form in FORMS:
        layout = layout_of(form)
        assert layout is not None
        rows = [*layout.head, *(row for section in layout.sections for row in section.rows)]
        keys = {row.label for row in rows} | {section.label for section in layout.sections}
        keys |= {tick.label for tick in layout.ticks} | {form}
        assert keys - set(english) == set()


def test_elements_that_share_words_with_a_row_name_rows_that_are_there() -> None:
    english = words_for("en").english
    assert set(english.same.values()) <= set(english.labels)
    assert words_for("sq").label("BorderPoint").own == words_for("sq").label("transfer-place").own


def test_languages_of_the_region_cover_the_treaty_forms() -> None:
    english = words_for("en").english.labels
    rows = {key for key in english if key.islower() and key != "further-fields"}
    for tag in ("sq", "sr-Latn", "sr-Cyrl", "ur", "bs", "mk", "cnr", "tr", "ar", "fa", "fr", "de"):
        own = words_for(tag).own
        assert own is not None
        assert rows - set(own.labels) == set(), tag


@pytest.mark.parametrize(("asked", "found"), [("sr", "sr-Latn"), ("sr-Cyrl", "sr-Cyrl"), ("ur-Arab", "ur"), ("sq", "sq")])
def test_language_is_found_by_its_tag_or_the_nearest(asked, found) -> None:
    own = words_for(asked).own
    assert own is not None
    assert own.language == found


def test_language_without_a_file_is_printed_in_english_and_says_so() -> None:
    words = words_for("xx")
    assert words.missing
    assert words.label("full-name").own is None
    assert not words_for("en").missing


@pytest.mark.parametrize("tag", ["", "SQ", "../sq", "sq.toml", "a" * 40])
def test_tag_that_is_none_is_refused(tag) -> None:
    with pytest.raises(LabelsInvalid):
        words_for(tag)


def test_right_to_left_languages_say_so() -> None:
    for tag in ("ar", "fa", "ur"):
        own = words_for(tag).own
        assert own is not None
        assert own.rtl


def labels(tmp_path, name: str, text: str):
    (tmp_path / "labels").mkdir(exist_ok=True)
    (tmp_path / "labels" / f"{name}.toml").write_text(text, encoding="utf-8")
    return tmp_path


def test_folder_of_a_partner_adds_a_language_with_data_alone(tmp_path) -> None:
    folder = labels(tmp_path, "xx", 'language = "xx"\nname = "xx"\nrtl = true\n[labels]\nfull-name = "NAME"\n')
    words = words_for("xx", folder)
    assert words.own is not None
    assert (words.own.rtl, words.label("full-name").own, words.label("birth").own) == (True, "NAME", None)
    assert "xx" in languages(folder)


def test_folder_of_a_partner_corrects_one_word_and_leaves_the_others(tmp_path) -> None:
    folder = labels(tmp_path, "sq", 'language = "sq"\nname = "shqip"\n[labels]\nbirth = "OTHER"\n')
    words = words_for("sq", folder)
    assert words.label("birth").own == "OTHER"
    assert words.label("full-name").own == words_for("sq").label("full-name").own


@pytest.mark.parametrize(
    "text",
    [
        'language = "yy"\nname = "x"',
        'language = "xx"',
        'language = "xx"\nname = "x"\nfoo = 1',
        'language = "xx"\nname = "x"\n[labels]\nbirth = 1',
        'language = "xx"\nname = "x"\nlike = "zz"',
        'language = "xx"\nname = "x"\nlike = "xx"',
        "language = ",
        "\xff",
    ],
)
def test_label_file_that_cannot_be_used_is_told(tmp_path, text) -> None:
    folder = labels(tmp_path, "xx", text)
    with pytest.raises(LabelsInvalid):
        words_for("xx", folder)


def test_element_without_a_label_is_called_by_its_name_in_words() -> None:
    assert in_words("BorderPoint") == "Border point"


def test_labels_are_installed_with_the_package() -> None:
    assert data_folder("partners").is_dir()
    assert (OWN / "en.toml").is_file()
