"""Data minimisation by treaty: fields that an agreement does not allow are taken out before the message is signed.

The list of the message type (allowed.py) says what may leave at all and refuses the rest, since a field that is not on it
is a mistake of whoever wrote the message. A treaty may narrow that list: the officer's form is the same for all
agreements, so what one of them leaves out is taken out here, and the mapping report says so.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from gateway.domain.treaties import Treaty, Withheld
from gateway.errors import TreatyInvalid
from gateway.stages import Tree
from gateway.wire.documents import NS
from gateway.wire.report import Field
from gateway.wire.shapes import Shape
from gateway.wire.xml_form import filled


@lru_cache(maxsize=256)
def _path(path: str) -> str:
    return "/".join(f"{{{NS}}}{step}" for step in path.split("/"))


def withhold(document: Tree, kind: str, rows: Iterable[Withheld]) -> tuple[Field, ...]:
    """Take out of a canonical document what the rows name; return the report's line for each field that held a value.

    A group that is left with nothing is taken out too. The document may then lack a field that the schema demands:
    whoever calls this checks it again.
    """
    dropped: dict[str, Field] = {}
    for row in rows:
        if row.messages and kind not in row.messages:
            continue
        why = f"{row.treaty}, {row.article}: not to be sent ({row.confidence})"
        for element in document.findall(_path(row.field)):
            for path in filled(element, f"/{kind}/{row.field}"):
                dropped.setdefault(path, Field(path=path, action="dropped", rule=f"not-allowed:{row.treaty}", why=why))
            _take_out(element)
    return tuple(dropped.values())


def _take_out(element: Tree) -> None:
    above = element.getparent()
    above.remove(element)
    if len(above) == 0 and above.getparent() is not None:
        _take_out(above)


def check_withheld(treaties: Mapping[str, Treaty], shapes: Mapping[str, Shape]) -> None:
    """Raise `TreatyInvalid` for a row that names what no message has: a slip there would let the field leave.

    So does a row without which no message of a type could be sent; `shapes` are those of the canonical message types.
    """
    for treaty in treaties.values():
        for number, row in enumerate(treaty.withheld, 1):
            for problem in _problems(row, shapes):
                raise TreatyInvalid(f"treaties/{treaty.id}.toml: withheld[{number}]: {problem}")


def _problems(row: Withheld, shapes: Mapping[str, Shape]) -> Iterator[str]:
    for unknown in sorted(row.messages - set(shapes)):
        yield f"there is no message type {unknown!r}"
    found = {kind: shape for kind in row.messages or shapes if kind in shapes and (shape := shapes[kind].at(row.field))}
    missing = row.messages - set(found) if row.messages else set() if found else {"any message"}
    for kind in sorted(missing):
        yield f"{kind} has no field {row.field!r}"
    if row.field.partition("/")[0] == "Header":
        yield "the header is what makes a message, and cannot be withheld"
