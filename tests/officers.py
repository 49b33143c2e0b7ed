"""RS-MUP without a system: officers with a browser, who read what came (page), or print and carry it (paper)."""

import re
from typing import Any

from starlette.testclient import TestClient

from gateway.edge.port import Edge
from gateway.flow.edges import edge_of, serve_edge
from gateway.flow.paper_tasks import to_send
from gateway.flow.ports import Runtime
from gateway.store import accounts, inbox
from gateway.store.database import reading, transaction
from gateway.store.inbox import InboxRow
from gateway.web.api import ROUTERS
from gateway.web.app import create_app
from gateway.web.wording import document_text
from gateway.wiring.pages import web_runtime
from tests.authority_systems import AUTHORITY, connected
from tests.gateways import Gateway


class Officer:
    """A liaison officer of RS-MUP with a browser and nothing else."""

    def __init__(self, rt: Runtime) -> None:
        app = create_app(web_runtime(rt), routers=ROUTERS)
        app.state.gateway = rt
        self.client = TestClient(app, base_url="https://gateway.test", follow_redirects=False)
        with transaction(rt.engine) as tx:
            accounts.add_account(tx, name="liaison", role="liaison", authority=AUTHORITY, password="x", at=rt.clock())
            token, _ = accounts.open_session(tx, accounts.find(tx, "liaison"), now=rt.clock())
        self.client.cookies.set("__Host-session", token, domain="gateway.test", path="/")

    def fetch(self, path: str) -> bytes:
        answer = self.client.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:300])
        return answer.content

    def get(self, path: str) -> str:
        return self.fetch(path).decode()

    def post(self, path: str, *, upload: bool = False, **data: str) -> Any:
        """Send the form of a page; `upload` sends it as a form that has room for a file, without one."""
        token = re.findall(r'name="form_token" value="([^"]+)"', self.get(path))[-1]
        files = {"file": ("", b"", "application/pdf")} if upload else None
        return self.client.post(path, data={"form_token": token, **data}, files=files)


class PageSystem:
    """Its officer reads on the pages."""

    kind = "page"

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = connected(gateway, self.kind)
        self.rt = self.gateway.rt
        self.officer = Officer(self.rt)
        self._received: list[bytes] = []
        self._files: set[str] = set()
        self._away = False

    def edge(self) -> Edge:
        return edge_of(AUTHORITY, self.rt)

    def turn(self) -> int:
        """Let the officer read all that waits."""
        assert serve_edge(AUTHORITY, self.edge(), self.rt) == 0
        rows = [] if self._away else self.waiting()
        for row in rows:
            self._read(row)
            self.settle(row)
        return len(rows)

    def waiting(self) -> list[InboxRow]:
        with reading(self.rt.engine) as tx:
            return inbox.waiting(tx, AUTHORITY)

    def _read(self, row: InboxRow) -> None:
        page = self.officer.get(f"/cases/{row.case_id}")
        for file in re.findall(rf'href="(/cases/{row.case_id}/attachments/[0-9a-f]{{64}})"', page):
            if file not in self._files:
                self._files.add(file)
                self._received.append(self.officer.fetch(f"{file}?purpose=case-work"))
        (line,) = [part for part in page.split("<tr") if f"/print/{row.message_id}" in part]
        (document,) = [
            path for path, text in re.findall(r'href="(/documents/\d+)">([^<]+)<', line) if text == document_text("translated")
        ]
        self._received.append(self.officer.fetch(f"{document}?purpose=case-work"))

    def settle(self, row: InboxRow) -> None:
        """Reading has acknowledged it."""
        assert row not in self.waiting()

    def received(self) -> list[bytes]:
        return list(dict.fromkeys(self._received))

    def fail(self) -> None:
        self._away = True

    def heal(self) -> None:
        self._away = False


class PaperSystem(PageSystem):
    """An officer of the gateway prints what is there, has it carried, and records each delivery."""

    kind = "paper"

    def waiting(self) -> list[InboxRow]:
        return to_send(self.rt, homes=[AUTHORITY])

    def settle(self, row: InboxRow) -> None:
        """Reading acknowledges nothing here; the proof of delivery does."""
        assert row in self.waiting()
        printed = self.officer.get(f"/cases/{row.case_id}/print/{row.message_id}?purpose=case-work&way=view")
        assert row.message_id in printed
        now = self.rt.clock()
        done = self.officer.post(
            f"/cases/{row.case_id}/delivery/{row.message_id}",
            upload=True,
            kind="courier",
            day=f"{now:%Y-%m-%d}",
            time=f"{now:%H:%M}",
            zone="UTC",
            reference="RX 000 000 000 RS",
        )
        assert done.status_code == 303, done.text
        assert row not in self.waiting()
