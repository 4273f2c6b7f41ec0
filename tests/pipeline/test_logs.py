"""What a log line looks like, and what it never shows."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from pipeline.logs import configure


@pytest.fixture(autouse=True)
def unconfigured() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def lines(level: str, log_format: str) -> list[str]:
    stream = io.StringIO()
    configure(level, log_format, stream)
    log = structlog.get_logger()
    log.debug("quiet")
    log.info("batch recorded", hooks=3)
    return stream.getvalue().splitlines()


def test_json_is_one_document_a_line():
    document = json.loads(lines("INFO", "json")[0])

    assert {key: document[key] for key in ("event", "hooks", "level")} == {
        "event": "batch recorded",
        "hooks": 3,
        "level": "info",
    }


def test_text_is_for_humans():
    (line,) = lines("INFO", "text")

    assert "batch recorded" in line
    assert "hooks=3" in line
    assert "\033" not in line  # no colours where nobody looks


@pytest.mark.parametrize(("level", "count"), [("DEBUG", 2), ("INFO", 1), ("WARNING", 0)])
def test_the_level_is_kept(level, count):
    assert len(lines(level, "json")) == count


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_traceback_shows_no_values(log_format):
    stream = io.StringIO()
    configure("INFO", log_format, stream)

    def failing(address: str) -> None:
        raise ValueError(len(address))

    try:
        failing("robin@example.com".replace("robin", "marian"))
    except ValueError:
        structlog.get_logger().exception("failed")

    assert "ValueError: 18" in stream.getvalue()
    assert "marian@" not in stream.getvalue()
