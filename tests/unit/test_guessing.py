"""What names of a stranger's document are taken for, and what is not taken."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.settings import data_folder
from gateway.wire.guessing.forms import form_of
from gateway.wire.guessing.matching import THRESHOLD, Matcher, Scope
from gateway.wire.guessing.sample import format_of, read_sample
from gateway.wire.guessing.thesaurus import read_thesaurus
from gateway.wire.guessing.words import lean, words_of
from tests.strangers import CSV, JSON, XML
from tests.vocabularies import canonical


def scope_of(body: bytes) -> Scope:
    thesaurus = read_thesaurus(data_folder("partners"))
    matcher = Matcher(canonical(), thesaurus)
    return matcher.scope(read_sample(body, format_of(body, "")).tree, canonical().messages["ReadmissionApplication"])


def taken(scope: Scope) -> dict[str, str]:
    found = {"/".join(match.here): match.candidate.path for match in scope.matches}
    return found | {",".join("/".join(path) for path in names.here): names.canonical for names in scope.names}


def test_names_of_an_english_xml_are_taken_for_what_they_mean() -> None:
    scope = scope_of(XML)
    assert taken(scope) == {
        "Meta/SentAt": "Header/Created",
        "Meta/From": "Header/Sender",
        "Meta/To": "Header/Recipient",
        "FileNo": "Header/NationalReference",
        "LegalBasis": "Request/Agreement",
        "RequestDate": "Request/Date",
        "RequestingOffice/OfficeName": "RequestingAuthority/Name",
        "RequestingOffice/Email": "RequestingAuthority/Email",
        "Subject/Gender": "Person/Sex",
        "Subject/DOB": "Person/Birth/Date",
        "Subject/PlaceOfBirth": "Person/Birth/Place",
        "Subject/Citizenship": "Person/Nationality",
        "Notes": "Observations",
        "Subject/FirstName,Subject/Surname": "Person/Name",
    }
    inside = {one.several.path: taken(one.inside) for one in scope.repeated}
    assert inside == {
        "Child": {"DOB": "Birth/Date", "FirstName,Surname": "Name"},
        "Document": {"@type": "Kind", "No": "Number", "ValidUntil": "ExpiryDate", "IssuingCountry": "IssuingState"},
    }


def test_names_of_a_french_json_are_taken_for_what_they_mean() -> None:
    found = taken(scope_of(JSON))
    assert found["personne/dateNaissance"] == "Person/Birth/Date"
    assert found["passeport/numero"] == "Document[1]/Number"
    assert found["transfert/date"] == "Transfer/Date"
    assert found["personne/prenom,personne/nom"] == "Person/Name"


def test_columns_of_a_sheet_are_taken_for_what_they_mean() -> None:
    found = taken(scope_of(CSV))
    assert found["Passport Expiry"] == "Document[1]/ExpiryDate"
    assert found["Given Name,Family Name"] == "Person/Name"


@pytest.mark.parametrize(
    ("body", "name"), [(XML, "Subject/Shoesize"), (JSON, "couleurPreferee"), (CSV, "Fingerprint Ref"), (JSON, "typeMessage")]
)
def test_wrong_guess_below_the_threshold_is_not_taken(body: bytes, name: str) -> None:
    scope = scope_of(body)
    assert name not in taken(scope)
    (doubt,) = (doubt for doubt in scope.doubts if "/".join(doubt.here) == name)
    assert doubt.confidence < THRESHOLD


def test_field_whose_values_cannot_be_meant_is_not_taken() -> None:
    assert "DOB" not in taken(scope_of(b"<R><Person><DOB>yesterday</DOB><Sex>M</Sex></Person></R>"))


@pytest.mark.parametrize(
    ("values", "converter"),
    [
        (["31/12/1990"], "date-dmy-slash"),
        (["12/31/1990"], "date-mdy"),
        (["01/02/1990", "12/31/1990"], "date-mdy"),
        (["31.12.1990"], "date-dmy"),
    ],
)
def test_order_of_a_date_follows_from_the_values(values: list[str], converter: str) -> None:
    member = canonical().groups["Birth"].member("Date")
    assert member is not None
    assert member.value is not None
    form = form_of(member.value, values, read_thesaurus())
    assert form is not None
    assert form.verb == ("convert", converter)


def test_date_of_either_order_is_told_to_be_ambiguous() -> None:
    member = canonical().groups["Birth"].member("Date")
    assert member is not None
    assert member.value is not None
    form = form_of(member.value, ["01/02/1990"], read_thesaurus())
    assert form is not None
    assert "date-mdy" in form.others


def test_codes_that_the_sample_does_not_show_are_told_to_be_made_up() -> None:
    member = canonical().groups["Person"].member("Sex")
    assert member is not None
    assert member.value is not None
    form = form_of(member.value, ["M"], read_thesaurus())
    assert form is not None
    assert form.codes == {"male": "M", "female": "F", "other": "X", "unknown": "U"}
    assert form.unsure == ("female", "other", "unknown")


@pytest.mark.parametrize("name", ["DateOfBirth", "date_of_birth", "DATE-OF-BIRTH", "Date of birth", "dateOfBirth"])
def test_spelling_of_a_name_does_not_matter(name: str) -> None:
    assert lean(words_of(name)) == "date birth"


@given(st.binary(max_size=300), st.sampled_from(["xml", "json", "csv", "xlsx"]))
def test_any_bytes_as_a_sample_give_our_own_error(body: bytes, form: str) -> None:
    with contextlib.suppress(GatewayError):
        read_sample(body, form)
