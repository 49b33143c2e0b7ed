"""A message as a form: nothing that is sent is missing on it, in any language, and nothing on it is markup of the sender."""

import pytest
from lxml import etree

from gateway.partners import load
from gateway.settings import data_folder
from gateway.wire.documents import NS, parse_xml
from gateway.wire.forms.form import form_of
from gateway.wire.forms.labels import words_for
from gateway.wire.forms.layout import layout_of
from gateway.wire.forms.page import code_text, html_of, square_code
from gateway.wire.forms.structure import structure_of
from gateway.wire.forms.writing import WRITERS, date_text, name_lines

SCHEMA = data_folder("schemas") / "readmission" / "1.0"
EXAMPLES = sorted((SCHEMA / "examples").glob("*.xml"))
R = f"{{{NS}}}"
# Fields that a form says in another way, or that only programs need.
SAID_OTHERWISE = {"Script", "Kind", "schemaVersion", "DateQuality"}


def page_of(name: str, language: str = "en", **changes: str) -> str:
    document = parse_xml((SCHEMA / "examples" / f"{name}.xml").read_bytes())
    for path, value in changes.items():
        document.find("/".join(R + step for step in path.split("__"))).text = value
    form = form_of(
        document, words=words_for(language), states={"PK": "Pakistan"}, structure=structure_of(SCHEMA), digest="ab" * 32
    )
    return html_of(form)


def words_of(page: str) -> str:
    """Return the text of a page, spaces folded."""
    tree = etree.HTML(page)
    for style in tree.iter("style"):
        style.text = ""
    return " ".join(" ".join(tree.itertext()).split())


def said(name: str, value: str) -> list[str]:
    """Return the ways in which a form may say a value."""
    ways = [" ".join(value.split()), value.replace("-", " "), date_text(value) or ""]
    if value[10:11] == "T":
        ways.append(f"{date_text(value[:10])}, {value[11:16]} UTC")
    return ways


def test_form_shows_every_value_of_every_example() -> None:
    missing = []
    english = words_for("en").english.codes
    for path in EXAMPLES:
        document = parse_xml(path.read_bytes())
        shown = words_of(page_of(path.stem))
        head = document.find(R + "Header")
        for leaf in document.iter():
            name, value = etree.QName(leaf).localname, (leaf.text or "").strip()
            if len(leaf) or not value or name in SAID_OTHERWISE or head in list(leaf.iterancestors()):
                continue
            if leaf.getparent().tag == f"{R}Part" or (name == "Language" and leaf.getparent().tag != R + "Interview"):
                continue  # parts are underlined in the whole name; a language is told by its name
            if value in {"true", "false"} or value in english or layout_tick(document, leaf):
                continue  # told in words, by a writer that the other tests hold to its word
            if not any(way in shown for way in said(name, value)):
                missing.append(f"{path.stem}: {name} = {value}")
    assert missing == []


def layout_tick(document, leaf) -> bool:
    layout = layout_of(etree.QName(document).localname)
    path = "/".join(
        [*(etree.QName(each).localname for each in reversed(list(leaf.iterancestors())[:-1])), etree.QName(leaf).localname]
    )
    return layout is not None and any(tick.path == path for tick in layout.ticks)


def test_every_layout_names_writers_and_elements_that_are_there() -> None:
    shapes = structure_of(SCHEMA).shapes
    for kind in ("ReadmissionApplication", "TransitApplication", "ReadmissionReply"):
        layout = layout_of(kind)
        assert layout is not None
        for row in layout.head:
            assert row.writer in WRITERS
            assert all(shapes[kind].at(path) is not None for path in row.paths), row
        for section in layout.sections:
            for row in section.rows:
                assert row.writer in WRITERS
                bases = section.each or (".",)
                for base in bases:
                    below = shapes[kind] if base == "." else shapes[kind].at(base)
                    assert below is not None, section
                    assert all(below.at(path) is not None for path in row.paths), (section.label, row)


def test_name_stands_in_its_script_and_in_latin_with_the_surname_underlined() -> None:
    page = page_of("ReadmissionApplication-own-national")
    assert '<span lang="und-Arab">نمونہ احمد خان</span>' in page
    assert '<span class="surname" lang="und-Latn">KHAN</span>' in page


def test_underlined_surname_leaves_the_spelling_of_a_name_as_it_is() -> None:
    line = name_lines(
        parse_xml(
            f'<Name xmlns="{NS}"><AsShown>ANA KOVAČ-ILIĆ</AsShown><Script>Latn</Script>'
            "<Part><Kind>family</Kind><Value>Ilić</Value></Part></Name>".encode()
        )
    )[0]
    assert [(piece.text, piece.underlined) for piece in line] == [("ANA KOVAČ-", False), ("ILIĆ", True)]


def test_other_language_stands_beside_english_in_its_own_direction() -> None:
    page = page_of("ReadmissionApplication-own-national", "ur")
    assert '<td class="own" lang="ur" dir="rtl">تاریخ اور جائے پیدائش</td>' in page
    assert '<th scope="row" class="english" lang="en">Date and place of birth</th>' in page
    assert 'dir="ltr"' in page_of("ReadmissionApplication-own-national", "sq")


def test_language_without_words_is_told_on_the_form() -> None:
    assert "not available in the language asked for (xx)" in page_of("ReadmissionApplication-own-national", "xx")


def test_box_is_ticked_where_the_message_says_so() -> None:
    assert page_of("ReadmissionApplication-own-national").count("box ticked") == 1  # an interview is requested
    assert page_of("ReadmissionApplication-accelerated").count("box ticked") >= 1


def test_row_that_nobody_stated_shows_a_dash() -> None:
    assert '<div class="empty">&#8212;</div>' in page_of("ReadmissionApplication-single-name")


def test_children_each_have_a_part_of_their_own_and_an_empty_part_stands_where_there_is_none() -> None:
    assert "Personal details of children (if appropriate) (2)" in page_of("ReadmissionApplication-family")
    assert "Personal details of children (if appropriate)" in page_of("ReadmissionApplication-no-name")


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x onerror=y>', "{{ 7 * 7 }}", "{% raw %}"])
def test_markup_of_the_sender_is_text(hostile) -> None:
    page = page_of("ReadmissionApplication-own-national", Observations=hostile, RequestingAuthority__Name=hostile)
    assert "<script" not in page
    assert "<img" not in page
    assert hostile in words_of(page)


def test_square_code_holds_case_and_digest_and_nothing_else() -> None:
    said_ = code_text("KQ3XN7YB2MZV5TDWA4RUHE6PCG", "ab" * 32)
    assert said_ == f"readmission-gateway:1:KQ3XN7YB2MZV5TDWA4RUHE6PCG:{'ab' * 32}"
    assert square_code(said_) in page_of("ReadmissionApplication-own-national")


def test_message_that_nobody_signed_has_no_square_code() -> None:
    document = parse_xml((SCHEMA / "examples" / "ReadmissionApplication-own-national.xml").read_bytes())
    form = form_of(document, words=words_for("en"), states={}, structure=structure_of(SCHEMA))
    assert "<svg" not in html_of(form)


def test_messages_without_a_treaty_form_follow_the_schema() -> None:
    page = words_of(page_of("TransferNotification-escorted"))
    assert page.index("Person") < page.index("Plan")


def test_every_partner_state_can_be_named() -> None:
    assert load(data_folder("partners")).partners
