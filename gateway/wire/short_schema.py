"""The schema without the patterns that only forbid characters, for documents in which none of these stands: four times as fast.

A pattern such as `[^...]*` looks at every character of every text. When none of the characters it forbids stands anywhere in
the document, whatever it is about meets it, so that the rest of the schema decides alone. The published files stay the only
text of the schema: this one is made of them when it is loaded.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from gateway.errors import SchemaSetBroken
from gateway.stages import Tree

_XS = "{http://www.w3.org/2001/XMLSchema}"
_FORBIDS = re.compile(r"\[\^((?:[^\[\]\\^&-]|[^\[\]\\^&-]-[^\[\]\\^&-])+)\]\*")  # characters and ranges, nothing else


@dataclass(frozen=True, slots=True)
class ShortSchema:
    """What decides about a document in which nothing `forbidden` stands."""

    xsd: etree.XMLSchema
    forbidden: re.Pattern[bytes] | None  # in UTF-8; None where no pattern was left out
    leads: frozenset[int]  # first bytes of what is forbidden: where none stands, nothing else has to be looked for

    @classmethod
    def load(cls, path: Path) -> "ShortSchema":
        """Read a schema and what it includes. Raises `SchemaSetBroken` where the parts do not name things alike."""
        schema = _in_one(path)
        characters = "".join(sorted({each for found in _take_out(schema) for each in _listed(found)}))
        encoded = [each.encode() for each in characters]
        return cls(
            xsd=etree.XMLSchema(schema),
            forbidden=re.compile(b"|".join(map(re.escape, encoded))) if encoded else None,
            leads=frozenset(each[0] for each in encoded),
        )

    def decides(self, document: Tree) -> bool:
        """Tell whether nothing that a pattern forbids stands in the document."""
        if self.forbidden is None:
            return True
        written = etree.tostring(document, encoding="utf-8")
        return all(lead not in written for lead in self.leads) or self.forbidden.search(written) is None


def _in_one(path: Path) -> Tree:
    """Return the schema with the content of the files it includes in their place, each once."""
    root = etree.parse(path).getroot()
    seen = {path.name}
    while (include := root.find(f"{_XS}include")) is not None:
        name = include.get("schemaLocation", "")
        place = root.index(include)
        root.remove(include)
        if name in seen:
            continue
        seen.add(name)
        part = etree.parse(path.parent / name).getroot()
        if (part.nsmap, dict(part.attrib)) != (root.nsmap, dict(root.attrib)):
            raise SchemaSetBroken(f"{name} of the schema set does not declare what {path.name} declares")
        root[place:place] = list(part)
    return root


def _take_out(schema: Tree) -> list[str]:
    """Take out the patterns that forbid characters, each the only one of its type; return what they forbid."""
    found: list[str] = []
    for pattern in list(schema.iter(f"{_XS}pattern")):
        forbids = _FORBIDS.fullmatch(pattern.get("value", ""))
        above = pattern.getparent()
        if forbids and above is not None and len(above.findall(f"{_XS}pattern")) == 1:  # several are alternatives
            above.remove(pattern)
            found.append(forbids[1])
    return found


def _listed(written: str) -> list[str]:
    """Return the characters of the inside of a character class: "a-cx" is a, b, c, x."""
    found: list[str] = []
    place = 0
    while place < len(written):
        if written[place + 1 : place + 2] == "-":
            found += map(chr, range(ord(written[place]), ord(written[place + 2]) + 1))
            place += 3
        else:
            found.append(written[place])
            place += 1
    return found
