"""Who may do what on PostgreSQL: the role that runs a gateway adds to the record, and cannot change it.

SQLite knows no roles: there the triggers guard the journal from every statement, and the file from nobody who may write it.
"""

import re

from sqlalchemy import Connection, inspect, text

from gateway.errors import SettingsInvalid

APPEND_ONLY = (
    "journal",
    "journal_roots",
    "journal_stamps",
    "partner_decisions",
    "conformance_passes",
    "paper_deliveries",
)  # rows are added and read
READ_ONLY = ("alembic_version",)
_ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_TRIGGERS = {
    "postgresql": ("journal_append_only", "journal_no_truncate"),
    "sqlite": ("journal_no_update", "journal_no_delete", "journal_no_replace"),
}
_STANDING = {
    "postgresql": "SELECT tgname FROM pg_trigger WHERE tgrelid = 'journal'::regclass AND tgenabled IN ('A', 'O')",
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'journal'",
}


def grant(tx: Connection, role: str) -> None:
    """Give a role of PostgreSQL what running a gateway takes, on every table there is; what it had beyond that ends.

    To be run by the owner of the tables, after each migration. Does nothing on SQLite. Raises `SettingsInvalid` for a role
    that is not there.
    """
    if tx.dialect.name != "postgresql":
        return
    known = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    if not _ROLE.fullmatch(role) or tx.execute(known, {"role": role}).scalar() is None:
        raise SettingsInvalid("service_role names no role of this PostgreSQL; deploy/postgres/roles.sql makes it")
    for table in inspect(tx).get_table_names():
        may = "SELECT" if table in READ_ONLY else "SELECT, INSERT" if table in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"
        tx.exec_driver_sql(f'REVOKE ALL ON "{table}" FROM {role}')
        tx.exec_driver_sql(f'GRANT {may} ON "{table}" TO {role}')
    tx.exec_driver_sql(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")


def may_change_journal(tx: Connection) -> bool:
    """Tell whether whoever is connected could change or remove entries of the journal. On SQLite that is anybody."""
    if tx.dialect.name != "postgresql":
        return True
    asked = text(
        "SELECT pg_has_role(relowner, 'MEMBER') OR has_table_privilege(oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER') "
        "FROM pg_class WHERE oid = 'journal'::regclass"
    )
    return bool(tx.execute(asked).scalar_one())


def missing_triggers(tx: Connection) -> list[str]:
    """Return the triggers that keep the journal append-only, and are not there any more or switched off."""
    standing = set(tx.exec_driver_sql(_STANDING[tx.dialect.name]).scalars())
    return [name for name in _TRIGGERS[tx.dialect.name] if name not in standing]
