"""Spellings of names for search and candidates: what finds what, and that it stays small."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.names import tokens, variants, word_variants
from gateway.wire.names.variants import MOST

SAME = [
    ("Ђорђевић", "ĐORĐEVIĆ", "Djordjevic", "DORDEVIC", "Djordjević"),
    ("Гордана", "GORDANA", "HORDANA"),  # ICAO says H in Serbian
    ("Müller", "MUELLER", "MULLER", "MUXXLLER"),
    ("Muhammad", "Mohammed", "محمد", "MOHAMED", "Mehmet"),
    ("Ali Khan", "علی خان", "علي خان"),
    ("Жељко", "Željko", "ZELJKO", "ZHELJKO"),
    ("Ќосев", "KJOSEV", "KOSEV"),
    ("Юрій", "YURII", "IURII"),
    ("Щербак", "SHCHERBAK", "SCHTSCHERBAK"),
    ("Hasan", "AL-HASAN", "الحسن"),
    ("Gashi Gëzim", "GASHI GEZIM"),
    ("Qazi bin Omar", "QAZI UMAR"),
    ("Əliyev", "ALIYEV", "ELIYEV"),
    ("ყიფიანი", "QIPIANI", "KIPHIANI"),
    ("Иванов Иван Петрович", "IVANOV IVAN", "IWANOW IWAN"),
]
NOT_SAME = [("Omar", "Amir"), ("Ana", "Anna Maria"), ("Đorđević Ana Marija", "Ana Marija"), ("Petrović", "Petrova")]


@pytest.mark.parametrize("spellings", SAME, ids=[spellings[1] for spellings in SAME])
def test_spellings_of_one_name_meet(spellings: tuple[str, ...]) -> None:
    first = variants(spellings[0])
    assert [other for other in spellings[1:] if not first & variants(other)] == []


@pytest.mark.parametrize(("one", "other"), NOT_SAME)
def test_names_that_only_look_alike_do_not_meet(one: str, other: str) -> None:
    assert not variants(one) & variants(other)


def test_a_name_of_a_script_without_table_stands_for_itself() -> None:
    assert variants("রহিম") == {"রহিম"}
    assert variants("রহিম Khan") >= {"রহিম KHAN"}


def test_a_name_of_no_letters_has_no_variants() -> None:
    assert variants(" -' ") == tokens("") == frozenset()


def test_tokens_hold_each_word_in_every_spelling() -> None:
    assert tokens("Ђорђевић Ана") == word_variants("Ђорђевић") | word_variants("Ана")
    assert {"HASAN", "ALHASAN"} <= tokens("Al-Hasan")


def test_the_same_name_in_other_letters_or_spacing_has_the_same_variants() -> None:
    assert variants("  đorđević   ANA ") == variants("Đorđević Ana")


@given(st.text(max_size=200))
def test_any_text_has_few_variants_in_capital_letters_and_single_spaces(text: str) -> None:
    found = variants(text)
    assert len(found) <= MOST
    assert all(each == " ".join(each.split()) and each for each in found)


def test_a_hostile_name_does_not_make_many_variants() -> None:
    assert len(variants(" ".join(["Đščćžüöäñ"] * 40))) <= MOST
    for one, other in combinations(["Müller " * 3, "محمد " * 5], 2):
        assert max(len(variants(one)), len(variants(other))) <= MOST
