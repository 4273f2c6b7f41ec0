"""A real installation between the two sandboxes, for a browser, and what a merchant types to connect it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from receiver.demo.scenario import call_sandbox
from sandbox.store.server import RunningStore as CratejoySandbox
from sandbox.store.server import run_in_thread
from sandbox.store.world import Options
from tests.receiver.supervisor.running_installation import TIMEOUT_S, RunningInstallation, run_installation
from tests.servers.sandbox import Sandbox, sandbox_customerio

EMAIL, PASSWORD = "bea@example.com", "a long enough one"
LONG = TIMEOUT_S * 1000  # ms
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


@dataclass(frozen=True)
class World:
    """An installation between the two sandboxes."""

    run: RunningInstallation
    cratejoy: CratejoySandbox
    customerio: Sandbox

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.run.port}"

    def link_in_mail(self) -> str:
        self.run.until_said(r"it leads to: http")
        return re.findall(r"it leads to: (http\S+)", self.run.said)[-1]

    def live(self, hooks: int, seed: int) -> None:
        """Let the shop have some events, and return when their hooks have been accepted."""
        life = f"{self.cratejoy.url}/_sandbox/life"
        call_sandbox(life, {"hooks": hooks, "seed": seed})
        self.run.until(lambda: not call_sandbox(life)["running"])

    def list_event_ids(self) -> list[str]:
        """The id of every event at Customer.io, as often as it is there."""
        return [event["id"] for person in self.customerio.control("people") for event in person["events"]]

    def call(self, *words: str) -> str:
        """Run one of our commands; returns what it says."""
        command = [sys.executable, "-m", "receiver.cli", *words]
        return subprocess.run(command, env=self.run.environment, capture_output=True, text=True, check=True).stdout


@contextmanager
def start_world(data: Path) -> Iterator[World]:
    settings = {
        "CRATEWIRE_CONNECT_ANYWHERE": "true",
        "CRATEWIRE_CRATEJOY_RATE": "20",
        "CRATEWIRE_FULFILMENT_PULL_SECONDS": "2",
        "CRATEWIRE_FULFILMENT_TRACKING_SECONDS": "2",
    }
    with (
        run_in_thread(Options("an-id", "a-secret")) as cratejoy,
        sandbox_customerio() as customerio,
        run_installation(data, **settings) as run,
    ):
        run.until_said("Ready: ")
        yield World(run, cratejoy, customerio)


def fill_in(page: Page, world: World, **changes: Any) -> None:
    """Fill in the form that connects a shop."""
    config = world.customerio.config
    fields = {
        "Shop name": "acme",
        "Client ID": "an-id",
        "Client Secret": "a-secret",
        "Address of the Merchant API": f"{world.cratejoy.url}/v1/",
        "Mail address": EMAIL,
        "Password": PASSWORD,
    }
    of_platform = {"Site ID": config["site_id"], "API key": config["api_key"], "Base URL": config["base_url"]}
    for label, value in (fields | changes).items():
        page.get_by_label(label, exact=True).fill(value)
    platform = page.locator("[data-platform=customerio]")  # another platform may have a field of the same name
    for label, value in of_platform.items():
        platform.get_by_label(label, exact=True).fill(value)
    page.get_by_label("Now", exact=True).check()
