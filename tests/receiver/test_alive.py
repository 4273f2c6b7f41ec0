"""A check fails only because of the process that it checks. `supervisor/test_run.py` tests that they succeed."""

from __future__ import annotations

import pytest

from pipeline.infra.embedded_valkey import find_free_port
from pipeline.settings import Settings
from receiver.alive import CHECKS
from tasks.app import app
from tasks.config import celery_config


@pytest.fixture
def settings(installed):
    """An installation with a broker and no process."""
    app.conf.update(celery_config(installed.process.settings))
    app._after_fork()
    return installed.process.settings


@pytest.fixture
def nowhere(tmp_path):
    """An installation whose Redis is away, and with it the broker."""
    away = Settings.from_environment(
        {"REDIS_URL": f"redis://127.0.0.1:{find_free_port()}/0", "CRATEWIRE_DATA_DIR": str(tmp_path)}
    )
    app.conf.update(celery_config(away))
    app._after_fork()
    return away


@pytest.mark.parametrize("name", ["worker", "backfill", "beat"])
def test_what_does_not_run_is_not_alive(settings, name):
    assert not CHECKS[name](settings)


@pytest.mark.parametrize("name", ["web", "flower"])
def test_what_does_not_listen_is_not_alive(installed, name):
    port = {"PORT": str(find_free_port()), "CRATEWIRE_FLOWER_PORT": str(find_free_port())}

    assert not CHECKS[name](Settings.from_environment({**installed.environment, **port}))


@pytest.mark.parametrize("name", ["worker", "backfill", "beat"])
def test_no_check_fails_because_redis_is_away(nowhere, name):
    assert CHECKS[name](nowhere)
