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
def make_processes(tmp_path: Path) -> Iterator[Callable[[Node], DemoProcesses]]:
    """Start the demo's processes with this node as the broker; all are stopped at the end."""
    made: list[DemoProcesses] = []

    def make(node: Node) -> DemoProcesses:
        made.append(DemoProcesses(tmp_path, {"CRATEWIRE_BROKER_URL": node.url, "CRATEWIRE_WORKERS": "1"}))
        return made[-1]

    yield make
    for processes in made:
        processes.stop()
