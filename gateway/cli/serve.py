"""`gateway serve` and `gateway run`: the processes of a gateway."""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Annotated

import typer
import uvicorn

from gateway import log
from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.output import console, print_json
from gateway.errors import GatewayError, KeyMissing, SettingsInvalid, SignerUnavailable
from gateway.flow.edges import serve_edges
from gateway.flow.erasure import replay
from gateway.flow.heap import settle_heap
from gateway.flow.installation import note_settings
from gateway.flow.loops import LOOPS, run
from gateway.flow.partner_watch import keep_partners
from gateway.flow.ports import Runtime
from gateway.settings import Settings, load
from gateway.store.upgrading import upgrade_apart
from gateway.trust.held import HeldKeys
from gateway.trust.signer import Signer
from gateway.trust.signer_process import harden
from gateway.web.api import ROUTERS
from gateway.web.app import create_app
from gateway.wiring import build, utc_now
from gateway.wiring.pages import web_runtime
from gateway.wiring.signing import keys_for

PARTS = ("api", *LOOPS, "edges")  # edges: in one process only, a drop folder knows no leases
SIGN = "sign"  # holds the signing keys; never beside another part
SIGNER_LOOK_SECONDS = 1.0


class _NoTraceback(logging.Filter):
    """Drops tracebacks from the HTTP server's log: their text may hold what a person's document says."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = None
        return True


def listen(settings: Settings) -> socket.socket:
    """Return a socket that listens where the settings say, beside others where a port is shared. Raises `SettingsInvalid`."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, reuse_port=settings.share_port)
    except ValueError as error:
        raise SettingsInvalid("this system cannot share a port between processes: set share_port = false") from error
    except OSError as error:
        what = f"port {settings.port} of {settings.host} is taken, or that is no address of this machine"
        raise SettingsInvalid(f"nothing can listen there: {what}") from error


def server(rt: Runtime) -> uvicorn.Server:
    """Return the HTTP server for API and pages; it logs no query strings."""
    app = create_app(web_runtime(rt), routers=ROUTERS)
    app.state.gateway = rt
    logging.getLogger("uvicorn.error").addFilter(_NoTraceback())
    return uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))


async def run_parts(
    parts: list[str], rt: Runtime, stop: asyncio.Event, listener: socket.socket | None, signs: Callable[[], bool]
) -> None:
    """Run API and loops until `stop` is set. Raises `SignerUnavailable` when the signer of this process has ended."""
    loops = [part for part in parts if part in LOOPS]
    async with asyncio.TaskGroup() as group:
        group.create_task(_watch_signer(signs, stop))
        group.create_task(keep_partners(rt, stop))
        group.create_task(settle_heap(stop))
        if loops:
            group.create_task(run(loops, rt, stop))
        if "edges" in parts:
            group.create_task(serve_edges(rt, stop))
        if listener is not None:
            http = server(rt)
            group.create_task(http.serve(sockets=[listener]))
            group.create_task(_end_with(http, stop))


async def _end_with(http: uvicorn.Server, stop: asyncio.Event) -> None:
    await stop.wait()
    http.should_exit = True


async def _watch_signer(signs: Callable[[], bool], stop: asyncio.Event) -> None:
    while not stop.is_set():
        if not signs():
            raise SignerUnavailable("the signer of this process has ended; start again")
        try:
            await asyncio.wait_for(stop.wait(), SIGNER_LOOK_SECONDS)
        except TimeoutError:
            continue


def run_until_signal(
    parts: list[str], rt: Runtime, announce: Callable[[socket.socket | None], None], signs: Callable[[], bool]
) -> None:
    """Listen, say so by `announce`, run until SIGTERM or SIGINT, then end after the batch in hand.

    Raises the first error of ours that ended one of the parts, `SettingsInvalid` when the port is taken, and
    `DatabaseUnavailable` when the journal cannot be told what this process runs with.
    """
    listener = listen(rt.settings) if "api" in parts else None
    note_settings(rt)

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop.set)
        announce(listener)  # only now: whoever reads it may connect or signal at once
        await run_parts(parts, rt, stop, listener, signs)

    try:
        with asyncio.Runner(loop_factory=_event_loop) as runner:
            runner.run(main())
    except* GatewayError as group:
        raise _first(group) from None


