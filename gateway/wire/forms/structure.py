"""What the forms must know of the schema: the order of fields, and which values are codes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from gateway.wire.shapes import Shape, xml_shapes

_VALUES = etree.XPath("//xs:enumeration/@value", namespaces={"xs": "http://www.w3.org/2001/XMLSchema"}, smart_strings=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """One version of the schema, as far as a form cares."""

    shapes: Mapping[str, Shape]  # by message type
    codes: frozenset[str]  # every value of every list of codes, and "true" and "false"


@cache
def structure_of(folder: Path) -> Structure:
    """Return the structure of the schema in `folder`, which `SchemaSet.load` has found in order."""
    _, shapes = xml_shapes(folder / "readmission.xsd")
    values: set[str] = {"true", "false"}
    for file in sorted(folder.glob("*.xsd")):
        found: Any = _VALUES(etree.parse(file))
        values |= {str(value) for value in found}
    return Structure(shapes=shapes, codes=frozenset(values))
