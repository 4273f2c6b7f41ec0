"""The two sandboxes, for tests of keys."""

from __future__ import annotations

import pytest

from sandbox.store.server import run_in_thread
from sandbox.store.world import Options
from tests.servers.sandbox import sandbox_customerio


@pytest.fixture(scope="package")
def cratejoy():
    with run_in_thread(Options("an-id", "a-secret")) as running:
        yield running


@pytest.fixture(scope="package")
def customerio():
    with sandbox_customerio() as running:
        yield running
