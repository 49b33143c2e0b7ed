"""A database with cases in several states, and a runtime whose acts write to it: what page tests run against.

The persons are specimens in the style of ICAO 9303. Nothing here encrypts: documents are kept in a dictionary.
"""

# ruff: noqa: RUF001 - names in Cyrillic letters are what the pages must show

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import Mock

from sqlalchemy import insert, select, update

from gateway.domain.safeguards import Answers
from gateway.errors import Erased, NotFound, StatementInvalid, TransitionNotAllowed
from gateway.flow.evidence_clock import Standing
from gateway.partners import Partners, load
from gateway.partners.folder import Authority
from gateway.settings import Settings, data_folder
from gateway.store import accounts, attachments, journal
from gateway.store import tables as t
from gateway.store.attachments import AttachmentRow
from gateway.store.database import Database, open_engine, reading, transaction, upgrade
from gateway.store.worklist import Viewer
from gateway.trust.passwords import hash_password
from gateway.web.paper_desk import PaperDesk
from gateway.web.runtime import PersonView, Reason, Signatory, WebRuntime

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)  # a Tuesday
PASSWORD = "correct horse battery"

ACCOUNTS: Mapping[str, tuple[str, str | None]] = {
    "ba-officer": ("officer", "BA-MS"),
    "ba-second": ("officer", "BA-MS"),
    "ba-auditor": ("auditor", "BA-MS"),
    "pk-liaison": ("liaison", "PK-MOI"),
    "rs-officer": ("officer", "RS-MUP"),
    "at-officer": ("officer", "AT-BMI"),
    "ops": ("operations", None),
    "auditor": ("auditor", None),
}

PARTNERS = Partners(
    partners=load(data_folder("partners")).partners,
    authorities={
        code: Authority(
            code=code,
            state=code[:2],
            partner=code[:2].lower(),
            name=name,
            own_name=name,
            dialect="",
            edge="page",
            language="en",
            zone=zone,
            calendar=code[:2].lower(),
        )
        for code, name, zone in (
            ("BA-MS", "Ministry of Security of Bosnia and Herzegovina", "Europe/Sarajevo"),
            ("PK-MOI", "Ministry of Interior of Pakistan", "Asia/Karachi"),
            ("RS-MUP", "Ministry of the Interior of Serbia", "Europe/Belgrade"),
            ("AT-BMI", "Federal Ministry of the Interior of Austria", "Europe/Vienna"),
        )
    },
    dialects={},
)

URDU = PersonView(name="نمونہ سپیسیمن", script="Arab", latin="NAMUNA SPECIMEN", born="1990", nationalities=("PK",))
CYRILLIC = PersonView(name="УЗОРАК ПРИМЕР", script="Cyrl", latin="UZORAK PRIMER", born="1985-02-28", nationalities=("RS",))
LATIN = PersonView(name="ŠĆEKIĆ SPECIMEN", script="Latn", latin=None, born=None, nationalities=("unknown",))
UNNAMED = PersonView(name=None, script=None, latin=None, born="2001-07", nationalities=("stateless",))

PK_OPEN, BA_WAITING, BA_HELD, BA_MADE, RS_SOON, RS_OVERDUE, AT_WAITING, PK_AGREED, RS_ERASED = range(1, 10)
APPLICATION_DOCUMENT = 1  # of PK_OPEN, in the ministry's own format


@cache
def _hash() -> str:
    return hash_password(PASSWORD)


class NoIdentification:
    """The seeded cases have no documents to compare; tests/flow/test_identification_pages.py has a whole gateway."""

    def found(self, *, case_id: int, viewer: Viewer) -> tuple[Sequence[Any], Sequence[Any]]:
        return (), ()

    def hint(self, *, case_id: int, other_id: int, viewer: Viewer) -> Any:
        raise NotFound("these two cases share nothing that can be compared")

    def decide(self, **_decision: Any) -> None:
        raise NotFound("there is no such case")

    def compare(self, *, case_id: int, zone: str, viewer: Viewer) -> Any:
        raise NotFound("there is no such case")


