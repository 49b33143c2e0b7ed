"""What a gateway that runs keeps out of its memory: libraries that it may need one day are imported on that day.

Each of these processes runs for months. A library that is imported at the top of a module is loaded by every one of them, so
the names stand here; docs/decisions/0045 says what each costs.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import environment, write_settings

# What a gateway on SQLite with the embedded queue has no use for while nothing comes.
SERVING = (
    "alembic",  # upgrades, in a process of their own
    "mako",
    "rich",  # people's text
    "pygments",
    "jsonschema",  # why a JSON document is refused
    "xmlschema",
    "jinja2",  # pages
    "rapidfuzz",  # cases that resemble each other
    "hijridate",  # dates of other calendars
    "jdatetime",
    "psycopg",  # PostgreSQL
    "aio_pika",  # RabbitMQ
    "aiormq",
    "openpyxl",  # workbooks
    "fpdf",
    "weasyprint",  # forms on paper
    "pypdf",
    "pyhanko",
    "segno",
    "signxml",  # signatures of partners with another stack
    "xmlsec",
    "pkcs11",
    "holidays",
    "gateway.simulation",
    "gateway.wire.guessing",
    "gateway.wire.drafting",
    "gateway.cli.demo",
)
# A process that signs has no parser, no database and no network in its memory.
SIGNING = (
    "lxml",
    "structlog",
    "asyncio",
    "ssl",
    "sqlalchemy",
    "fastapi",
    "typer",
    "rich",
    "asn1crypto",
    "tempfile",
    "subprocess",
)

START = """
import sys
from pathlib import Path
import gateway.cli.main, gateway.cli.serve as serve
from gateway.settings import load
settings = load(Path(sys.argv[1]))
serve.log.set_up(as_json=True)
with serve.keys_for(list(serve.PARTS), settings, serve.utc_now) as keys:
    rt = serve.build(settings, prepare_database=True, ring=keys.ring)
    serve.server(rt)
"""


def loaded(program: str, *words: object) -> set[str]:
    """The modules of a fresh interpreter after `program`."""
    tell = "\nimport json\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program + tell, *map(str, words)],
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    return set(json.loads(done.stdout))


@pytest.fixture(scope="module")
def of_serve() -> set[str]:
    return loaded("import sys, gateway.cli.main, gateway.cli.serve")


@pytest.mark.parametrize("name", SERVING)
def test_gateway_serve_does_not_import(name: str, of_serve: set[str]) -> None:
    assert name not in of_serve


def test_what_is_kept_out_is_told_from_what_is_there(of_serve: set[str]) -> None:
    assert {"sqlalchemy", "fastapi", "lxml", "cryptography", "gateway.flow.loops", "gateway.web.app"} <= of_serve


def test_gateway_that_was_built_has_loaded_none_of_it_either(tmp_path: Path, sqlite_url: str, keys: Path) -> None:
    config = write_settings(tmp_path, keys, database=sqlite_url)
    found = loaded(START, config)
    assert "structlog" in found
    assert found.isdisjoint(SERVING)


@pytest.fixture(scope="module")
def of_signer() -> set[str]:
    return loaded("import sys, gateway.trust.signer_process")


@pytest.mark.parametrize("name", SIGNING)
def test_signer_does_not_import(name: str, of_signer: set[str]) -> None:
    assert "cryptography" in of_signer
    assert name not in of_signer
