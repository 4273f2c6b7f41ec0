from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.destinations.customerio import CustomerIO
from tests.contracts.fake_track import FakeTrack, fake_track
from tests.contracts.kit import RecordingHTTP


@pytest.fixture
def track() -> Iterator[FakeTrack]:
    with fake_track() as track:
        yield track


@pytest.fixture
def destination(track: FakeTrack) -> CustomerIO:
    return CustomerIO(track.config, RecordingHTTP())
