"""Formats that have no mapping rows: a partner's own stylesheets, and the canonical XML as it is."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.errors import BadValue, FieldNotCarried, GatewayError, MappingInvalid, SchemaViolation, UnknownMessageType
from gateway.partners.dialects import load_dialect
from gateway.partners.formats import FORMATS, suffix_of
from gateway.settings import data_folder
from gateway.wire.documents import NS, parse_xml
from gateway.wire.fields import flat
from gateway.wire.translate import Translator
from tests.small_dialects import CANONICAL, actions, compact, note

INWARD = f"""<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:x="urn:x" xmlns="{NS}"
    exclude-result-prefixes="x">
  <xsl:template match="/x:B"><Note schemaVersion="1.0">
    <Header><xsl:if test="@nr"><MessageId><xsl:value-of select="@nr"/></MessageId></xsl:if></Header>
    <Sex><xsl:choose><xsl:when test="@s='M'">male</xsl:when><xsl:otherwise>female</xsl:otherwise></xsl:choose></Sex>
    <xsl:for-each select="x:J"><Tongue><xsl:value-of select="."/></Tongue></xsl:for-each>
  </Note></xsl:template>
</xsl:stylesheet>"""
OUTWARD = f"""<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:c="{NS}" xmlns="urn:x"
    exclude-result-prefixes="c">
  <xsl:template match="/c:Note">
    <B s="{{substring(translate(c:Sex, 'mf', 'MF'), 1, 1)}}" nr="{{c:Header/c:MessageId}}">
      <xsl:for-each select="c:Tongue"><J><xsl:value-of select="."/></J></xsl:for-each>
    </B>
  </xsl:template>
</xsl:stylesheet>"""
SCHEMA = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:x" targetNamespace="urn:x"
    elementFormDefault="qualified">
  <xs:element name="B"><xs:complexType>
    <xs:sequence><xs:element name="J" minOccurs="0" maxOccurs="9" type="xs:string"/></xs:sequence>
    <xs:attribute name="s" use="required"/><xs:attribute name="nr"/>
  </xs:complexType></xs:element>
</xs:schema>"""
MAPPING = """version = "1"
format = "xslt"
namespace = "urn:x"
schema = "schema.xsd"
to_canonical = "in.xsl"
from_canonical = "out.xsl"
cannot_carry = [{ canonical = "Born", why = "not asked" }]
[messages.Note]
root = "B"
"""
Made = Callable[..., Translator]


@pytest.fixture
def xslt(tmp_path: Path) -> Made:
    def make(*, inward: str = INWARD, outward: str = OUTWARD, mapping: str = MAPPING) -> Translator:
        for folder in ("canonical", "own"):
            (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / "canonical" / "readmission.xsd").write_text(CANONICAL)
        files = {"in.xsl": inward, "out.xsl": outward, "schema.xsd": SCHEMA, "mapping.toml": mapping}
        for name, text in files.items():
            (tmp_path / "own" / name).write_text(text)
        dialect = load_dialect(tmp_path / "own", "xa")
        return Translator.compile(dialect, SimpleNamespace(folder=tmp_path / "canonical"))

    return make


@pytest.fixture
def plain(tmp_path: Path) -> Translator:
    (tmp_path / "mapping.toml").write_text('version = "1"\nformat = "canonical"\n[messages.ReadmissionApplication]\n')
    return Translator.compile(load_dialect(tmp_path, "xa"), SimpleNamespace(folder=SCHEMAS))


# --- stylesheets ---------------------------------------------------------------------------------------------------


def test_stylesheets_translate_both_ways_with_a_line_for_each_field(xslt: Made) -> None:
    there = xslt().from_canonical(note("<Tongue>sr</Tongue><Tongue>de</Tongue>"))
    assert b'<B xmlns="urn:x" s="M" nr="m1"><J>sr</J><J>de</J></B>' in there.body
    back = xslt().to_canonical(there.body)
    assert compact(back.body).endswith("<Sex>male</Sex><Tongue>sr</Tongue><Tongue>de</Tongue></Note>")
    assert actions(back.report)["/Note/Tongue"] == ("converted", "xslt:in.xsl")


