"""Roots of the journal and their timestamps. Both only grow: the database refuses to change or remove a row."""

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from gateway.store.columns import Counter, Instant, metadata

roots = Table(
    "journal_roots",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("first", Counter, nullable=False, unique=True),  # journal entry; two watches cannot both take it
    Column("last", BigInteger, nullable=False),  # journal entry
    Column("root", String(64), nullable=False),  # of the Merkle tree over the hashes of the entries
    Column("previous", String(64), nullable=False),  # digest of the root before
    Column("made_at", Instant, nullable=False),
    Column("authority", String(16), nullable=False),  # home authority that signed
    Column("certificate", String(64), nullable=False),  # fingerprint of its signing certificate
    Column("chain", JSON, nullable=False),  # certificates, base64 of DER, leaf first
    Column("signature", LargeBinary, nullable=False),
)

# A timestamp over a root is a timestamp over every root before it, so most roots have none of their own after an outage.
stamps = Table(
    "journal_stamps",
    metadata,
    Column("number", Integer, ForeignKey("journal_roots.number"), primary_key=True, autoincrement=False),
    Column("token", LargeBinary, nullable=False),  # DER of the TimeStampToken
    Column("authority", Text, nullable=False),  # subject of the timestamp authority's certificate
    Column("at", Instant, nullable=False),
)