@dataclass
class Seed:
    """The runtime of the pages, and what was asked of it."""

    engine: Database
    now: datetime = NOW
    secure: bool = False
    folder: Path = Path()
    persons: dict[int, PersonView] = field(default_factory=dict)
    bodies: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    statements: dict[int, Answers] = field(default_factory=dict)
    answers: list[dict[str, Any]] = field(default_factory=list)
    reads: list[tuple[int, str, str]] = field(default_factory=list)
    still_held: str | None = None
    standing: Standing | None = None

    def runtime(self) -> WebRuntime:
        return WebRuntime(
            engine=self.engine,
            clock=lambda: self.now,
            settings=Settings(
                name="seed",
                home=tuple(PARTNERS.authorities),
                partners=self.folder,
                schemas=self.folder,
                secure_cookies=self.secure,
            ),
            known_partners=lambda: PARTNERS,
            answer=self.answer,
            make_statement=self.make_statement,
            release_statement=self.release_statement,
            read_statement=self.read_statement,
            read_document=self.read_document,
            read_attachment=self.read_attachment,
            person_of=self.person_of,
            identification=NoIdentification(),
            journal=self.journal,
            evidence=lambda: self.standing,
            paper=Mock(spec=PaperDesk),  # its pages are tested on a whole gateway: tests/flow/test_paper_pages.py
        )

    def journal(
        self,
        *,
        event: str,
        actor: str,
        authority: str | None = None,
        case_id: int | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        entry = journal.Entry(at=self.now, event=event, actor=actor, authority=authority, case_id=case_id, detail=detail or {})
        with transaction(self.engine) as tx:
            journal.append(tx, [entry])

    def events(self, event: str) -> list[Any]:
        with reading(self.engine) as connection:
            return list(connection.execute(select(t.journal).where(t.journal.c.event == event).order_by(t.journal.c.id)))

    def answer(
        self,
        *,
        case_id: int,
        outcome: str,
        reasons: Sequence[Reason],
        remarks: str | None,
        signatory: Signatory,
        viewer: Viewer,
    ) -> str:
        """Write what a real answer leaves behind: the reply, its receipt, the case's new state."""
        message_id = f"0193{case_id:04d}-0000-7000-8000-000000000000"
        with transaction(self.engine) as tx:
            case = tx.execute(select(t.cases).where(t.cases.c.id == case_id)).one()
            if case.state != "requested":
                raise TransitionNotAllowed("a case that is agreed does not take agreement")
            self.answers.append(
                {"case_id": case_id, "outcome": outcome, "reasons": list(reasons), "remarks": remarks, "signatory": signatory}
            )
            tx.execute(update(t.cases).where(t.cases.c.id == case_id).values(state=outcome))
            tx.execute(update(t.deadlines).where(t.deadlines.c.case_id == case_id).values(state="met"))
            receipt = f"0193{case_id:04d}-0000-7000-8000-00000000aaaa"
            add_message(
                tx,
                case,
                "out",
                "ReadmissionReply",
                message_id,
                at=self.now,
                outcome="received",
                receipt=receipt,
                received_at=self.now,
            )
            row = add_message(tx, case, "in", "Receipt", receipt, at=self.now, outcome="accepted", of_case=False)
            document = add_document(tx, row, "receipt", "application/xml")
            self.bodies[document] = ("application/xml", b"<Receipt><Item/></Receipt>")
            sent = journal.Entry(
                at=self.now,
                event="message.sent",
                actor=viewer.account,
                authority=case.home,
                case_id=case_id,
                message_id=message_id,
            )
            journal.append(tx, [sent])
        return message_id

    def make_statement(self, *, case_id: int, answers: Answers, viewer: Viewer) -> None:
        self.statements[case_id] = answers
        with transaction(self.engine) as tx:
            tx.execute(t.statements.delete().where(t.statements.c.case_id == case_id))
            add_statement(tx, case_id, by=viewer.account, at=self.now)

    def release_statement(self, *, case_id: int, viewer: Viewer, read: datetime) -> str | None:
        with transaction(self.engine) as tx:
            made = tx.execute(select(t.statements).where(t.statements.c.case_id == case_id)).one()
            assert made.made_at == read
            if made.made_by == viewer.account:
                raise StatementInvalid("the officer who made a statement cannot release it")
            tx.execute(
                update(t.statements)
                .where(t.statements.c.case_id == case_id)
                .values(released_by=viewer.account, released_at=self.now)
            )
            if self.still_held is None:
                tx.execute(update(t.cases).where(t.cases.c.id == case_id).values(state="requested"))
                tx.execute(
                    update(t.holds).where(t.holds.c.case_id == case_id).values(ended_at=self.now, ended_by=viewer.account)
                )
        return self.still_held

    def read_statement(self, *, case_id: int, viewer: Viewer) -> Answers:
        del viewer
        return self.statements[case_id]

    def read_attachment(
        self, *, case_id: int, sha256: str, viewer: Viewer, purpose: str
    ) -> tuple[AttachmentRow, Iterator[bytes]]:
        """Return a file; journalled by the walk itself."""
        with reading(self.engine) as tx:
            row = attachments.by_digest(tx, case_id)[sha256]
        self.journal(event="attachment.read", actor=viewer.account, case_id=case_id, detail={"purpose": purpose})
        return row, iter([b"file"])

    def read_document(self, *, document_id: int, viewer: Viewer, purpose: str) -> tuple[str, bytes]:
        self.reads.append((document_id, viewer.account, purpose))
        if document_id not in self.bodies:
            raise Erased("the contents of this case were erased")
        return self.bodies[document_id]

    def person_of(self, *, case_id: int, viewer: Viewer) -> PersonView | None:
        assert viewer.sees_persons, "a page asked for a person on behalf of a role that sees none"
        return self.persons.get(case_id)


def add_case(tx: Any, case_id: int, home: str, other: str, role: str, state: str, **more: Any) -> None:
    row = {
        "id": case_id,
        "home": home,
        "counterparty": other,
        "reference": f"CASE{case_id:02d}ABCDEFGHIJKLMNOPQR",
        "national_reference": None,
        "role": role,
        "state": state,
        "treaty": "ba-pk",
        "treaty_version": "2026-11-01",
        "procedure": "ordinary",
        "category": "national",
        "ground": "national",
        "schema_version": "1.0",
        "wrapped_key": b"key",
        "opened_at": NOW - timedelta(days=4),
        "changed_at": NOW - timedelta(days=4),
    }
    tx.execute(insert(t.cases).values(row | more))


def add_deadline(
    tx: Any, case_id: int, due: date | None, *, rolled: date | None = None, zone: str = "Europe/Belgrade", **more: Any
) -> None:
    def end(day: date | None) -> datetime | None:
        return None if day is None else datetime(day.year, day.month, day.day, 23, 0, tzinfo=UTC)

    explain = ["The application was received on Fri 20 Nov 2026; that day does not count.", "Ten calendar days follow."]
    if due is None:
        explain = ["No verified number of days is on record for this agreement.", "No date is guessed."]
    row = {
        "case_id": case_id,
        "limit_id": "reply",
        "must_act": "requested",
        "started_at": NOW - timedelta(days=4),
        "known": due is not None,
        "due_on": due,
        "due_until": end(due),
        "rolled_on": rolled or due,
        "rolled_until": end(rolled or due),
        "lapses_at": end(rolled or due),
        "on_lapse": "agreed" if due else "nothing",
        "source": "Art. 10(2)" if due else "not known",
        "confidence": "verified" if due else "unverified",
        "treaty_version": "2026-11-01",
        "calendar_version": "2026.1" if due else None,
        "state": "open",
        "detail": {"zone": zone, "unit": "calendar-days", "explain": explain},
        "changed_at": NOW,
    }
    case = tx.execute(select(t.cases.c.home, t.cases.c.role).where(t.cases.c.id == case_id)).one()
    row |= more
    tx.execute(insert(t.deadlines).values(row | {"home": case.home, "ours": row["must_act"] == case.role}))


def add_message(
    tx: Any,
    case: Any,
    direction: str,
    kind: str,
    message_id: str,
    *,
    at: datetime,
    outcome: str,
    receipt: str | None = None,
    received_at: datetime | None = None,
    of_case: bool = True,
    code: str | None = None,
) -> int:
    sender, recipient = (case.counterparty, case.home) if direction == "in" else (case.home, case.counterparty)
    row = {
        "direction": direction,
        "sender": sender,
        "recipient": recipient,
        "message_id": message_id,
        "case_id": case.id if of_case else None,
        "type": kind,
        "digest": "ab" * 32,
        "created_at": at,
        "sent_at": at if direction == "out" and outcome not in {"waiting", "parked"} else None,
        "received_at": at if direction == "in" else received_at,
        "outcome": outcome,
        "receipt_message_id": receipt,
        "code": code,
    }
    return int(tx.execute(insert(t.messages).values(row).returning(t.messages.c.id)).scalar_one())


def add_document(tx: Any, message_row: int, kind: str, media_type: str) -> int:
    row = {"message_row": message_row, "kind": kind, "media_type": media_type, "sha256": "cd" * 32, "body": b"sealed"}
    return int(tx.execute(insert(t.documents).values(row).returning(t.documents.c.id)).scalar_one())


def add_statement(tx: Any, case_id: int, *, by: str, at: datetime) -> None:
    tx.execute(insert(t.statements).values(case_id=case_id, body=b"sealed", complete=True, made_by=by, made_at=at))


def add_hold(tx: Any, case_id: int, reason: str) -> None:
    tx.execute(
        insert(t.holds).values(
            case_id=case_id,
            reason=reason,
            body=b"sealed",
            original=b"sealed",
            dialect="ba/ms-xml",
            actor="ba-officer",
            created_at=NOW,
        )
    )


PK_FORM = {
    "documentType": "READMISSION_REQUEST",
    "caseNumber": "CASE-01AB",
    "person": {
        "fullName": "NAMUNA SPECIMEN",
        "nameInUrdu": "نمونہ سپیسیمن",
        "yearOfBirth": 1990,
        "nationalities": ["PAK"],
        "interviewRequested": True,
    },
    "evidence": [{"code": "N1-02", "description": "Expired passport"}, {"code": "N2-04"}],
}


def seed(folder: Path, *, secure: bool = False) -> Seed:
    """Return a seeded database in `folder` and its runtime."""
    engine = open_engine(f"sqlite:///{folder / 'pages.sqlite3'}")
    upgrade(engine)
    return filled(Seed(engine=engine, secure=secure, folder=folder))


def filled(made: Seed) -> Seed:
    """Fill a database that has all migrations and no rows."""
    with transaction(made.engine) as tx:
        for name, (role, authority) in ACCOUNTS.items():
            accounts.add_account(tx, name=name, role=role, authority=authority, password=_hash(), at=NOW)
        _cases(tx, made)
        _flow(tx)
    return made


def copied(template: Seed, folder: Path) -> Seed:
    """Return a copy of a seeded database in `folder`; the template must not be open."""
    shutil.copy(template.folder / "pages.sqlite3", folder / "pages.sqlite3")
    return replace(
        template,
        engine=open_engine(f"sqlite:///{folder / 'pages.sqlite3'}"),
        folder=folder,
        persons=dict(template.persons),
        bodies=dict(template.bodies),
        statements=dict(template.statements),
        answers=[],
        reads=[],
    )


def _cases(tx: Any, made: Seed) -> None:
    add_case(tx, PK_OPEN, "PK-MOI", "BA-MS", "requested", "requested")
    add_case(tx, BA_WAITING, "BA-MS", "PK-MOI", "requesting", "requested", national_reference="MS-2026/0417")
    add_case(tx, BA_HELD, "BA-MS", "PK-MOI", "requesting", "held", national_reference="MS-2026/0455")
    add_case(tx, BA_MADE, "BA-MS", "PK-MOI", "requesting", "held", national_reference="MS-2026/0456")
    rs = {"treaty": "eu-rs"}
    add_case(
        tx, RS_SOON, "RS-MUP", "AT-BMI", "requested", "requested", procedure="accelerated", national_reference="02-117/26", **rs
    )
    add_case(tx, RS_OVERDUE, "RS-MUP", "AT-BMI", "requested", "requested", ground="third-country-entry", **rs)
    add_case(tx, AT_WAITING, "AT-BMI", "RS-MUP", "requesting", "requested", national_reference="BMI-991", **rs)
    add_case(tx, PK_AGREED, "PK-MOI", "BA-MS", "requested", "agreed")
    add_case(tx, RS_ERASED, "RS-MUP", "AT-BMI", "requested", "refused", wrapped_key=None, **rs)
    for case_id in (PK_OPEN, BA_WAITING):
        add_deadline(tx, case_id, None, zone="Asia/Karachi")
    add_deadline(tx, RS_SOON, date(2026, 11, 25))
    add_deadline(tx, RS_OVERDUE, date(2026, 11, 22), rolled=date(2026, 11, 23))
    add_deadline(tx, AT_WAITING, date(2026, 11, 29), rolled=date(2026, 11, 30))
    add_deadline(
        tx, PK_AGREED, date(2026, 11, 20), zone="Asia/Karachi", state="met", confidence="operator", source="set by the operator"
    )
    add_hold(tx, BA_HELD, "statement-missing")
    add_hold(tx, BA_MADE, "statement-not-released")
    add_statement(tx, BA_MADE, by="ba-officer", at=NOW - timedelta(hours=2))
    made.statements[BA_MADE] = Answers(
        return_decision=True,
        no_suspensive_appeal=True,
        no_asylum_claim=True,
        non_refoulement_assessed=True,
        best_interests_assessed=None,
    )
    shown = {PK_OPEN: URDU, BA_WAITING: URDU, PK_AGREED: URDU, BA_HELD: LATIN, BA_MADE: UNNAMED}
    made.persons.update(shown | dict.fromkeys((RS_SOON, RS_OVERDUE, AT_WAITING), CYRILLIC))
    entries = []
    for case_id in (PK_OPEN, BA_WAITING, RS_SOON, RS_OVERDUE, AT_WAITING):
        case = tx.execute(select(t.cases).where(t.cases.c.id == case_id)).one()
        direction = "in" if case.role == "requested" else "out"
        message_id = f"0193{case_id:04d}-0000-7000-8000-00000000bbbb"
        outcome = "accepted" if direction == "in" else "received"
        row = add_message(
            tx,
            case,
            direction,
            "ReadmissionApplication",
            message_id,
            at=NOW - timedelta(hours=3),
            outcome=outcome,
            receipt=None if direction == "in" else f"0193{case_id:04d}-0000-7000-8000-00000000cccc",
            received_at=None if direction == "in" else NOW - timedelta(hours=3, minutes=-1),
        )
        document = add_document(tx, row, "translated" if direction == "in" else "original", "application/json")
        made.bodies[document] = ("application/json", json.dumps(PK_FORM, ensure_ascii=False).encode())
        signed = add_document(tx, row, "signed", "application/xml")
        made.bodies[signed] = ("application/xml", b'<Envelope version="1.0"><A><B>text</B></A></Envelope>')
        entries.append(
            journal.Entry(
                at=NOW - timedelta(hours=3),
                event="message.received" if direction == "in" else "message.sent",
                actor=case.counterparty if direction == "in" else "ba-officer",
                authority=case.home,
                case_id=case_id,
                message_id=message_id,
            )
        )
    entries.append(
        journal.Entry(
            at=NOW,
            event="message.held",
            actor="ba-officer",
            authority="BA-MS",
            case_id=BA_HELD,
            detail={"reason": "statement-missing"},
        )
    )
    journal.append(tx, entries)


def _flow(tx: Any) -> None:
    case = tx.execute(select(t.cases).where(t.cases.c.id == AT_WAITING)).one()
    for number in range(3):
        message_id = f"0193ffff-0000-7000-8000-{number:012d}"
        parked = number == 0
        row = add_message(
            tx,
            case,
            "out",
            "ReadmissionApplication",
            message_id,
            at=NOW - timedelta(hours=number),
            outcome="parked" if parked else "waiting",
        )
        tx.execute(
            insert(t.outbox).values(
                message_row=row,
                message_id=message_id,
                sender="AT-BMI",
                recipient="RS-MUP",
                body=b"sealed",
                attempts=4,
                next_at=NOW,
                created_at=NOW - timedelta(hours=number),
                turn_at=NOW - timedelta(hours=number),
                parked_at=NOW if parked else None,
                code="broker-unavailable",
            )
        )
    for number in range(4):
        add_message(
            tx,
            case,
            "in",
            "ReadmissionReply",
            f"0193eeee-0000-7000-8000-{number:012d}",
            at=NOW - timedelta(hours=number),
            outcome="refused",
            code="schema-violation",
            of_case=False,
        )
    tx.execute(
        insert(t.queue).values(
            name="BA-MS",
            message_id="q",
            sender="PK-MOI",
            body=b"sealed",
            attempts=0,
            available_at=NOW,
            enqueued_at=NOW - timedelta(minutes=5),
        )
    )
    received = (
        tx.execute(select(t.messages.c.id).where(t.messages.c.direction == "in", t.messages.c.recipient == "PK-MOI"))
        .scalars()
        .first()
    )
    tx.execute(
        insert(t.inbox).values(authority="PK-MOI", message_row=received, case_id=PK_OPEN, dialect="pk/moi-json", arrived_at=NOW)
    )
