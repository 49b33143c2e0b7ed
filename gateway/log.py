"""Log set-up: an event name, fields from an allow-list, never a person.

An event is `noun.past` ("message.refused"). A field whose name is not on the list is written as "[redacted]":
a new field has to be added here, where a reviewer sees it.

structlog is imported when a process sets its log up or writes its first line: the signer seldom does (docs/decisions/0045).
"""

import sys
from collections.abc import Callable, MutableMapping
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

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
    structlog = _structlog()
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


_to_come: list[Callable[[], None]] = []  # the set-up of a process that may never write a line


def set_up_when_used(*, as_json: bool = False, level: int = 20) -> None:
    """Do what `set_up` does, before the first line that is written and not now."""
    _to_come[:] = [partial(set_up, as_json=as_json, level=level)]


def _structlog() -> ModuleType:
    """Import structlog without rich and pygments, which it takes for coloured tracebacks when they are there: 7 MB for nothing.

    We write no traceback. What has imported rich before, as a command that prints tables, keeps it.
    """
    if "rich" in sys.modules or "structlog" in sys.modules:
        import structlog  # noqa: PLC0415  # see the first lines

        return structlog
    sys.modules["rich"] = cast("ModuleType", None)  # how Python is told that there is no such module
    try:
        import structlog  # noqa: PLC0415  # same
    finally:
        del sys.modules["rich"]
    return structlog


class _Logger:
    """A logger that looks structlog's configuration up at each line, and imports it for the first one."""

    def __init__(self, part: str) -> None:
        self._part = part

    def __getattr__(self, name: str) -> Any:
        while _to_come:
            _to_come.pop()()
        return getattr(_structlog().get_logger(part=self._part), name)


def logger(name: str) -> "FilteringBoundLogger":
    """Return a logger that adds its name to each event.

    Modules ask for it when they are imported, before `set_up` runs: it looks the configuration up at each line, which
    `bind` would fix at once, and the allow-list would not be asked.
    """
    return cast("FilteringBoundLogger", _Logger(name))
