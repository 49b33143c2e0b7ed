"""Random canonical messages, drawn from the published XSD: every field, every choice of what is left out."""

import string
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from lxml import etree

from gateway.wire.countries import ALPHA3
from gateway.wire.documents import NS

XS = "{http://www.w3.org/2001/XMLSchema}"
HEX = "0123456789abcdef"

# No control characters, no surrogates, no unassigned code points, and not the directional overrides that the schema refuses.
LETTERS = st.characters(
    codec="utf-8",
    exclude_categories=("Cc", "Cs", "Cn", "Co", "Z"),
    exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
)
AWKWARD = st.sampled_from(
    [
        "UZORAK",
        "Šećer & <Med>",
        "\u0423\u0417\u041e\u0420\u0410\u041a",
        'a "quoted" name',
        "نمونہ",
        "ĐORĐE",
        "]]>",
        "O'SPECIMEN",
        "-",
        "0",
    ]
)
WORD = st.text(LETTERS, min_size=1, max_size=12) | AWKWARD
LINE = st.lists(WORD, min_size=1, max_size=4).map(" ".join)
TEXT = st.lists(LINE, min_size=1, max_size=3).flatmap(
    lambda lines: st.sampled_from(["\n", "\t", "  "]).map(lambda gap: gap.join(lines))
)
DAY = st.dates(min_value=date(1, 1, 1)).map(date.isoformat)


def _hex(size: int) -> st.SearchStrategy[str]:
    return st.text(HEX, min_size=size, max_size=size)


SIMPLE: dict[str, st.SearchStrategy[str]] = {
    "Line": LINE,
    "Text": TEXT,
    "Uuid": st.uuids().map(str),
    "Sha256": _hex(64),
    "AuthorityCode": st.sampled_from(["BA-MS", "PK-MOI", "RS-MUP", "AT-BMI"]),
    "CaseReference": st.text(string.ascii_uppercase + "234567", min_size=16, max_size=32),
    "AgreementId": st.sampled_from(["eu-rs", "eu-rs/at", "ba-pk"]),
    "Instant": st.builds(
        lambda day, second, fraction: f"{day}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}{fraction}Z",
        st.dates(min_value=date(1, 1, 2), max_value=date(9999, 12, 30)).map(date.isoformat),
        st.integers(0, 86399),
        st.sampled_from(["", ".5", ".123456", ".000"]),
    ),
    "PartialDate": st.builds(lambda day, length: day[:length], DAY, st.sampled_from([4, 7, 10])),
    "FullDate": DAY,
    "State": st.sampled_from(sorted(set(ALPHA3) - {"stateless", "unknown"})),
    "Nationality": st.sampled_from(sorted(ALPHA3)),
    "Language": st.sampled_from(["bs", "hr", "sr", "sr-Cyrl", "sq", "mk", "tr", "de", "en", "ur", "pa", "ps", "ar"]),
    "Script": st.sampled_from(["Latn", "Cyrl", "Arab"]),
    "EvidenceCode": st.sampled_from(["N1-01", "N1-06", "N2-10", "N2-99", "T1-07", "T2-06", "S1-04"]),
    "ErrorCode": st.sampled_from(["schema-violation", "cannot-open", "refused"]),
    "Amount": st.decimals(0, 9999999999, places=2).map("{:.2f}".format),
    "Currency": st.sampled_from(["EUR", "BAM", "PKR", "RSD"]),
    "xs:boolean": st.sampled_from(["true", "false"]),
}


class Messages:
    """Strategies for the messages of one schema folder."""

    def __init__(self, folder: Path) -> None:
        roots = [etree.parse(str(path)).getroot() for path in sorted(folder.glob("*.xsd")) if path.name != "envelope.xsd"]
        parts = [part for root in roots for part in root if part.get("name")]
        self.elements = {part.get("name"): part for part in parts if part.tag == f"{XS}element"}
        self.groups = {part.get("name"): part for part in parts if part.tag == f"{XS}group"}
        self.named = {part.get("name"): part for part in parts if part.tag in {f"{XS}complexType", f"{XS}simpleType"}}

    def message(self, name: str) -> st.SearchStrategy[Any]:
        """Return trees of message type `name`; groups that would be empty are left out."""
        return self._element(self.elements[name]).map(_prune)

    def _element(self, declaration: Any) -> st.SearchStrategy[Any]:
        name, kind = declaration.get("name"), declaration.get("type")
        anonymous = declaration.find(f"{XS}simpleType")
        body = declaration.find(f"{XS}complexType")
        if kind in SIMPLE:
            return SIMPLE[kind].map(lambda text: _leaf(name, text))
        if kind is not None and self.named[kind].tag == f"{XS}complexType":
            body = self.named[kind]
        if body is None:
            return self._values(self.named[kind] if anonymous is None else anonymous).map(lambda text: _leaf(name, text))
        parts = [self._occurrences(child) for child in self._fields(body)]
        version = "1.0" if body.find(f"{XS}attribute") is not None else None
        return st.tuples(*parts).map(lambda groups: _group(name, groups, version))

    def _fields(self, body: Any) -> Iterator[Any]:
        """Yield the elements of a type or a group, those of the groups inside it in their place."""
        for child in body.find(f"{XS}sequence").iterchildren(f"{XS}element", f"{XS}group"):
            if child.tag == f"{XS}group":
                yield from self._fields(self.groups[child.get("ref")])
            else:
                yield child

    def _occurrences(self, declaration: Any) -> st.SearchStrategy[list[Any]]:
        least, most = int(declaration.get("minOccurs", "1")), int(declaration.get("maxOccurs", "1"))
        one = self._element(declaration)
        if most == 1:
            return one.map(lambda found: [found]) if least else st.none().map(lambda _: []) | one.map(lambda found: [found])
        return st.lists(one, min_size=least, max_size=2)

    @staticmethod
    def _values(simple: Any) -> st.SearchStrategy[str]:
        codes = [part.get("value") for part in simple.iter(f"{XS}enumeration")]
        if codes:
            return st.sampled_from(codes)
        ends = {etree.QName(part).localname: int(part.get("value")) for part in simple.iter() if "Inclusive" in part.tag}
        return st.integers(ends["minInclusive"], ends["maxInclusive"]).map(str)


def _leaf(name: str, text: str) -> Any:
    element = etree.Element(f"{{{NS}}}{name}", nsmap={None: NS})
    element.text = text
    return element


def _group(name: str, groups: tuple[list[Any], ...], version: str | None) -> Any:
    element = etree.Element(f"{{{NS}}}{name}", nsmap={None: NS})
    if version:
        element.set("schemaVersion", version)
    for group in groups:
        # A drawn element may stand in several documents; a tree owns its elements.
        element.extend(etree.fromstring(etree.tostring(child)) for child in group)
    return element


def _prune(element: Any) -> Any:
    """Remove groups without content: they say nothing, and no format has to carry nothing."""
    for child in list(element):
        _prune(child)
        if len(child) == 0 and not child.text:
            element.remove(child)
    return element
