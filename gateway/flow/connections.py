"""How a home authority is connected, as its partner file and the settings say; the one place that knows every edge."""

from pathlib import Path

from gateway.edge.files import FilesEdge
from gateway.edge.port import Edge
from gateway.edge.pull import PageEdge, PaperEdge, PullEdge
from gateway.edge.push import PushEdge
from gateway.errors import EdgeUnavailable, Misconfigured, SettingsInvalid
from gateway.flow.ports import Clock
from gateway.settings import Settings

_WAITING = {"pull": PullEdge, "page": PageEdge, "paper": PaperEdge}


def connect(authority: str, kind: str, settings: Settings, clock: Clock) -> Edge:
    """Return the edge of a home authority. Only the drop folder is touched. Raises `SettingsInvalid`, `EdgeUnavailable`."""
    if kind in _WAITING:
        return _WAITING[kind]()
    if kind == "push":
        return PushEdge(authority, settings.edge(authority), clock)
    if kind == "queue":
        from gateway.edge.queue import QueueEdge  # noqa: PLC0415  # brings the broker's library

        return QueueEdge(authority, settings.edge(authority), clock)
    if kind == "files":
        if settings.drop_folder is None:
            raise SettingsInvalid(f"{authority} is connected by files, but the setting drop_folder is missing")
        try:
            return FilesEdge(Path(settings.drop_folder) / authority, quiet_seconds=settings.edge(authority).quiet_seconds)
        except OSError as error:
            raise EdgeUnavailable(f"the drop folder of {authority} cannot be made ({type(error).__name__})") from error
    raise Misconfigured(f"{authority} is connected by {kind!r}, which this version does not know")
