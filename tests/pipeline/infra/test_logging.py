"""What a log line looks like, and what it never shows."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest
import structlog

from pipeline.core.errors import StaleFence
from pipeline.infra.logging import configure, install_exception_hooks


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    others = sys.unraisablehook, warnings.showwarning
    handlers, level = root.handlers, root.level
    yield
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level
    sys.excepthook, threading.excepthook = hooks
    sys.unraisablehook, warnings.showwarning = others


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


def test_text_is_for_people():
    (line,) = lines("INFO", "text")

    assert "batch recorded" in line
    assert "hooks=3" in line
    assert "\033" not in line  # no colours in a file


@pytest.mark.parametrize(("level", "count"), [("DEBUG", 2), ("INFO", 1), ("WARNING", 0)])
def test_the_level_is_kept(level, count):
    assert len(lines(level, "json")) == count


def raising(error: Exception) -> None:
    raise error


def log_error(log_format: str, error: Exception) -> str:
    stream = io.StringIO()
    configure("INFO", log_format, stream)
    try:
        raising(error)
    except type(error):
        structlog.get_logger().exception("failed", receipt="r1")
    return stream.getvalue()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_traceback_shows_the_frames_and_the_type_but_no_values(log_format):
    text = log_error(log_format, KeyError("marian@example.com"))

    assert "in raising" in text
    assert "KeyError" in text
    assert "marian@" not in text


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_an_error_of_ours_is_logged_with_its_message(log_format):
    assert "StaleFence: lane 1/2: token 3, newest 4" in log_error(log_format, StaleFence("lane 1/2: token 3, newest 4"))


def test_a_cause_is_logged_without_its_message():
    cause, caught = KeyError("marian@example.com"), ValueError("marian")
    try:
        raising(cause)
    except KeyError:
        caught.__cause__ = cause

    assert "KeyError\n\nafter which:\n" in log_error("text", caught)
    assert "marian" not in log_error("text", caught)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_other_libraries_log_in_the_same_form(log_format):
    stream = io.StringIO()
    configure("INFO", log_format, stream)

    logging.getLogger("granian").info("listening at %s", "a port", extra={"port": 80})

    line = stream.getvalue()
    assert "listening at a port" in line
    assert ('"port": 80' if log_format == "json" else "port=80") in line


def test_celery_logs_warnings_only():
    stream = io.StringIO()
    configure("DEBUG", "text", stream)

    logging.getLogger("celery.worker.strategy").info("Task hooks.decode received")
    logging.getLogger("celery.worker").warning("connection lost")

    assert "received" not in stream.getvalue()
    assert "connection lost" in stream.getvalue()


def test_a_message_of_an_unknown_task_is_logged_without_its_content():
    stream = io.StringIO()
    configure("INFO", "text", stream)

    text = "Received unregistered task of type %s.\n\nThe full contents of the message body was:\n%s"
    logging.getLogger("celery.worker.consumer.consumer").error(text, "hooks.new", "marian@example.com")

    assert "hooks.new" in stream.getvalue()
    assert "marian" not in stream.getvalue()


TRACE = """Traceback (most recent call last):
  File "/srv/receiver/front.py", line 51, in __rsgi__
    answer = await self._page(scope, http)
             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
KeyError: 'marian@example.com'"""


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (f"Application callable raised an exception\n{TRACE}", 'front.py", line 51, in __rsgi__'),
        ("Task exception was never retrieved\nfuture: <Task exception=KeyError('marian')>", "never retrieved"),
        ("Exception in callback Front.send('marian')\nhandle: <Handle Front.send('marian')>", "Exception"),
    ],
)
def test_a_server_logs_an_error_without_its_message(text, kept):
    stream = io.StringIO()
    configure("INFO", "text", stream)

    logging.getLogger("_granian").error(text)

    assert kept in stream.getvalue()
    assert "marian" not in stream.getvalue()


def test_a_warning_is_logged_by_its_category_and_location():
    stream = io.StringIO()
    configure("INFO", "text", stream)
    install_exception_hooks()

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("marian@example.com is no date", stacklevel=1)

    assert "kind=UserWarning" in stream.getvalue()
    assert "test_logging.py:" in stream.getvalue()
    assert "marian" not in stream.getvalue()


class Leaving:
    def __init__(self, whose: str) -> None:
        self.whose = whose

    def __del__(self) -> None:
        raise KeyError(self.whose)


def test_an_error_that_no_caller_can_catch_is_logged_without_its_message(capsys):
    stream = io.StringIO()
    configure("INFO", "text", stream)
    install_exception_hooks()

    Leaving("marian@example.com")

    assert "in __del__" in stream.getvalue()
    assert "marian" not in stream.getvalue() + capsys.readouterr().err


def test_an_error_that_ends_a_thread_is_logged_without_its_message(capsys):
    stream = io.StringIO()
    configure("INFO", "text", stream)
    install_exception_hooks()

    thread = threading.Thread(target=raising, args=(KeyError("marian@example.com"),))
    thread.start()
    thread.join()

    assert "KeyError" in stream.getvalue()
    assert "marian" not in stream.getvalue() + capsys.readouterr().err
