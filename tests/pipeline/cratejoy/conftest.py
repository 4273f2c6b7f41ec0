"""A sandbox store on a loopback port, and the client with a budget that is only limited when a test says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import fakeredis
import pytest

from pipeline.cratejoy.client import CratejoyClient
from pipeline.cratejoy.collection import read_collection
from pipeline.cratejoy.factory import build_client
from pipeline.infra.http.client import HTTPClient
from tests.pipeline.sandbox_store import AMPLE_PER_S


@pytest.fixture
def redis() -> fakeredis.FakeRedis:
    return fakeredis.FakeRedis()


@pytest.fixture
def store(shop, redis) -> CratejoyClient:
    return build_client(shop.credentials(), redis, http=HTTPClient(), per_second=AMPLE_PER_S)


def iter_objects(client: CratejoyClient, resource: str) -> Iterator[dict[str, Any]]:
    """The readable objects of a collection."""
    for page in read_collection(client, resource).pages:
        yield from page.results
