"""The sandbox Customer.io as a process of its own, and what it holds."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipeline.infra.http.client import HTTPClient
from receiver.demo.scenario import call_sandbox
from tests.servers.process import with_parent_death_signal


@dataclass(frozen=True)
class Sandbox:
    config: dict[str, str]  # what a connection to it needs

    def control(self, path: str, body: Any = None) -> Any:
        """A call that only the sandbox knows: GET, or POST if there is a body."""
        return call_sandbox(f"{self.config['base_url']}/_sandbox/{path}", body)

    def delete(self, path: str) -> None:
        """A DELETE of what only the sandbox knows."""
        assert HTTPClient().call("DELETE", f"{self.config['base_url']}/_sandbox/{path}").status == 200

    def events(self) -> list[tuple[str, str, Any]]:
        """(person's address, event, subject's id) of all it holds, sorted."""
        people = self.control("people")
        held = [(person["email"], event) for person in people for event in person["events"]]
        return sorted((email, event["name"], event["data"].get("subject_id")) for email, event in held)


@contextmanager
def sandbox_customerio(*flags: str) -> Iterator[Sandbox]:
    """Start one on a free port; it ends with the block, and forgets all."""
    command = with_parent_death_signal([sys.executable, "-m", "sandbox.customerio", *flags])
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            said = json.loads(process.stdout.readline() if process.stdout else "{}")
            yield Sandbox({"base_url": said.pop("url"), **said})
        finally:
            process.terminate()
            process.wait(20)
