"""A partner's own XSLT 1.0 stylesheets, compiled once. They read the one document they are given, and nothing else.

libxslt denies them files and connections; what it cannot deny is refused when they are compiled: other stylesheets, functions
and elements that are not of XSLT 1.0. A stylesheet is data of the partner folder, reviewed like the rest of it, not a message.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lxml import etree

from gateway.errors import BadValue, MappingInvalid, Refused
from gateway.stages import MAX_MESSAGE_BYTES, Tree
from gateway.wire.documents import WHOLE, parse_xml

_XSL: Final = "http://www.w3.org/1999/XSL/Transform"
_INSTRUCTIONS: Final = frozenset(
    {
        *("stylesheet", "transform", "output", "template", "variable", "param", "with-param", "key", "strip-space"),
        *(
            "preserve-space",
            "decimal-format",
            "attribute-set",
            "namespace-alias",
            "apply-templates",
            "call-template",
            "for-each",
        ),
        *("sort", "if", "choose", "when", "otherwise", "value-of", "text", "copy", "copy-of", "element", "attribute", "number"),
        "message",
    }
)
_NOTHING: Final = etree.XSLTAccessControl.DENY_ALL  # type: ignore[attr-defined]  # the stubs do not know it
_FORBIDDEN_CALL: Final = re.compile(r"(?:[\w.-]+:[\w.-]+|document|generate-id|unparsed-entity-uri|system-property)\s*\(")
_LITERAL: Final = re.compile(r"'[^']*'|\"[^\"]*\"")


@dataclass(frozen=True, slots=True)
class Stylesheet:
    """One direction."""

    name: str  # of the file
    transform: etree.XSLT

    @classmethod
    def load(cls, path: Path, place: str) -> "Stylesheet":
        """Compile a stylesheet; `place` is how messages name the file. Raises `MappingInvalid`."""
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            root = etree.fromstring(path.read_bytes(), parser)
        except (OSError, etree.XMLSyntaxError) as error:
            raise MappingInvalid(f"{place}: cannot be read as XML") from error
        for why, line in _forbidden(root):
            raise MappingInvalid(f"{place}, line {line}: {why}")
        try:
            transform = etree.XSLT(root, access_control=_NOTHING)
        except etree.XSLTParseError as error:
            raise MappingInvalid(f"{place}: is no XSLT 1.0 stylesheet ({error})") from error
        return cls(path.name, transform)

    def apply(self, document: Tree) -> Tree:
        """Return the root of the result. Raises `BadValue` where the stylesheet stops or makes no message.

        What a stylesheet says when it stops may quote the document, so it is not repeated.
        """
        try:
            result: Any = self.transform(document)
        except etree.XSLTApplyError:
            raise BadValue(f"the stylesheet {self.name} stops at this document", path=WHOLE) from None
        root = result.getroot()
        if root is None:
            raise BadValue(f"the stylesheet {self.name} makes nothing of this document", path=WHOLE)
        body = etree.tostring(root, encoding="UTF-8")
        if len(body) > MAX_MESSAGE_BYTES:
            raise BadValue(f"what the stylesheet {self.name} makes is larger than a message", path=WHOLE)
        try:
            return parse_xml(body)
        except Refused:
            raise BadValue(f"what the stylesheet {self.name} makes is no message", path=WHOLE) from None


def _forbidden(root: Tree) -> Iterator[tuple[str, int | None]]:
    """Yield what a stylesheet may not have, with its line."""
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        name = etree.QName(element)
        if name.namespace == _XSL and name.localname not in _INSTRUCTIONS:
            yield f"xsl:{name.localname} is not allowed", element.sourceline
        for key, value in element.attrib.items():
            expression = name.namespace == _XSL or "{" in str(value)
            if etree.QName(key).localname == "extension-element-prefixes":
                yield "extension elements are not allowed", element.sourceline
            elif expression and _FORBIDDEN_CALL.search(_LITERAL.sub("", str(value))):
                words = "calls a function that is not allowed: one with a prefix, document(), generate-id() or about the system"
                yield words, element.sourceline
