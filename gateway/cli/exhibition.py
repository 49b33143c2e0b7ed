"""`gateway demo --serve`: API and pages kept up, with invented cases in several states and sample sign-ins."""

import asyncio
import secrets
import socket
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.table import Table

from gateway.cli.output import console, print_json
from gateway.cli.scene import new_document
from gateway.cli.serve import PARTS, run_until_signal
from gateway.domain.moves import Role
from gateway.domain.safeguards import Answers
from gateway.errors import GatewayError
from gateway.flow.draft import Held, Sent, Submission
from gateway.flow.holding import resume
from gateway.flow.loops import LOOPS, run
from gateway.flow.outbound import submit
from gateway.flow.ports import Runtime
from gateway.flow.statements import make_statement, release_statement
from gateway.settings import Settings
from gateway.stages import Submitted
from gateway.store import accounts, cases, inbox, outbox
from gateway.store.accounts import AccountRole
from gateway.store.database import reading, transaction
from gateway.store.worklist import Viewer
from gateway.trust.passwords import hash_password
from gateway.web.runtime import Signatory
from gateway.wiring import build, utc_now
from gateway.wiring.pages import web_runtime
from gateway.wiring.signing import keys_for

HOMES = ("BA-MS", "PK-MOI", "AT-BMI", "RS-MUP")
SEED_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """One sample account."""

    name: str
    role: AccountRole
    authority: str | None


SIGN_INS = (
    SignIn(name="officer.one@ba-ms", role=AccountRole.OFFICER, authority="BA-MS"),
    SignIn(name="officer.two@ba-ms", role=AccountRole.OFFICER, authority="BA-MS"),
    SignIn(name="liaison@pk-moi", role=AccountRole.LIAISON, authority="PK-MOI"),
    SignIn(name="officer@at-bmi", role=AccountRole.OFFICER, authority="AT-BMI"),
    SignIn(name="officer@rs-mup", role=AccountRole.OFFICER, authority="RS-MUP"),
    SignIn(name="operations", role=AccountRole.OPERATIONS, authority=None),
    SignIn(name="auditor", role=AccountRole.AUDITOR, authority=None),
)

# (authority, example, how far it goes): held without statement, waiting for the second officer, or sent.
EXHIBITS = (
    ("BA-MS", "own-national.xml", "sent"),
    ("BA-MS", "single-name.xml", "sent"),
    ("BA-MS", "expired-passport.xml", "made"),
    ("BA-MS", "diacritics.xml", "held"),
    ("AT-BMI", "accelerated.json", "sent"),
    ("AT-BMI", "own-national.json", "answered"),
)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def keep_up(base: Settings, *, port: int | None = None, as_json: bool = False) -> None:
    """Seed, print addresses and sign-ins, serve until interrupted."""
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="gateway-exhibition-"))
        settings = _settings(base, Path(folder), _free_port() if port is None else port)
        keys_of_process = stack.enter_context(keys_for(PARTS, settings, utc_now))
        seeding = build(settings, prepare_database=True, ring=keys_of_process.ring)
        password = secrets.token_urlsafe(9)
        keys = add_accounts(seeding, password)
        asyncio.run(add_cases(seeding))

        def announce(_listener: socket.socket | None) -> None:
            if as_json:
                print_json(_told(settings, password, keys))
            else:
                _print(settings, password, keys)
            sys.stdout.flush()  # whoever reads a pipe waits for it: nothing more comes until the end

        run_until_signal(list(PARTS), build(settings, ring=keys_of_process.ring), announce, keys_of_process.signs)


def _settings(base: Settings, folder: Path, port: int) -> Settings:
    values = {name: getattr(base, name) for name in Settings.__slots__}
    chosen = {"home": HOMES, "database": f"sqlite:///{folder / 'gateway.sqlite3'}", "port": port, "secure_cookies": False}
    return Settings(**values | chosen)


def add_accounts(rt: Runtime, password: str) -> dict[str, str]:
    """Add the sample accounts and an API key per authority; return the keys."""
    now = rt.clock()
    hashed = hash_password(password)
    with transaction(rt.engine) as tx:
        for sign_in in SIGN_INS:
            accounts.add_account(tx, name=sign_in.name, role=sign_in.role, authority=sign_in.authority, password=hashed, at=now)
        return {
            home: accounts.add_api_key(
                tx, authority=home, scopes=("submit", "inbox", "cases", "queues"), at=now, ends_at=now + timedelta(days=1)
            )
            for home in HOMES
        }


