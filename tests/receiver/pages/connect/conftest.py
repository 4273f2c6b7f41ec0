"""The connect form between the two sandboxes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.store.server import run_in_thread
from sandbox.store.world import Options
from tests.receiver.pages.browser import PASSWORD, PagesInstallation
from tests.receiver.pages.connect.forms import EMAIL
from tests.servers.sandbox import sandbox_customerio


@pytest.fixture(scope="package")
def cratejoy():
    with run_in_thread(Options("an-id", "a-secret")) as running:
        yield running


@pytest.fixture(scope="package")
def customerio():
    with sandbox_customerio() as running:
        yield running


@pytest.fixture
def pages(site):
    clock = [site.now()]
    return PagesInstallation.of(
        replace(
            site, settings=replace(site.settings, connect_anywhere=True, cratejoy_rate=1000.0), now=lambda: clock[0]
        ),
        clock,
    )


@pytest.fixture
def filled_in(cratejoy, customerio):
    """A valid form."""
    platform = {f"customerio-{key}": value for key, value in customerio.config.items()}
    return {
        "store": "acme",
        "currency": "EUR",
        "client_id": "an-id",
        "client_secret": "a-secret",
        "cratejoy_url": f"{cratejoy.url}/v1/",
        "email": EMAIL,
        "password": PASSWORD,
        "reads_customers": "now",
        "platform": "customerio",
        **platform,
    }
