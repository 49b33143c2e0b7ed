"""What a schema says about structure: which fields a document has, in which order, which may repeat.

Read from an XSD 1.0 file or from a JSON Schema; both give the same tree of `Shape`. Types stay with the schema checkers; the
translator needs only names, order, and how often, whoever compares code lists the values that are listed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

from gateway.errors import MappingInvalid
from gateway.stages import Tree

_XS = "{http://www.w3.org/2001/XMLSchema}"
_GROUPS = {f"{_XS}sequence", f"{_XS}choice", f"{_XS}all", f"{_XS}complexContent", f"{_XS}extension", f"{_XS}simpleContent"}
_INCLUDES = {f"{_XS}include", f"{_XS}import"}


@dataclass(slots=True, kw_only=True)
class Shape:
    """One element, attribute ("@name") or JSON member; without children it is a leaf that holds a value."""

    required: bool = True
    many: bool = False
    children: dict[str, "Shape"] = field(default_factory=dict)  # in schema order; attributes first
    values: tuple[str, ...] = ()  # what the schema lists as possible values, in its order; empty where it lists none

    @property
    def leaf(self) -> bool:
        """Whether it holds a value; beside attributes the value's own name is "."."""
        return not self.children or "." in self.children

    def at(self, path: str) -> "Shape | None":
        """Return what stands at `path` ("Person/Sex"; "." for itself), or None."""
        found: Shape | None = self
        for step in steps(path):
            found = found.children.get(step) if found else None
        return found

    def leaves(self, prefix: str = "") -> Iterator[tuple[str, "Shape"]]:
        """Yield the path of every leaf below this, in schema order."""
        for name, child in self.children.items():
            path = prefix if name == "." else f"{prefix}/{name}" if prefix else name
            if not child.children:
                yield path, child
            yield from child.leaves(path)


def steps(path: str) -> list[str]:
    """Split a path into its steps; "." and "" have none."""
    return [] if path in {"", "."} else path.split("/")


class _Xsd:
    """The named parts of one XSD file and of what it includes."""

    def __init__(self, path: Path) -> None:
        self.elements: dict[str, Tree] = {}
        self.types: dict[str, Tree] = {}
        self.groups: dict[str, Tree] = {}
        self.lists: dict[str, Tree] = {}  # simple types
        self.namespace = ""
        self._read(path)

    def _read(self, path: Path) -> None:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            root = etree.fromstring(path.read_bytes(), parser)
        except (OSError, etree.XMLSyntaxError) as error:
            raise MappingInvalid(f"{path.name}: cannot be read as an XSD") from error
        if root.get("elementFormDefault") != "qualified":
            raise MappingInvalid(f"{path.name}: elementFormDefault must be 'qualified'")
        self.namespace = self.namespace or root.get("targetNamespace", "")
        for part in root.iterchildren(tag=etree.Element):
            if part.tag in _INCLUDES:
                self._read(path.parent / part.get("schemaLocation", ""))
                continue
            name = part.get("name")
            kinds = {"element": self.elements, "complexType": self.types, "group": self.groups, "simpleType": self.lists}
            if name and (found := kinds.get(etree.QName(part).localname)) is not None:
                found[name] = part

    def shape(self, element: Tree) -> Shape:
        """Return the shape of an element declaration."""
        many = element.get("maxOccurs", "1") not in {"0", "1"}
        required = element.get("minOccurs", "1") != "0"
        if reference := element.get("ref"):
            element = self.elements[reference.rpartition(":")[2]]
        kind = element.find(f"{_XS}complexType")
        if kind is None:
            kind = self.types.get(element.get("type", "").rpartition(":")[2])
        shape = Shape(required=required, many=many, values=self._values(element))
        if kind is not None:
            found = dict(self._children(kind, optional=False))
            order = sorted(found, key=lambda name: not name.startswith("@"))
            shape.children = {name: found[name] for name in order}
        return shape

    def _values(self, part: Tree) -> tuple[str, ...]:
        """Return the values that the simple type of a declaration, or of a restriction of one, lists."""
        kind = part.find(f"{_XS}simpleType")
        if kind is None:
            kind = self.lists.get((part.get("type") or part.get("base") or "").rpartition(":")[2])
        restriction = kind.find(f"{_XS}restriction") if kind is not None else None
        if restriction is None:
            return ()
        listed = tuple(str(each.get("value")) for each in restriction.iterchildren(tag=f"{_XS}enumeration"))
        return listed or self._values(restriction)

    def _children(self, part: Tree, *, optional: bool) -> Iterator[tuple[str, Shape]]:
        """Yield name and shape of what stands in a type; `optional` inside a choice or an optional group."""
        for child in part.iterchildren(tag=etree.Element):
            if child.tag == f"{_XS}element":
                shape = self.shape(child)
                shape.required = shape.required and not optional
                yield (child.get("name") or child.get("ref", "").rpartition(":")[2]), shape
            elif child.tag == f"{_XS}attribute":
                yield f"@{child.get('name')}", Shape(required=child.get("use") == "required", values=self._values(child))
            elif child.tag == f"{_XS}group":
                inner = self.groups[child.get("ref", "").rpartition(":")[2]]
                yield from self._children(inner, optional=optional or child.get("minOccurs") == "0")
            elif child.tag in _GROUPS:
                base = self.types.get(child.get("base", "").rpartition(":")[2])
                if base is not None:
                    yield from self._children(base, optional=optional)
                elif part.tag == f"{_XS}simpleContent":
                    yield ".", Shape(values=self._values(child))
                loose = optional or child.get("minOccurs") == "0" or child.tag == f"{_XS}choice"
                yield from self._children(child, optional=loose)