async def add_cases(rt: Runtime) -> None:
    """Hand in the exhibits, let them travel, and stop the loops again."""
    stop = asyncio.Event()
    loops = asyncio.create_task(run(list(LOOPS), rt, stop))
    try:
        results = [(_exhibit(rt, *exhibit), exhibit[2]) for exhibit in EXHIBITS]
        sent = sum(isinstance(result, Sent) for result, _ in results)
        await asyncio.wait_for(_quiet(rt, sent), SEED_SECONDS)
        answered = [_answer(rt, result) for result, how_far in results if isinstance(result, Sent) and how_far == "answered"]
        await asyncio.wait_for(_quiet(rt, sent + len(answered)), SEED_SECONDS)
    finally:
        stop.set()
        await loops


def _answer(rt: Runtime, sent: Sent) -> str:
    """Agree to an application as an officer of the requested authority; return the reply's message id."""
    with reading(rt.engine) as tx:
        case = next(case for case in cases.by_reference(tx, sent.case_reference) if case.role is Role.REQUESTED)
    assert case.id is not None
    return web_runtime(rt).answer(
        case_id=case.id,
        outcome="agreed",
        reasons=(),
        remarks="Travel document will be issued.",
        signatory=Signatory(name="Б. Узорак"),
        viewer=Viewer(account="officer@rs-mup", role=AccountRole.OFFICER, authority=case.home),
    )


def _exhibit(rt: Runtime, authority: str, example: str, how_far: str) -> Submission:
    """Hand in one example and let people act on it as far as it goes."""
    dialect = rt.partners.dialect(rt.partners.authority(authority).dialect)
    body = new_document(rt, dialect.id, example)
    item = Submitted(
        body=body, authority=authority, dialect=dialect.id, submitted_at=rt.clock(), actor=f"system@{authority.lower()}"
    )
    (result,) = submit([item], rt)
    if isinstance(result, Held) and how_far != "held":
        answers = Answers(
            return_decision=True,
            no_suspensive_appeal=True,
            no_asylum_claim=True,
            non_refoulement_assessed=True,
            best_interests_assessed=None,
        )
        make_statement(result.case_id, answers, actor="officer.one@ba-ms", rt=rt)
        if how_far in {"sent", "answered"}:
            release_statement(result.case_id, actor="officer.two@ba-ms", rt=rt)
            result = resume(result.case_id, "officer.two@ba-ms", rt)
    if isinstance(result, GatewayError):
        raise result
    return result


async def _quiet(rt: Runtime, sent: int) -> None:
    """Wait until everything that left has arrived and the receipts are back."""
    while True:
        with reading(rt.engine) as tx:
            arrived = sum(len(inbox.waiting(tx, home)) for home in HOMES)
            leaving = outbox.states(tx)
        if arrived >= sent and not leaving:
            return
        await asyncio.sleep(0.05)


def _told(settings: Settings, password: str, keys: dict[str, str]) -> dict[str, object]:
    return {
        "pages": f"http://{settings.host}:{settings.port}/",
        "api": f"http://{settings.host}:{settings.port}/api/v1/",
        "sign_ins": [
            {"name": each.name, "password": password, "role": str(each.role), "authority": each.authority} for each in SIGN_INS
        ],
        "api_keys": keys,
    }


def _print(settings: Settings, password: str, keys: dict[str, str]) -> None:
    out = console()
    out.print(f"Pages:  [bold]http://{settings.host}:{settings.port}/[/]")
    out.print(f"API:    http://{settings.host}:{settings.port}/api/v1/")
    out.print(f"Password of every sample account, made for this run: [bold]{password}[/]")
    table = Table("sign-in", "role", "authority")
    for sign_in in SIGN_INS:
        table.add_row(sign_in.name, str(sign_in.role), sign_in.authority or "all")
    out.print(table)
    for home, key in keys.items():
        out.print(f"API key of {home}:  {key}")
    out.print("All persons are invented specimens. Stop with Ctrl-C; everything is removed then.")
