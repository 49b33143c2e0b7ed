"""`gateway simulate`: a partner that is played by script against this version of the gateway, and what came of it."""

import asyncio
import contextlib
import json as text
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.markup import escape

from gateway import log
from gateway.cli.options import ConfigOption, JsonOption, PartnersOption
from gateway.cli.output import console, print_json
from gateway.errors import ScriptInvalid, Unavailable
from gateway.flow.passes import make_pass
from gateway.flow.ports import Runtime
from gateway.settings import Settings, load
from gateway.simulation import attacks
from gateway.simulation.behaviours import BEHAVIOURS
from gateway.simulation.cast import Cast
from gateway.simulation.report import Report, Scene
from gateway.simulation.rest_desk import RestDesk
from gateway.simulation.rig import Rig
from gateway.simulation.run import perform
from gateway.simulation.script import WAYS, Script, chosen, read_script, whole
from gateway.store import accounts
from gateway.store.database import transaction
from gateway.transport.node import PrivateNode
from gateway.trust.folder import write_file
from gateway.wiring import build
from gateway.wiring.simulated import keys_of_attacker, simulated

START_SECONDS = 20.0
_BEHAVIOURS = ", ".join(f"{name} ({(play.__doc__ or '').strip().rstrip('.').lower()})" for name, play in BEHAVIOURS.items())
_NOT_SENT = ", ".join(map(str, sorted(attacks.NOT_SENT)))


def simulate(
    code: Annotated[str, typer.Argument(metavar="CODE", help="The partner that is played, e.g. pk.")],
    behaviour: Annotated[
        list[str] | None, typer.Option("--behaviour", metavar="NAME", help=f"Play this; may be repeated: {_BEHAVIOURS}.")
    ] = None,
    attack: Annotated[
        list[int] | None,
        typer.Option("--attack", metavar="N", help=f"Send this class of the attack catalogue, 1 to 40 without {_NOT_SENT}."),
    ] = None,
    script: Annotated[Path | None, typer.Option("--script", metavar="FILE", help="Play this script (TOML).")] = None,
    every: Annotated[bool, typer.Option("--every", help="Send all forgeries of each class, not one of each.")] = False,
    over: Annotated[str, typer.Option("--over", help=f"How the two are connected: {', '.join(WAYS)}.")] = "memory",
    broker: Annotated[
        str | None, typer.Option("--broker", metavar="URL", help="RabbitMQ to use; default: a private node of this run.")
    ] = None,
    counterpart: Annotated[
        str | None, typer.Option("--counterpart", metavar="AUTHORITY", help="Our side; default: a home authority that fits.")
    ] = None,
    make: Annotated[bool, typer.Option("--pass", help="If all goes well, make and keep a signed conformance pass.")] = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the pass as a file, too.")] = None,
    report: Annotated[Path | None, typer.Option("--report", metavar="FILE", help="Write the report (JSON) as a file.")] = None,
    partners: PartnersOption = None,
    config: ConfigOption = None,
    json: JsonOption = False,
) -> None:
    """Play a partner by script: two gateways with keys and databases of their own, thrown away at the end.

    Without a choice everything is played: each behaviour, and each attack of the catalogue that can be sent. Nothing of this
    installation is touched but its partner folders, schemas and treaties, which are read; with --pass its key signs.
    Exit code 1 when anything came out otherwise than it must.

    Examples: `gateway simulate pk`, `gateway simulate pk --behaviour late`, `gateway simulate rs --over rabbitmq --pass`
    """
    if script is not None and (behaviour or attack):
        raise typer.BadParameter("a script says what is played; leave out --behaviour and --attack", param_hint="--script")
    if over not in WAYS:
        raise typer.BadParameter(f"{over!r} is none of {', '.join(WAYS)}", param_hint="--over")
    settings = load(config, overrides={"partners": partners})
    log.set_up(as_json=settings.log_json, level=50)  # refusals are what is wanted here
    named = chosen(behaviour or [], attack or [], over=over, counterpart=counterpart, every=every)
    plan = read_script(script) if script else named if named.acts else whole(over=over, counterpart=counterpart, every=every)
    if make and not _complete(plan):
        raise ScriptInvalid("a conformance pass takes a whole run: every behaviour, every class of attacks")
    rt = build(settings) if make else None  # what a pass lacks is said before the run, not after it
    screen = None if json else console()

    def told(scene: Scene) -> None:
        if screen is not None:
            _tell(scene)

    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="gateway-simulation-")))
        url = broker or (stack.enter_context(_node()).url if plan.over == "rabbitmq" else None)
        found = asyncio.run(_perform(plan, settings, code, folder, url if plan.over == "rabbitmq" else None, told))
    answer: dict[str, Any] = found.as_dict()
    if make and found.ok and rt is not None:
        answer["pass"] = _make_pass(rt, found, out)
    if report is not None:
        report.write_text(text.dumps(answer, ensure_ascii=False, indent=2, default=str) + "\n", encoding="utf-8")
    if json:
        print_json(answer)
    else:
        _sum_up(found, answer)
    if not found.ok:
        raise typer.Exit(1)


