"""The cookbook of mappings, run as a newcomer would: its files are written, its commands called, in the order of the page."""

from pathlib import Path

import pytest

from tests.cookbook import begin, steps
from tests.running import call


def test_every_recipe_of_the_cookbook_works_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(tmp_path)
    monkeypatch.chdir(tmp_path)
    run = 0
    for run, command in enumerate(steps(tmp_path), 1):  # noqa: B007 - counted
        done = call(*command.words[1:], monkeypatch=monkeypatch)
        said = " ".join(f"{done.out} {done.err}".split())
        assert done.code == command.code, f"{command.words}: {said}"
        for told in command.told:
            assert " ".join(told.split()) in said, f"{command.words}: {said}"
    assert run > 20
