from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.destinations import DESTINATIONS
from tests.contracts.customerio_kits import fake_track_kit, sandbox_kit
from tests.contracts.destination_suite import DestinationSuite
from tests.contracts.http_kits import http_kit
from tests.contracts.kit import Kit, KitMaker
from tests.contracts.klaviyo_kits import klaviyo_kit
from tests.contracts.mailchimp_kits import mailchimp_kit
from tests.contracts.segment_kits import segment_kit
from tests.contracts.webhook_kits import webhook_kit

KITS: dict[str, KitMaker] = {
    "customerio, by our own server": fake_track_kit,
    "customerio, by the sandbox": sandbox_kit,
    "klaviyo, by the sandbox": klaviyo_kit,
    "http, by the sandbox": http_kit,
    "mailchimp, by the sandbox": mailchimp_kit,
    "segment, by the sandbox": segment_kit,
    "webhook, checked by the reference library": webhook_kit,
}


class TestDestinations(DestinationSuite):
    @pytest.fixture(params=KITS)
    def kit(self, request: pytest.FixtureRequest) -> Iterator[Kit]:
        with KITS[request.param]() as kit:
            yield kit


def test_every_registered_platform_passes_the_contract():
    assert {name.split(",")[0] for name in KITS} == set(DESTINATIONS)


def test_every_platform_is_registered_under_its_own_name():
    assert all(name == destination.platform for name, destination in DESTINATIONS.items())
