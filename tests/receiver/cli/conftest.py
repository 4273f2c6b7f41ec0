from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner, Result

from receiver.cli import main
from tests.contracts.fake_track import FakeTrack, fake_track
from tests.installation import Installation


@dataclass(frozen=True)
class CommandLine:
    """Runs commands of one installation."""

    run: Callable[..., Result]

    def said(self, *typed: str) -> str:
        """The text output."""
        result = self.run(*typed)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *typed: str) -> Any:
        """The JSON document."""
        return json.loads(self.said(*typed, "--json"))

    def complaint(self, *typed: str, code: int = 1) -> str:
        """The text on stderr of a failed command; stdout is empty."""
        result = self.run(*typed)
        assert (result.exit_code, result.stdout) == (code, "")
        return result.stderr


@pytest.fixture
def shell(installed: Installation) -> CommandLine:
    return CommandLine(lambda *typed: CliRunner().invoke(main, typed, catch_exceptions=False))


@pytest.fixture
def track() -> Iterator[FakeTrack]:
    with fake_track() as track:
        yield track