def xml_shapes(path: Path) -> tuple[str, Mapping[str, Shape]]:
    """Return the target namespace of an XSD and the shape of each global element."""
    xsd = _Xsd(path)
    return xsd.namespace, {name: xsd.shape(element) for name, element in xsd.elements.items()}


class _Json:
    """A JSON Schema, seen as the variant whose member at path `match` is `value`."""

    def __init__(self, schema: Mapping[str, Any], match: str, value: str) -> None:
        self.schema = schema
        self.match = steps(match)
        self.value = value

    def fits(self, part: Mapping[str, Any]) -> bool:
        """Tell whether `part` is not about another variant; without a path there is one only."""
        if not self.match:
            return True
        for step in self.match:
            part = part.get("properties", {}).get(step, {})
        return bool(part.get("const", self.value) == self.value)

    def parts(self, part: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield `part` and every schema that applies together with it or instead of it."""
        if not self.fits(part):
            return
        yield part
        if reference := part.get("$ref"):
            target: Any = self.schema
            for step in reference.removeprefix("#/").split("/"):
                target = target[step]
            yield from self.parts(target)
        for inner in (*part.get("allOf", ()), *part.get("anyOf", ()), *part.get("oneOf", ())):
            yield from self.parts(inner)
        if "then" in part and self.fits(part.get("if", {})):
            yield from self.parts(part["then"])

    def shape(self, part: Mapping[str, Any], *, required: bool) -> Shape:
        """Return the shape of a schema; an array is its item, repeated."""
        found = Shape(required=required)
        members: dict[str, list[Mapping[str, Any]]] = {}
        needed: set[str] = set()
        for applying in self.parts(part):
            found.many = found.many or "items" in applying
            for inside in self.parts(applying["items"]) if "items" in applying else (applying,):
                found.values = found.values or _texts(inside.get("enum", ()))
                needed |= set(inside.get("required", ()))
                for name, member in inside.get("properties", {}).items():
                    members.setdefault(name, []).append(member)
        for name, several in members.items():
            merged = several[0] if len(several) == 1 else {"allOf": several}
            found.children[name] = self.shape(merged, required=name in needed)
        return found


def _texts(values: Iterable[Any]) -> tuple[str, ...]:
    """Return the listed values that are texts; null says that nothing is given."""
    return tuple(value for value in values if isinstance(value, str))


def json_shape(schema: Mapping[str, Any], match: str, value: str) -> Shape:
    """Return the shape of the documents whose member at path `match` is `value`; other variants are left out.

    An empty path leaves out nothing.
    """
    return _Json(schema, match, value).shape(schema, required=True)
