"""The tables of attachments: what is known of each file, and its bytes in parts."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from gateway.store.columns import Counter, Instant, metadata, row_id

# One file of one home authority: handed in there, or received with a message for it. Its name stays in the message.
attachments = Table(
    "attachments",
    metadata,
    row_id(),
    Column("authority", String(16), nullable=False),  # home
    Column("sender", String(16)),  # whose message brings it; None: handed in here
    Column("message_id", String(36)),  # the same
    Column("state", String(8), nullable=False),  # partial | whole | wrong
    Column("code", String(40)),  # why it is wrong
    Column("sha256", String(64)),  # as found when handed in, as claimed by its parts when received; None while handed in
    Column("size", Integer, nullable=False),  # bytes that are here
    Column("parts", Integer, nullable=False),  # parts that are here
    Column("of", Integer),  # parts of the whole file; None while handed in
    Column("media_type", String(40)),  # as its bytes say; None until it is whole
    Column("holding", LargeBinary),  # wrapped key that `key` lies under before there is a case
    Column("key", LargeBinary, nullable=False),  # of the file, encrypted under `holding` or the key of the case
    Column("case_id", Counter, ForeignKey("cases.id")),  # None: no message has claimed it
    Column("message_row", Counter, ForeignKey("messages.id"), index=True),  # None while its message is held
    Column("kind", String(20)),  # as the message says: photograph | document-scan | fingerprints | other
    Column("number", Integer),  # place in the message, from 1
    Column("changed_at", Instant, nullable=False),  # when it last grew, or was claimed
    UniqueConstraint("message_id", "sender", "authority", "sha256"),
    Index("ix_attachments_unclaimed", "case_id", "authority", "sha256"),
)

attachment_parts = Table(
    "attachment_parts",
    metadata,
    Column("attachment_id", Counter, ForeignKey("attachments.id"), primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),  # from 1
    Column("body", LargeBinary, nullable=False),  # at most 1 MiB, encrypted under the key of the file
)
