"""Partner folders: what loads, and how a wrong key is named."""

from pathlib import Path
from shutil import copytree

import pytest

from gateway.errors import GatewayError, MappingInvalid, PartnerInvalid, UnknownAuthority, UnknownDialect, UnknownPartner
from gateway.partners import load
from gateway.settings import data_folder

PARTNER = """
code = "xa"
state = "XA"
name = "Example"
own_name = "Example"
languages = ["en"]
working_language = "en"
zone = "Europe/Sarajevo"
calendar = "xa"

[[authorities]]
code = "XA-MIN"
name = "Ministry"
own_name = "Ministry"
dialect = "own-xml"
edge = "pull"
"""
MAPPING = """
version = "1"
format = "xml"
namespace = "urn:example"
schema = "schema.xsd"
[messages.Receipt]
root = "Potvrda"
rows = "receipt"
[rows]
receipt = [{ here = "A", canonical = "Header/MessageId" }]
"""
CODES = """
[sex]
version = "1"
valid_from = 2026-01-01
reviewed = "2026-11-24"
reviewed_by = "A. Specimen"
[sex.codes]
male = "M"
female = "F"
[sex.also_read]
m = "male"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    dialect = tmp_path / "xa" / "dialects" / "own-xml"
    dialect.mkdir(parents=True)
    (tmp_path / "xa" / "partner.toml").write_text(PARTNER)
    (dialect / "mapping.toml").write_text(MAPPING)
    (dialect / "codes.toml").write_text(CODES)
    (dialect / "schema.xsd").write_text("<schema/>")
    for other in ("treaties", "calendars"):
        (tmp_path / other).mkdir()
    return tmp_path


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_a_partner_is_loaded_with_its_authority_and_dialect(folder: Path) -> None:
    partners = load(folder)
    authority = partners.authority("XA-MIN")
    assert (authority.state, authority.dialect, authority.language, authority.zone) == (
        "XA",
        "xa/own-xml",
        "en",
        "Europe/Sarajevo",
    )
    dialect = partners.dialect("xa/own-xml")
    assert (dialect.format, dialect.version, dialect.codes["sex"].codes["male"]) == ("xml", "1", "M")
    assert partners.partner("xa").authorities == (authority,)


def test_folders_without_a_partner_file_are_not_partners(folder: Path) -> None:
    assert set(load(folder).partners) == {"xa"}


def test_the_shipped_partners_load() -> None:
    partners = load(data_folder("partners"))
    assert {"BA-MS", "PK-MOI"} <= set(partners.authorities)
    assert {"ba/ms-xml", "pk/moi-json"} <= set(partners.dialects)


def test_an_authority_may_have_its_own_language_and_zone(folder: Path) -> None:
    change(folder / "xa" / "partner.toml", 'edge = "pull"', 'edge = "page"\nlanguage = "bs"\nzone = "Asia/Karachi"')
    authority = load(folder).authority("XA-MIN")
    assert (authority.edge, authority.language, authority.zone) == ("page", "bs", "Asia/Karachi")


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (lambda known: known.partner("zz"), UnknownPartner),
        (lambda known: known.authority("ZZ-MIN"), UnknownAuthority),
        (lambda known: known.dialect("xa/other"), UnknownDialect),
        (lambda known: known.dialect("zz/other"), UnknownPartner),
        (lambda known: known.dialect("xa"), UnknownDialect),
    ],
)
def test_an_unknown_name_is_refused_with_its_own_code(folder: Path, ask: object, error: type[GatewayError]) -> None:
    assert callable(ask)
    with pytest.raises(error):
        ask(load(folder))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "Example"\n', "", "'name' is missing"),
        ('code = "xa"', 'code = "xb"', "'code' is 'xb', but the folder is 'xa'"),
        ('state = "XA"', 'state = "Xa"', "'state' is not two capital letters"),
        ('calendar = "xa"', "calendar = 3", "'calendar' is not a text"),
        ('languages = ["en"]', 'languages = "en"', "'languages' is not a list of texts"),
        ('languages = ["en"]', "", "'languages' is missing"),
        ("Europe/Sarajevo", "Europe/Nowhere", "'zone' is 'Europe/Nowhere'"),
        ("Europe/Sarajevo", "../etc/passwd", "'zone' is '../etc/passwd'"),
        ('calendar = "xa"', 'calendar = "xa"\ntreaty = "x"', "'treaty' is not known"),
        ('edge = "pull"', 'edge = "fax"', "'edge' is 'fax', not one of"),
        ('edge = "pull"', 'edge = "pull"\nowner = "x"', "authorities[1]: key 'owner' is not known"),
        ('code = "XA-MIN"', 'code = "XB-MIN"', "'code' 'XB-MIN' does not begin with XA-"),
        ('dialect = "own-xml"', 'dialect = "other"', "'dialect' names 'xa/other'"),
        ('name = "Example"', "name = ", "is not TOML"),
    ],
)
def test_a_wrong_key_is_named_with_its_file(folder: Path, old: str, new: str, told: str) -> None:
    change(folder / "xa" / "partner.toml", old, new)
    with pytest.raises(PartnerInvalid) as refused:
        load(folder)
    assert refused.value.message.startswith("xa/partner.toml")
    assert told in refused.value.message


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("mapping.toml", 'format = "xml"', 'format = "yaml"', "'format' is 'yaml'"),
        ("mapping.toml", 'format = "xml"', 'format = "json"', "'namespace' has no meaning"),
        ("mapping.toml", 'version = "1"', "", "'version' is missing"),
        ("mapping.toml", "schema.xsd", "../schema.xsd", "'schema' names"),
        ("mapping.toml", "schema.xsd", "other.xsd", "'schema' names 'other.xsd'"),
        ("mapping.toml", 'version = "1"', 'version = "1"\nowner = "x"', "'owner' is not known"),
        ("mapping.toml", "[messages.Receipt]", "[message.Receipt]", "'message' is not known"),
        ("codes.toml", 'female = "F"', 'female = "M"', "writes 'M' for two canonical codes"),
        ("codes.toml", 'm = "male"', 'm = "man"', "reads 'm' as 'man'"),
        ("codes.toml", 'm = "male"', 'F = "male"', "names 'F', which is a code in use"),
        ("codes.toml", 'reviewed = "2026-11-24"', 'reviewed = "soon"', "'reviewed' is not a date"),
        ("codes.toml", "valid_from = 2026-01-01\n", "", "'valid_from' is missing"),
        ("codes.toml", 'reviewed_by = "A. Specimen"', "", "'reviewed_by' is missing"),
        ("codes.toml", 'version = "1"', 'version = "1"\nold = "x"', "'old' is not known"),
        ("codes.toml", 'male = "M"', "male = 1", "'male' is not a text"),
    ],
)
def test_a_wrong_key_of_a_dialect_is_named_with_its_file(folder: Path, file: str, old: str, new: str, told: str) -> None:
    change(folder / "xa" / "dialects" / "own-xml" / file, old, new)
    with pytest.raises(MappingInvalid) as refused:
        load(folder)
    assert refused.value.message.startswith(f"xa/dialects/own-xml/{file}")
    assert told in refused.value.message


def test_an_authority_belongs_to_one_partner_only(folder: Path) -> None:
    copytree(folder / "xa", folder / "xb")
    change(folder / "xb" / "partner.toml", 'code = "xa"', 'code = "xb"')
    with pytest.raises(PartnerInvalid, match="'XA-MIN' stands in two partners"):
        load(folder)


def test_an_authority_is_named_once(folder: Path) -> None:
    file = folder / "xa" / "partner.toml"
    file.write_text(file.read_text() + file.read_text()[file.read_text().index("[[authorities]]") :])
    with pytest.raises(PartnerInvalid, match="names one code twice"):
        load(folder)


def test_a_folder_that_is_not_there_is_a_matter_of_the_installation(tmp_path: Path) -> None:
    with pytest.raises(PartnerInvalid):
        load(tmp_path / "nowhere")


def test_a_dialect_folder_without_a_mapping_is_named(folder: Path) -> None:
    (folder / "xa" / "dialects" / "own-xml" / "mapping.toml").unlink()
    with pytest.raises(MappingInvalid, match=r"xa/dialects/own-xml/mapping\.toml: cannot be read"):
        load(folder)
