"""Which documents a dialect has, by its format."""

from collections.abc import Mapping
from pathlib import Path

from gateway.partners import Dialect
from gateway.wire.canonical_documents import CanonicalDocuments
from gateway.wire.dialect_documents import DialectDocuments, JsonDocuments, XmlDocuments
from gateway.wire.shapes import Shape
from gateway.wire.table_documents import TableDocuments
from gateway.wire.xslt_documents import XsltDocuments


def compile_documents(dialect: Dialect, canonical: Mapping[str, Shape], folder: Path) -> DialectDocuments:
    """Return the compiled dialect; `folder` holds the canonical schema. Raises `MappingInvalid` naming file, row and path."""
    if dialect.layout is not None:
        return TableDocuments.compile(dialect, dialect.layout, canonical)
    if dialect.format == "json":
        return JsonDocuments.compile(dialect, canonical)
    if dialect.format == "xslt":
        return XsltDocuments.compile(dialect, canonical)
    if dialect.format == "canonical":
        return CanonicalDocuments.compile(dialect, canonical, folder)
    return XmlDocuments.compile(dialect, canonical)
