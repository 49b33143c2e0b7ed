"""The tables of identification: what cases are found by, and what people decided about two that resemble each other."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from gateway.store.columns import Counter, Instant, metadata, row_id

# Cases whose application was looked at. What is not here yet is looked at by the watch, off the way of the messages.
searchable = Table(
    "searchable",
    metadata,
    Column("case_id", Counter, ForeignKey("cases.id"), primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
)

# Keyed hashes of the words and numbers that a case can be found by; removed when the case is erased.
search_terms = Table(
    "search_terms",
    metadata,
    Column("case_id", Counter, ForeignKey("cases.id"), primary_key=True, autoincrement=False),
    Column("term", LargeBinary(16), primary_key=True),
    Column("kind", String(8), nullable=False),  # name | number | born
    Column("weight", Integer, nullable=False),  # what puts a case first, when more are found than are looked at
    Index("ix_search_terms_term", "term", "case_id"),
)

# What a person decided about two cases of one authority. The newest of a pair stands; those before it stay.
resemblance_decisions = Table(
    "resemblance_decisions",
    metadata,
    row_id(),
    Column("first_case", Counter, ForeignKey("cases.id"), nullable=False),  # the smaller id of the two
    Column("second_case", Counter, ForeignKey("cases.id"), nullable=False, index=True),
    Column("verdict", String(10), nullable=False),  # same | different
    Column("why", String(24), nullable=False),  # a code
    Column("decided_by", String(80), nullable=False),
    Column("decided_at", Instant, nullable=False),
    Index("ix_resemblance_decisions_pair", "first_case", "second_case"),
)
