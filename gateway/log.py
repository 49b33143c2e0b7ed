"""Log set-up: an event name, fields from an allow-list, never a person.

An event is `noun.past` ("message.refused"). A field whose name is not on the list is written as "[redacted]":
a new field has to be added here, where a reviewer sees it.
"""

import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

ALLOWED_FIELDS = frozenset(
    [
        "event",
        "level",
        "timestamp",
        "part",
        "step",
        "code",
        "partner",
        "authority",
        "sender",
        "recipient",
        "direction",
        "message_id",
        "case",
        "type",
        "count",
        "rows",
        "digest",
        "queue",
        "transport",
        "attempts",
        "seconds",
        "limit",
        "treaty",
        "due",
        "state",
        "reason",
        "port",
        "address",
        "version",
        "path",
        "line",
        "file",
        "setting",
        "process",
        "broker",
        "database",
        "calendar",
        "until",
        "status",
        "method",
        "route",
        "hold",
        "waiting",
        "parked",
        "signal",
        "error_type",
    ]
)


def allow_listed(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the value of every field that is not on the allow-list."""
    return {name: value if name in ALLOWED_FIELDS else "[redacted]" for name, value in fields.items()}


def set_up(*, as_json: bool = False, level: int = 20, stream: TextIO | None = None) -> None:
    """Configure structlog once per process; logs go to standard error."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            allow_listed,
            structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=stream or sys.stderr),
        cache_logger_on_first_use=False,
    )


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """Return a logger that adds its name to each event.

    Modules ask for it when they are imported, before `set_up` runs: it looks the configuration up at each line, which
    `bind` would fix at once, and the allow-list would not be asked.
    """
    lazy: structlog.typing.FilteringBoundLogger = structlog.get_logger(part=name)
    return lazy