def _complete(plan: Script) -> bool:
    played = {str(act) for act in plan.acts}
    return {str(act) for act in whole().acts} <= played


def _node() -> PrivateNode:
    node = PrivateNode()
    node.start()
    return node


async def _perform(plan: Script, settings: Settings, code: str, folder: Path, broker: str | None, told: Any) -> Report:
    async with _connected(plan, settings, code, folder, broker) as (rig, cast):
        return await perform(plan, rig, cast, keys_of_attacker(folder), partner=code, told=told)


@asynccontextmanager
async def _connected(
    plan: Script, settings: Settings, code: str, folder: Path, broker: str | None
) -> AsyncIterator[tuple[Rig, Cast]]:
    """Yield both sides; for `rest` the partner's gateway serves its API, and the played national system calls it."""
    async with simulated(settings, code, folder, counterpart=plan.counterpart, over=plan.over, broker=broker) as (rig, cast):
        if plan.over != "rest":
            yield rig, cast
            return
        with _api(rig.theirs.rt, cast.theirs) as desk:
            yield rig.at_desk(desk), cast


@contextmanager
def _api(rt: Runtime, authority: str) -> Iterator[RestDesk]:
    """Serve the API of a gateway on a free port of this machine, in a thread, and yield a desk at it."""
    from gateway.cli.serve import listen, server  # noqa: PLC0415  # pages and API are loaded only when they are served

    now = rt.clock()
    with transaction(rt.engine) as tx:
        ends = now + timedelta(days=3650)  # the clock of a simulation is moved by months
        key = accounts.add_api_key(tx, authority=authority, scopes=("submit", "inbox"), at=now, ends_at=ends)
    listener = listen(rt.settings)
    http = server(rt)
    thread = threading.Thread(target=http.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        end = time.monotonic() + START_SECONDS
        while not http.started:
            if not thread.is_alive() or time.monotonic() > end:
                raise Unavailable("the API of the played partner does not start")
            time.sleep(0.02)
        yield RestDesk(f"http://127.0.0.1:{listener.getsockname()[1]}", key)
    finally:
        http.should_exit = True
        thread.join(START_SECONDS)
        with contextlib.suppress(OSError):
            listener.close()


def _make_pass(rt: Runtime, found: Report, out: Path | None) -> dict[str, Any]:
    results: dict[str, bool] = {}
    for scene in found.scenes:
        results[scene.name] = results.get(scene.name, True) and scene.ok
    row = make_pass(
        rt, found.partner, played=found.played, tested=found.tested, over=found.over, results=results, by="gateway simulate"
    )
    if out is not None:
        write_file(out, row.body)
    return {"sha256": row.sha256, "made_at": row.made_at, "ends_at": row.ends_at, "file": str(out) if out else None}


def _tell(scene: Scene) -> None:
    out = console()
    out.print(f"{'[green]ok  [/]' if scene.ok else '[bold red]FAIL[/]'} {scene.name:<10} {escape(scene.what)}")
    for check in scene.checks:
        if not check.ok:
            out.print(escape(f"       {check.what}: expected {check.expected}, found {check.found}"))


def _sum_up(found: Report, answer: dict[str, Any]) -> None:
    out = console()
    good = sum(scene.ok for scene in found.scenes)
    out.print(f"{good} of {len(found.scenes)} scenes went as they must; {found.played} was played against {found.tested}")
    for name, why in found.left_out.items():
        out.print(f"  left out: {name}: {why}")
    if "pass" in answer:
        out.print(f"conformance pass until {answer['pass']['ends_at']:%Y-%m-%d}, sha256 {answer['pass']['sha256']}")


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("simulate")(simulate)
