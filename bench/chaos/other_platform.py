"""A platform of the demo behind a proxy: what it holds, judged as the sandbox Customer.io is."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from bench.chaos.installation import Installation
from bench.chaos.platform import ArrivedEvent
from bench.chaos.proxy import Proxy
from bench.chaos.supervisor import SupervisedProcess
from bench.chaos.waiting import wait_until
from receiver.demo.platforms import DemoPlatform

TIMEOUT_S = 60


@dataclass(frozen=True, slots=True, eq=False)
class OtherPlatform:
    """One sandbox that runs. Its page of people has no times of arrival, so events have their places instead."""

    demo: DemoPlatform
    said: dict[str, str] = field(repr=False)
    proxy: Proxy

    def list_options(self, folder: Path) -> list[str]:
        """The options of `cratewire connect`, with the proxy in place of the sandbox; documents go to the folder."""
        port = urlsplit(self.said["url"]).port
        behind = {name: text.replace(f":{port}", f":{self.proxy.port}") for name, text in self.said.items()}
        return self.demo.list_options(behind, folder)

    def arrived(self) -> list[ArrivedEvent]:
        """Every stored event, person by person, in the order of arrival."""
        return [
            ArrivedEvent(str(person["email"]).lower(), str(event["data"].get("subject_id")), place, str(place))
            for person in self._people()
            for place, event in enumerate(person["events"])
        ]

    def count(self) -> int:
        """The number of stored events."""
        return sum(len(person["events"]) for person in self._people())

    def _people(self) -> list[dict[str, Any]]:
        with urlopen(f"{self.said['url']}/_sandbox/people", timeout=TIMEOUT_S) as answer:  # noqa: S310 - loopback
            found: list[dict[str, Any]] = json.load(answer)
        return found


def start_platform(here: Installation, demo: DemoPlatform) -> OtherPlatform:
    """Start the platform's sandbox behind a proxy. Both end with the installation."""
    here.keeper.keep(SupervisedProcess(demo.name, [sys.executable, "-m", demo.module]))
    log = here.keeper.log(demo.name)
    wait_until(lambda: "\n" in log.read_text(), "the sandbox listens")
    said = json.loads(log.read_text().splitlines()[0])
    proxy = Proxy(urlsplit(said["url"]).port or 0)
    here.proxies.append(proxy)
    return OtherPlatform(demo, said, proxy)
