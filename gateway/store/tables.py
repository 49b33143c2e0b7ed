"""The tables, for SQLite and PostgreSQL alike. Instants are UTC, due dates local dates of the state that must act.

`body` columns hold documents encrypted under the key of their case; what stands in clear is what queues, clocks and
the chain need, never who the person is. Migrations under `migrations/` are the truth for a running database; a test
compares them with these definitions.
"""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    false,
    text,
)

from gateway.store.columns import Counter, Instant, metadata, partly, row_id

# One side's view of one person's readmission. A gateway that is home to both sides holds two rows.
cases = Table(
    "cases",
    metadata,
    row_id(),
    Column("home", String(16), nullable=False),  # our authority
    Column("counterparty", String(16), nullable=False),
    Column("reference", String(32), nullable=False),  # random per counterparty; what travels
    Column("national_reference", String(250)),  # our own file number
    Column("role", String(12), nullable=False),  # requesting | requested
    Column("state", String(20), nullable=False),  # domain/case.py
    Column("treaty", String(40), nullable=False),
    Column("treaty_version", String(40), nullable=False),
    Column("procedure", String(16), nullable=False),
    Column("category", String(20), nullable=False),
    Column("ground", String(24), nullable=False),
    Column("schema_version", String(10), nullable=False),
    Column("wrapped_key", LargeBinary, nullable=True),  # key of the case, wrapped; destroying it is erasure
    Column("opened_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("linked", Text),  # references of the cases of the same family, space-separated
    Column("suspended", Boolean, nullable=False, default=False, server_default=false()),  # the clock stands
    Column("deemed_at", Instant),  # from when recorded silence counts as agreement
    Column("lapse_notice", String(36)),  # message id of the notice that recorded it
    Column("late", String(20)),  # state that a reply which came too late would have made
    Column("plan", String(36)),  # message id of the transfer notification that stands
    Column(
        "revision", Integer, nullable=False, default=0, server_default="0"
    ),  # grows with every change: whoever is first wins
    UniqueConstraint("reference", "home", "counterparty"),
    Index("ix_cases_home", "home", "id"),
    Index("ix_cases_standing", "home", "role", "suspended", "state", "id"),  # what the worklist asks for
)

# Every message in and out, once. (direction, sender, message_id) is what makes a repeat harmless.
messages = Table(
    "messages",
    metadata,
    row_id(),
    Column("direction", String(3), nullable=False),  # in | out
    Column("sender", String(16), nullable=False),
    Column("message_id", String(36), nullable=False),
    Column("recipient", String(16), nullable=False),
    Column("case_id", Counter, ForeignKey("cases.id"), index=True),
    Column("type", String(40), nullable=False),
    Column("sequence", Integer),
    Column("digest", String(64), nullable=False),  # SHA-256 of the signed envelope
    Column("in_reply_to", String(36)),
    Column("signed_at", Instant),
    Column("created_at", Instant, nullable=False),  # when this row was written
    Column("received_at", Instant),  # in: when it came; out: what the other side's receipt says
    Column("sent_at", Instant),  # out: when the transport confirmed it
    Column("outcome", String(12), nullable=False),  # in: accepted | refused; out: waiting | sent | received | ...
    Column("code", String(40)),  # of a refusal
    Column("receipt_message_id", String(36)),  # the receipt that proves it
    Column("facts", JSON(none_as_null=True)),  # what the clock must know of a step: days, instants, codes; never the person
    UniqueConstraint("message_id", "sender", "direction"),
)

# What was exchanged and made, encrypted at rest.
documents = Table(
    "documents",
    metadata,
    row_id(),
    Column("message_row", Counter, ForeignKey("messages.id"), nullable=False),
    Column("kind", String(12), nullable=False),  # original | signed | translated | report
    Column("media_type", String(40), nullable=False),
    Column("sha256", String(64), nullable=False),  # of the clear bytes
    Column("body", LargeBinary, nullable=False),  # nonce, ciphertext, tag
    UniqueConstraint("message_row", "kind"),
    Index(  # a document that comes again is known by its bytes
        "ix_documents_handed_in", "sha256", sqlite_where=text("kind = 'original'"), postgresql_where=text("kind = 'original'")
    ),
)

# What still has to leave. The body is sealed: a retry sends the identical bytes. Attachments are named here, never held.
outbox = Table(
    "outbox",
    metadata,
    row_id(),
    Column("message_row", Counter, ForeignKey("messages.id"), nullable=False),
    Column("message_id", String(36), nullable=False),
    Column("sender", String(16), nullable=False),
    Column("recipient", String(16), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("leased_by", String(40)),
    Column("parked_at", Instant),
    Column("code", String(40)),  # of the last failure
    Column("created_at", Instant, nullable=False),
    Column(
        "attachment_id", Counter
    ),  # the row stands for this attachment, whose parts leave one after the other; its body is empty
    Column("part", Integer, nullable=False, default=1, server_default="1"),  # of an attachment: the next one to leave
    Column("case_id", Counter),  # of a message of a case: earlier ones of it leave first
    Column("due_at", Instant),  # the end of the nearest open deadline that its sender must keep
    Column("turn_at", Instant, nullable=False),  # what waits for one recipient leaves in this order
    Column("paper_at", Instant),  # since then it is to go on paper; it is parked, and nothing sets it aside a second time
)
# Each row stands in those it is looked for by: a message that leaves at once costs two entries.
Index(
    "ix_outbox_turn",
    outbox.c.recipient,
    outbox.c.turn_at,
    outbox.c.id,
    **partly(and_(outbox.c.attachment_id.is_(None), outbox.c.parked_at.is_(None))),
)
Index("ix_outbox_case", outbox.c.case_id, **partly(outbox.c.case_id.is_not(None)))
Index("ix_outbox_paper", outbox.c.case_id, **partly(outbox.c.paper_at.is_not(None)))
Index("ix_outbox_parts", outbox.c.recipient, outbox.c.next_at, **partly(outbox.c.attachment_id.is_not(None)))

# What waits for a home authority, in its own dialect.
inbox = Table(
    "inbox",
    metadata,
    row_id(),
    Column("authority", String(16), nullable=False),
    Column("message_row", Counter, ForeignKey("messages.id"), nullable=False),
    Column("case_id", Counter, ForeignKey("cases.id"), nullable=False),
    Column("dialect", String(40), nullable=False),
    Column("arrived_at", Instant, nullable=False),
    Column("fetched_at", Instant),  # acknowledged by the authority
    Column("fetched_by", String(80)),
    Index("ix_inbox_waiting", "authority", "fetched_at"),
)

# Messages that came before an earlier one of their case, or before their attachments: kept sealed as they came until nothing
# is missing.
early = Table(
    "early",
    metadata,
    row_id(),
    Column("home", String(16), nullable=False),
    Column("sender", String(16), nullable=False),
    Column("reference", String(32), nullable=False),  # of the case
    Column("sequence", Integer, nullable=False),
    Column("message_id", String(36), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),  # sealed
    Column("transport", String(12), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("files", Integer, nullable=False, default=0, server_default="0"),  # attachments it must have before it is taken
    Column("asked_at", Instant),  # when its sender was last asked for what is missing of them
    Column("suspended_type", String(40)),  # its type, while it waits because the exchange with its sender is suspended
    Column("given_up_from", Integer),  # its sender says that the numbers from this one up to its own never come
    UniqueConstraint("message_id", "sender"),
    Index("ix_early_case", "reference", "sender", "sequence"),
)

# The embedded broker: durable queues in the database.
queue = Table(
    "queue",
    metadata,
    row_id(),
    Column("name", String(40), nullable=False),  # recipient authority
    Column("message_id", String(36), nullable=False),
    Column("sender", String(16), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("available_at", Instant, nullable=False),
    Column("leased_by", String(40)),
    Column("parked_at", Instant),
    Column("reason", String(40)),
    Column("enqueued_at", Instant, nullable=False),
    Index("ix_queue_waiting", "name", "parked_at", "available_at"),
)

# One date by which one party must act in one case, with its explanation.
deadlines = Table(
    "deadlines",
    metadata,
    row_id(),
    Column("case_id", Counter, ForeignKey("cases.id"), nullable=False),
    Column("limit_id", String(30), nullable=False),
    Column("must_act", String(12), nullable=False),  # requested | requesting
    Column("started_at", Instant, nullable=False),
    Column("known", Boolean, nullable=False),
    Column("due_on", Date),  # literal end
    Column("due_until", Instant),
    Column("rolled_on", Date),
    Column("rolled_until", Instant),
    Column("lapses_at", Instant),
    Column("on_lapse", String(30), nullable=False),
    Column("source", String(80), nullable=False),
    Column("confidence", String(12), nullable=False),
    Column("treaty_version", String(40), nullable=False),
    Column("calendar_ids", String(40)),  # calendars it was counted with
    Column("calendar_version", String(80)),  # their versions, in the same order
    Column("state", String(12), nullable=False),  # open | met | late | lapsed | moot
    Column("detail", JSON, nullable=False),  # the whole answer of due_date, explanation included
    Column("changed_at", Instant, nullable=False),
    Column("inputs", JSON, nullable=False, default=dict, server_default="{}"),  # what it was counted from, to count again
    Column("stage", String(12), nullable=False, default="new", server_default="new"),  # what the watch has told of it
    Column("look_at", Instant),  # when the watch must look at it next
    # Of its case, so that the worklist of one authority finds what is due next without reading the others'.
    Column("home", String(16), nullable=False, default="", server_default=""),
    Column(
        "ours", Boolean, nullable=False, default=False, server_default=false()
    ),  # whether it is the home authority that must act
    UniqueConstraint("case_id", "limit_id"),
    Index("ix_deadlines_due", "home", "ours", "state", "due_until", "case_id"),
    Index("ix_deadlines_look", "state", "look_at"),
)

# A statement on the person's rights. It never leaves the home installation.
statements = Table(
    "statements",
    metadata,
    row_id(),
    Column("case_id", Counter, ForeignKey("cases.id"), nullable=False, unique=True),
    Column("body", LargeBinary, nullable=False),  # answers, encrypted
    Column("complete", Boolean, nullable=False),
    Column("made_by", String(80), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("released_by", String(80)),
    Column("released_at", Instant),
)

# A message that must not leave yet, and why. A first-class result, not an error.
holds = Table(
    "holds",
    metadata,
    row_id(),
    Column("case_id", Counter, ForeignKey("cases.id"), nullable=False, index=True),
    Column("reason", String(40), nullable=False),  # domain/safeguards.py
    Column("body", LargeBinary, nullable=False),  # the canonical message, encrypted
    Column("original", LargeBinary, nullable=False),  # as it was handed in, encrypted
    Column("report", LargeBinary),  # mapping report of the translation, encrypted; None for canonical XML
    Column("dialect", String(40), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("ended_by", String(80)),
    Index("ix_holds_open", "ended_at", "case_id"),
)

# Append-only and hash-chained; triggers refuse update and delete.
journal = Table(
    "journal",
    metadata,
    Column("id", Counter, primary_key=True, autoincrement=False),  # counts without gaps: a missing number is a finding
    Column("at", Instant, nullable=False),
    Column("event", String(40), nullable=False),  # noun.past
    Column("actor", String(80), nullable=False),  # account, key, partner or "gateway"
    Column("authority", String(16)),
    Column("case_id", Counter),
    Column("message_id", String(36)),
    Column("digest", String(64)),  # of the document the entry is about
    Column("detail", Text, nullable=False),  # canonical JSON: codes and counts, never the person
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Index("ix_journal_event", "event", "actor", "at"),
    Index("ix_journal_case", "case_id", "id"),
)

accounts = Table(
    "accounts",
    metadata,
    row_id(),
    Column("name", String(80), nullable=False, unique=True),
    Column("role", String(12), nullable=False),  # officer | liaison | operations | auditor
    Column("authority", String(16)),  # None for operations and auditors of the whole installation
    Column("password", String(200), nullable=False),  # salted hash
    Column("language", String(12), nullable=False, default="en"),
    Column("disabled_at", Instant),
    Column("created_at", Instant, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("account_id", Counter, ForeignKey("accounts.id"), nullable=False),
    Column("form_token", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("prefix", String(16), primary_key=True),
    Column("secret_hash", String(64), nullable=False),
    Column("authority", String(16), nullable=False),
    Column("scopes", String(200), nullable=False),  # space-separated: submit inbox cases queues
    Column("created_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("used_at", Instant),
)

# What a repeated POST with the same Idempotency-Key is answered with.
idempotency = Table(
    "idempotency",
    metadata,
    Column("authority", String(16), primary_key=True),
    Column("key", String(80), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", JSON, nullable=False),
    Column("created_at", Instant, nullable=False),
)
