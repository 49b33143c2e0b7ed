"""The settings of an empty gateway, and commands called with them."""

from pathlib import Path

import pytest

from tests.running import call, write_settings


@pytest.fixture
def config(tmp_path: Path, sqlite_url: str, keys: Path) -> Path:
    """Settings of an empty gateway with a file of calendar changes of its own."""
    return write_settings(tmp_path, keys, database=sqlite_url, calendar_changes=str(tmp_path / "changes.toml"))


@pytest.fixture
def told(config: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a command with --json and the settings; it must end with `code`."""

    def ask(*words: object, code: int = 0):
        done = call(*words, "--json", "--config", config, monkeypatch=monkeypatch)
        assert (done.code, done.err if code != 2 else "") == (code, ""), done
        return done.json

    return ask
