from __future__ import annotations

from collections.abc import Iterator

import pytest
from kombu import pools
from redis import Redis

from pipeline.processing import chain_run
from tasks import process
from tasks.app import app
from tasks.config import celery_config
from tasks.worker import background_calls, backpressure
from tests.contracts.fake_track import FakeTrack, fake_track
from tests.installation import Installation


@pytest.fixture(autouse=True)
def broker(installed: Installation) -> Iterator[None]:
    """Celery's app of this process, bound to the test's broker, whatever it was bound to before."""
    app.conf.update(celery_config(installed.process.settings))
    app._after_fork()
    app.loader.import_default_modules()
    backpressure._noted_at.clear()
    yield
    pools.reset()
    app._after_fork()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let calls take long on a busy machine; tests that detach calls lower the timeout."""
    monkeypatch.setattr(background_calls, "CALL_TIMEOUT_S", 60.0)


@pytest.fixture
def track() -> Iterator[FakeTrack]:
    """A Customer.io that takes everything."""
    with fake_track() as track:
        yield track


@pytest.fixture
def connection(installed: Installation, track: FakeTrack) -> int:
    """The number of a connection to it."""
    return installed.connect(track.config)


@pytest.fixture
def redis(installed: Installation) -> Redis:
    """The installation's Redis, as its tasks use it."""
    return installed.process.redis


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every link is late, and so left to a task of its own; so is the next batch."""
    monkeypatch.setattr(chain_run, "MAX_START_S", -1.0)
    monkeypatch.setattr(chain_run, "READING_S", 0.0)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hooks are a batch."""
    monkeypatch.setenv("CRATEWIRE_BATCH", "2")
    process._contexts.clear()
