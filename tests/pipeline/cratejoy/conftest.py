"""A sandbox store on a loopback port, and the client with a budget that is only limited when a test says so."""

from __future__ import annotations

import fakeredis
import pytest

from pipeline.cratejoy.client import Cratejoy
from pipeline.cratejoy.opening import open_with
from pipeline.http import HTTP
from tests.pipeline.shop import AMPLE


@pytest.fixture
def redis() -> fakeredis.FakeRedis:
    return fakeredis.FakeRedis()


@pytest.fixture
def store(shop, redis) -> Cratejoy:
    return open_with(shop.credentials(), redis, http=HTTP(), per_second=AMPLE)
