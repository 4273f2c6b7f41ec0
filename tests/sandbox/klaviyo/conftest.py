"""An account of the sandbox, called without a network."""

from __future__ import annotations

import pytest

from sandbox.klaviyo.app import World, create_app
from tests.sandbox.klaviyo.api import KEY, NOW_S, Api


@pytest.fixture
def world():
    return World(KEY, now=lambda: NOW_S)


@pytest.fixture
def api(world):
    return Api(create_app(world).test_client())
