"""Bringing the database to this code's version in a process of its own, so that the one that stays keeps none of it in memory.

    python -m gateway.store.upgrading

It reads the address of the database from standard input, where no list of processes shows it, and says nothing or the line
of an error (gateway/error_lines.py) on standard output. Alembic and what a migration loads are 8 MB.
"""

import subprocess
import sys

from gateway.error_lines import heard, told
from gateway.errors import DatabaseNotReady, GatewayError
from gateway.store.database import is_current, open_engine, upgrade


def upgrade_apart(url: str) -> None:
    """Run the migrations that a database lacks; return at once where it lacks none.

    Raises `DatabaseNewer`, `DatabaseUnavailable`, `SettingsInvalid`; `DatabaseNotReady` for a migration that failed.
    """
    engine = open_engine(url)
    try:
        if is_current(engine):
            return
    finally:
        engine.dispose()
    words = [sys.executable, "-m", "gateway.store.upgrading"]
    done = subprocess.run(words, input=url, stdout=subprocess.PIPE, encoding="utf-8", check=False)  # noqa: S603 - our own words
    if done.returncode != 0:
        raise heard(done.stdout, DatabaseNotReady("a migration failed; try: gateway doctor --upgrade"))


def main(url: str) -> int:
    """Upgrade; return the exit code."""
    try:
        upgrade(open_engine(url))
    except GatewayError as error:
        sys.stdout.write(told(error))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.stdin.read()))
