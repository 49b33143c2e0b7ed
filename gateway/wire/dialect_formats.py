"""Which documents a dialect has, by its format."""

from collections.abc import Mapping

from gateway.partners import Dialect
from gateway.wire.dialect_documents import DialectDocuments, JsonDocuments, XmlDocuments
from gateway.wire.shapes import Shape
from gateway.wire.table_documents import TableDocuments


def compile_documents(dialect: Dialect, canonical: Mapping[str, Shape]) -> DialectDocuments:
    """Return the compiled dialect; raises `MappingInvalid` naming file, row and path."""
    if dialect.layout is not None:
        return TableDocuments.compile(dialect, dialect.layout, canonical)
    if dialect.format == "json":
        return JsonDocuments.compile(dialect, canonical)
    return XmlDocuments.compile(dialect, canonical)