def _event_loop() -> asyncio.AbstractEventLoop:
    """Return the event loop that runs a process of ours: libuv's, where it exists."""
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop  # noqa: PLC0415  # there is none for Windows

    return uvloop.new_event_loop()


def _first(group: BaseExceptionGroup[GatewayError]) -> GatewayError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


def serve(json: JsonOption = False, config: ConfigOption = None) -> None:
    """Run API, pages, consumers, delivery and clock in one process, until SIGTERM or Ctrl-C.

    Example: `gateway serve --config gateway.toml`
    """
    settings = load(config)
    log.set_up(as_json=settings.log_json)
    _run(list(PARTS), settings, as_json=json)


def run_command(
    parts: Annotated[
        list[str], typer.Argument(metavar="PART...", help=f"One or more of: {', '.join(PARTS)}; or {SIGN}, alone.")
    ],
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Run parts of a gateway in a process of their own, until SIGTERM or Ctrl-C.

    The part sign holds the signing keys and signs for the others, over the sockets in the folder that the setting signer names.

    Example: `gateway run consume deliver --config gateway.toml`
    """
    unknown = [part for part in parts if part not in {*PARTS, SIGN}]
    if unknown:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join((*PARTS, SIGN))}")
    if SIGN in parts and len(parts) > 1:
        raise typer.BadParameter(f"{SIGN} runs alone: no other part may be in the process that holds the signing keys")
    settings = load(config)
    if not settings.home:
        raise SettingsInvalid("the setting home names no authority: this gateway would have nothing to do")
    log.set_up(as_json=settings.log_json)
    if parts == [SIGN]:
        _sign(settings, as_json=json)
    else:
        _run(parts, settings, as_json=json)


def _run(parts: list[str], settings: Settings, *, as_json: bool) -> None:
    with keys_for(parts, settings, utc_now) as keys:
        embedded = settings.database.startswith("sqlite")
        if embedded and not settings.database.endswith(":memory:"):
            upgrade_apart(settings.database)
        rt = build(settings, prepare_database=embedded, ring=keys.ring)
        replay(rt)  # what a restored database brought back is erased again before anything runs
        run_until_signal(parts, rt, partial(_announce, settings, parts, as_json=as_json), keys.signs)


def _sign(settings: Settings, *, as_json: bool) -> None:
    """Hold the signing keys and sign for the other processes, until SIGTERM or SIGINT."""
    if settings.signer is None:
        raise SettingsInvalid("the setting signer names no folder for the signer's sockets")
    harden()
    keys = HeldKeys.load(settings.keys, os.environ)
    if missing := sorted(set(settings.home) - set(keys.authorities())):
        raise KeyMissing(f"there is no private signing key of {', '.join(missing)} in the key folder")
    signer = Signer(keys=keys, group=settings.signer_group)
    ending = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda _number, _frame: ending.set())
    signer.listen(settings.signer)
    _announce(settings, [SIGN], None, as_json=as_json)
    ending.wait()
    signer.close()


def _announce(settings: Settings, parts: list[str], listener: socket.socket | None, *, as_json: bool) -> None:
    """Say what runs and where; flushed, since nothing more is printed while it runs."""
    address = f"http://{settings.host}:{listener.getsockname()[1]}" if listener is not None else None
    if as_json:
        print_json({"url": address, "parts": parts, "home": list(settings.home)})
    else:
        home = ", ".join(settings.home) or "no authority yet"
        console().print(f"{address or ', '.join(parts)}  home to {home}")
    sys.stdout.flush()


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("serve")(serve)
    app.command("run")(run_command)
