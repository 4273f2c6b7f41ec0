from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from receiver.demo.processes import DemoProcesses
from tests.servers.rabbitmq import Node, rabbitmq


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    """A RabbitMQ that stays up."""
    with rabbitmq() as node:
        yield node


@pytest.fixture
def troupe(tmp_path: Path) -> Iterator[Callable[[Node], DemoProcesses]]:
    """Makes a troupe whose Cratewire uses this node; everything it has started is stopped at the end."""
    made: list[DemoProcesses] = []

    def make(node: Node) -> DemoProcesses:
        made.append(DemoProcesses(tmp_path, {"CRATEWIRE_BROKER_URL": node.url, "CRATEWIRE_WORKERS": "1"}))
        return made[-1]

    yield make
    for troupe in made:
        troupe.stop()
