"""`gateway demo`: the main job, step by step, with real parts; every document exchanged is left in a folder."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway import log
from gateway.cli.options import ConfigOption, JsonOption
from gateway.cli.output import console, print_json
from gateway.cli.scene import ACTS, Scene, play
from gateway.cli.teller import Teller
from gateway.errors import BrokerUnavailable, SettingsInvalid, Unavailable
from gateway.flow.loops import LOOPS, run
from gateway.flow.ports import Runtime
from gateway.partners import load as load_partners
from gateway.settings import Settings, load
from gateway.transport.node import PrivateNode
from gateway.trust.devca import make_development_keys
from gateway.wiring import build, utc_now

STATE = "gateway"  # folder below --out with database and settings, so that the commands can be tried on what was played
SIDES = {"west": ("BA-MS", "AT-BMI"), "east": ("PK-MOI", "RS-MUP")}
BROKERS = ("embedded", "rabbitmq")
STOP_SECONDS = 15.0


def development_keys(settings: Settings) -> None:
    """Make the development keys that are missing, for every authority of the partners."""
    partners = load_partners(settings.partners)
    codes = [authority.code for partner in partners.partners.values() for authority in partner.authorities]
    make_development_keys(settings.keys, sorted(codes), utc_now())


def _settings(base: Settings, folder: Path, name: str, home: tuple[str, ...], broker: str) -> Settings:
    values = {item: getattr(base, item) for item in Settings.__slots__}
    return Settings(**values | {"name": name, "home": home, "broker": broker, "database": f"sqlite:///{folder / name}.sqlite3"})


@asynccontextmanager
async def one_gateway(base: Settings, folder: Path) -> AsyncIterator[Scene]:
    """One gateway, home to all four authorities, with its loops in this process."""
    homes = tuple(code for codes in SIDES.values() for code in codes)
    settings = _settings(base, folder, "gateway", homes, "embedded")
    _write_settings(settings, folder)
    rt = build(settings, prepare_database=True)
    stop = asyncio.Event()
    loops = asyncio.create_task(run(list(LOOPS), rt, stop))
    try:
        yield Scene(runtimes=dict.fromkeys(homes, rt), running=lambda: not loops.done())
    finally:
        stop.set()
        await asyncio.wait_for(loops, STOP_SECONDS)


@asynccontextmanager
async def two_gateways(base: Settings, folder: Path, url: str) -> AsyncIterator[Scene]:
    """Two gateway processes, each with its own database, with nothing between them but RabbitMQ."""
    runtimes: dict[str, Runtime] = {}
    processes: list[asyncio.subprocess.Process] = []
    try:
        for name, homes in SIDES.items():
            settings = _settings(base, folder, name, homes, url)
            rt = build(settings, prepare_database=True)
            runtimes |= dict.fromkeys(homes, rt)
            await rt.transport.open(homes)  # declares the queues: what is sent before the other side is up finds its place
            await rt.transport.close()
        for name in SIDES:
            processes.append(await _start(runtimes[SIDES[name][0]].settings, folder))  # noqa: PERF401  # each is stopped below
        yield Scene(runtimes=runtimes, running=lambda: all(process.returncode is None for process in processes))
    finally:
        for process in processes:
            if process.returncode is None:
                process.terminate()
        for process in processes:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)


def _write_settings(settings: Settings, folder: Path) -> Path:
    """Write the settings of a gateway beside its database."""
    file = folder / f"{settings.name}.toml"
    lines = {
        "name": settings.name,
        "home": list(settings.home),
        "broker": settings.broker,
        "database": settings.database,
        "keys": str(settings.keys),
        "partners": str(settings.partners),
        "schemas": str(settings.schemas),
    }
    file.write_text("\n".join(f"{key} = {_toml(value)}" for key, value in lines.items()) + "\n", encoding="utf-8")
    file.chmod(0o600)
    return file


async def _start(settings: Settings, folder: Path) -> asyncio.subprocess.Process:
    """Start one gateway process; its log goes to a file beside its database."""
    file = _write_settings(settings, folder)
    with (folder / f"{settings.name}.log").open("wb") as errors:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gateway", "run", *LOOPS, "--config", str(file), stdout=errors, stderr=errors
        )


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


async def _perform(base: Settings, folder: Path, out: Path, broker: str, teller: Teller) -> list[dict[str, Any]]:
    if broker == "rabbitmq":
        teller.line("Starting a private RabbitMQ node on a free port ...")
        with await asyncio.to_thread(_node) as node:
            teller.line("Two gateways, each with its own database; between them only RabbitMQ.")
            async with two_gateways(base, folder, node.url) as scene:
                return [await play(act, scene, out, teller) for act in ACTS]
    teller.line("One gateway, home to four authorities; SQLite, and the durable queue in the same database.")
    async with one_gateway(base, folder) as scene:
        return [await play(act, scene, out, teller) for act in ACTS]


def _node() -> PrivateNode:
    node = PrivateNode()
    node.start()
    return node


def demo(
    broker: Annotated[str, typer.Option(help=f"One of: {', '.join(BROKERS)}.")] = "embedded",
    serve: Annotated[bool, typer.Option("--serve", help="Keep API and pages up, with cases in several states.")] = False,
    out: Annotated[Path, typer.Option(help="Folder for the documents that are exchanged.")] = Path("demo-out"),
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Play the main job with real parts and invented persons.

    An application of Bosnia and Herzegovina reaches Pakistan in Pakistan's own format and the answer comes back; an
    Austrian application to Serbia under the accelerated procedure shows the clock.

    Examples: `gateway demo`, `gateway demo --broker rabbitmq`, `gateway demo --serve`
    """
    if broker not in BROKERS:
        raise typer.BadParameter(f"{broker!r} is none of {', '.join(BROKERS)}")
    settings = load(config)
    log.set_up(as_json=settings.log_json, level=30)
    development_keys(settings)
    if serve:
        from gateway.cli.exhibition import keep_up  # noqa: PLC0415  # pages and API are loaded only when they are shown

        keep_up(settings, as_json=json)
        return
    _clear(out)
    teller = Teller(None if json else console())
    folder = out.resolve() / STATE
    folder.mkdir(mode=0o700)
    try:
        told = asyncio.run(_perform(settings, folder, out, broker, teller))
    except* Unavailable as group:
        raise (group.exceptions[0] if isinstance(group.exceptions[0], Unavailable) else BrokerUnavailable(str(group))) from None
    except* SettingsInvalid as group:
        raise group.exceptions[0] from None
    if json:
        print_json({"broker": broker, "out": str(out), "acts": told})
    else:
        teller.end(out)


def _clear(out: Path) -> None:
    """Make the folder ready; only what an earlier demonstration left is removed, whatever else the folder holds."""
    try:
        for name in (STATE, *(act.folder for act in ACTS)):
            if (out / name).is_dir():
                shutil.rmtree(out / name)
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"the folder {out.name!r} cannot be written", param_hint="--out") from error


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("demo")(demo)