def test_what_the_gateway_fills_in_is_filled_in_here_too(xslt: Made) -> None:
    done = xslt().to_canonical(b'<B xmlns="urn:x" s="F"/>', fill={"Header/MessageId": "new"})
    assert b"<MessageId>new</MessageId>" in done.body
    assert actions(done.report)["/Note/Header/MessageId"] == ("filled", "fill")


def test_a_stylesheet_works_in_every_thread(xslt: Made) -> None:
    translator = xslt()
    with ThreadPoolExecutor(4) as threads:
        bodies = list(threads.map(lambda _: translator.from_canonical(note("<Tongue>sr</Tongue>")).body, range(8)))
    assert len(set(bodies)) == 1


def test_what_the_stylesheets_lose_is_reported_when_it_is_declared(xslt: Made) -> None:
    report = xslt().from_canonical(note("<Born>1990</Born>")).report
    assert actions(report)["/Note/Born"] == ("dropped", "cannot-carry")


NO_SEX = INWARD[: INWARD.index("<Sex>")] + INWARD[INWARD.index("<xsl:for-each") :]
ADDED = INWARD.replace("<xsl:for-each", "<Born>1990</Born><xsl:for-each")
EACH = '<xsl:for-each select="c:Tongue">'
TWO = "<Tongue>b</Tongue><Tongue>a</Tongue>"


@pytest.mark.parametrize(
    ("change", "inner", "error", "path"),
    [
        ({}, "<Asked>true</Asked>", FieldNotCarried, "/Note/Asked"),
        ({"inward": ADDED}, "", BadValue, "/Note/Born"),
        ({"inward": INWARD.replace(">male<", ">man<")}, "", BadValue, "/Note/Sex"),
        ({"outward": OUTWARD.replace("c:Tongue", "c:Tongue[1]", 1)}, TWO, FieldNotCarried, "/Note/Tongue"),
        ({"outward": OUTWARD.replace(EACH, f'{EACH}<xsl:sort select="."/>')}, TWO, BadValue, "/Note"),
        ({"outward": OUTWARD.replace(" s=", " t=")}, "", SchemaViolation, "/B"),
    ],
    ids=["lost", "added", "changed", "one of several", "order", "schema"],
)
def test_what_does_not_come_back_as_it_was_is_refused(
    xslt: Made, change: dict[str, str], inner: str, error: type[GatewayError], path: str
) -> None:
    with pytest.raises(error) as refused:
        xslt(**change).from_canonical(note(inner))
    assert refused.value.path == path


def test_a_required_field_cannot_be_declared_away(xslt: Made) -> None:
    translator = xslt(mapping=MAPPING.replace('"Born"', '"Sex"'), inward=NO_SEX)
    with pytest.raises(FieldNotCarried, match="required") as refused:
        translator.from_canonical(note(""))
    assert refused.value.path == "/Note/Sex"


@pytest.mark.parametrize(
    "body",
    [
        '<xsl:import href="more.xsl"/>',
        '<xsl:include href="more.xsl"/>',
        '<xsl:template match="/"><xsl:copy-of select="document(\'/etc/hostname\')"/></xsl:template>',
        '<xsl:template match="/"><a b="{document(\'\')}"/></xsl:template>',
        '<xsl:template match="/"><xsl:value-of select="generate-id()"/></xsl:template>',
        '<xsl:template match="/"><xsl:value-of select="e:node-set(.)" xmlns:e="http://exslt.org/common"/></xsl:template>',
        '<xsl:template match="/"><e:document xmlns:e="urn:e" xsl:extension-element-prefixes="e"/></xsl:template>',
        '<xsl:template match="/"><xsl:processing-instruction name="a"/></xsl:template>',
        '<xsl:template match="/"><xsl:value-of/></xsl:template>',
    ],
)
def test_a_stylesheet_that_reaches_outside_is_refused_before_it_runs(xslt: Made, body: str) -> None:
    head = '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
    with pytest.raises(MappingInvalid, match=r"xa/dialects/own/in\.xsl"):
        xslt(inward=f"{head}{body}</xsl:stylesheet>")


