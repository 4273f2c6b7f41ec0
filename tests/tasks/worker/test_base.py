"""What the log and the error of a failing task contain, and what they do not."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

import pytest
import structlog
from celery import Celery
from celery.exceptions import Ignore, SoftTimeLimitExceeded
from kombu.exceptions import OperationalError as BrokerAway
from redis import ConnectionError as RedisAway

from pipeline.core.errors import StaleFence
from tasks.worker.base import RedactedTask, TaskFailed, link_scope
from tasks.worker.soft_time_limit import SOFT_LIMIT_SIGNAL

app = Celery("test", task_cls=RedactedTask, set_as_current=False)


@app.task(name="test.fails")
def fails(error: Exception) -> None:
    raise error


@app.task(name="test.takes_long")
def takes_long() -> None:
    """Struck by the soft time limit where everything is caught."""
    with suppress(Exception):
        os.kill(os.getpid(), SOFT_LIMIT_SIGNAL)


@app.task(name="test.logs")
def logs() -> None:
    structlog.get_logger().info("here")


def test_an_error_leaves_the_task_without_its_text():
    with pytest.raises(TaskFailed) as caught:
        fails(KeyError("marian@example.com"))

    assert str(caught.value) == "KeyError in test.fails"
    assert caught.value.__suppress_context__


def test_an_error_is_logged_once_with_its_traceback():
    with structlog.testing.capture_logs() as lines, pytest.raises(TaskFailed):
        fails(KeyError("marian@example.com"))

    assert [(line["event"], line["log_level"]) for line in lines] == [("a task failed", "error")]


@pytest.mark.parametrize("error", [RedisAway("no one listens"), BrokerAway("no one listens")])
def test_an_unavailable_server_is_logged_in_one_line(error):
    with structlog.testing.capture_logs() as lines, pytest.raises(TaskFailed):
        fails(error)

    assert lines == [
        {"event": "task failed: server unavailable", "error": type(error).__name__, "log_level": "warning"}
    ]


@pytest.mark.parametrize("error", [StaleFence("lane 1/2"), Ignore()])
def test_our_own_errors_and_celerys_words_pass(error):
    with pytest.raises(type(error)):
        fails(error)


def test_the_soft_time_limit_is_no_fault_of_what_the_task_was_doing():
    with pytest.raises(SoftTimeLimitExceeded):
        takes_long()


def test_the_soft_time_limit_is_celerys_again_after_the_task():
    before = signal.getsignal(SOFT_LIMIT_SIGNAL)
    logs()

    assert signal.getsignal(SOFT_LIMIT_SIGNAL) == before


def test_every_line_of_a_task_names_it():
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        logs()

    assert lines[0]["task"] == "test.logs"


@app.task(name="test.runs_links")
def runs_links(error: Exception | None = None) -> None:
    with link_scope("hooks.validate"):
        structlog.get_logger().info("here")
        if error is not None:
            raise error


def test_every_line_of_a_link_names_it_whatever_task_it_runs_in():
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        runs_links()

    assert lines[0]["task"] == "hooks.validate"


def test_the_failure_of_a_link_has_its_name():
    with pytest.raises(TaskFailed) as caught:
        runs_links(KeyError("marian@example.com"))

    assert str(caught.value) == "KeyError in hooks.validate"


@app.task(name="test.calls_another")
def calls_another() -> None:
    fails(KeyError("marian@example.com"))


def test_the_failure_of_a_task_that_another_calls_is_reported_once():
    with structlog.testing.capture_logs() as lines, pytest.raises(TaskFailed) as caught:
        calls_another()

    assert [line["event"] for line in lines] == ["a task failed"]
    assert str(caught.value) == "KeyError in test.fails"
