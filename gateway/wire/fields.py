"""The fields of a canonical document, flat: what two documents are compared by."""

from collections.abc import Iterator

from lxml import etree

from gateway.stages import Tree


def flat(element: Tree, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield path and value of every field of a canonical document, in document order."""
    here = f"{path}/{etree.QName(element).localname}"
    for name in map(str, element.attrib):
        yield f"{here}/@{name}", str(element.get(name))
    if len(element) == 0:
        yield here, element.text or ""
    for child in element:
        yield from flat(child, here)