@pytest.mark.parametrize(
    "template",
    [
        '<xsl:template match="/x:B"><xsl:message terminate="yes"><xsl:value-of select="@nr"/></xsl:message></xsl:template>',
        '<xsl:template match="/x:B"><xsl:apply-templates select="."/></xsl:template>',
        '<xsl:template match="/x:B"/>',
        '<xsl:template match="/x:B"><Other><Text>x</Text></Other></xsl:template>',
        '<xsl:template match="/x:B"><a/><b/></xsl:template>',
    ],
    ids=["stops", "runs in circles", "nothing", "another message", "two roots"],
)
def test_a_stylesheet_that_makes_no_message_refuses_and_repeats_no_value(xslt: Made, template: str) -> None:
    translator = xslt(inward=INWARD[: INWARD.index("<xsl:template")] + template + "</xsl:stylesheet>")
    with pytest.raises(BadValue) as refused:
        translator.to_canonical(b'<B xmlns="urn:x" s="F" nr="SECRET"/>')
    assert "SECRET" not in refused.value.message


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('root = "B"', 'root = "C"', "needs 'root'"),
        ('root = "B"', 'root = "B"\nrows = "note"', "nothing else"),
        ("[messages.Note]", "[messages.Letter]", "no canonical message type"),
        ('"in.xsl"', '"../in.xsl"', "'to_canonical' does not name a file"),
        ('canonical = "Born"', 'canonical = "Birth"', "no message has 'Birth'"),
        ('canonical = "Born"', 'here = "Born"', "cannot be named ('here')"),
        ('"urn:x"', '"urn:y"', "'namespace' is not"),
        ('version = "1"', 'version = "1"\nrows = { a = 1 }', "'rows' has no meaning for the format 'xslt'"),
    ],
)
def test_a_mapping_of_stylesheets_that_cannot_be_is_named(xslt: Made, old: str, new: str, told: str) -> None:
    with pytest.raises(MappingInvalid) as refused:
        xslt(mapping=MAPPING.replace(old, new, 1))
    assert told in refused.value.message


# --- canonical -----------------------------------------------------------------------------------------------------

SCHEMAS = data_folder("schemas") / "readmission" / "1.0"
APPLICATION = (SCHEMAS / "examples" / "ReadmissionApplication-own-national.xml").read_bytes()


def test_the_canonical_format_carries_everything_as_it_is(plain: Translator) -> None:
    there = plain.from_canonical(parse_xml(APPLICATION))
    assert list(flat(parse_xml(there.body))) == list(flat(parse_xml(APPLICATION)))
    assert plain.to_canonical(there.body).body == there.body
    assert actions(there.report)["/ReadmissionApplication/Child/Name/AsShown"] == ("copied", "copy")
    assert there.report.dropped == ()


def test_what_the_gateway_gives_may_be_left_out_of_canonical_xml(plain: Translator) -> None:
    bare = re.sub(rb"<(MessageId|CaseReference|Sender|Sequence|Created)>[^<]*</\1>", b"", APPLICATION)
    assert b"<MessageId>new</MessageId>" in plain.to_canonical(bare, fill={"Header/MessageId": "new"}).body


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (b"<Sex>male</Sex>", b"", SchemaViolation),
        (b"<Sex>male</Sex>", b"<Sex>M</Sex>", SchemaViolation),
        (b"<Recipient>PK-MOI</Recipient>", b"", SchemaViolation),
        (b"ReadmissionApplication", b"InformationRequest", UnknownMessageType),
        (b"urn:readmission-gateway:readmission:1.0", b"urn:other", UnknownMessageType),
    ],
)
def test_canonical_xml_is_held_to_our_schema(plain: Translator, old: bytes, new: bytes, error: type[GatewayError]) -> None:
    assert old in APPLICATION
    with pytest.raises(error):
        plain.to_canonical(APPLICATION.replace(old, new))


def test_every_format_has_a_suffix_that_its_media_type_leads_to() -> None:
    assert all(suffix_of(form.media_type) == form.suffix for form in FORMATS.values())
    assert suffix_of("application/x-unknown") == ".bin"
