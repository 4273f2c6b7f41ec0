from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from receiver.demo.stage import Troupe
from tests.servers.rabbitmq import Node, rabbitmq


@pytest.fixture(scope="session")
def node() -> Iterator[Node]:
    """A RabbitMQ that stays up."""
    with rabbitmq() as node:
        yield node


@pytest.fixture
def troupe(tmp_path: Path) -> Iterator[Callable[[Node], Troupe]]:
    """Makes a troupe whose Cratewire uses this node; everything it has started is stopped at the end."""
    made: list[Troupe] = []

    def make(node: Node) -> Troupe:
        made.append(Troupe(tmp_path, {"CRATEWIRE_BROKER_URL": node.url, "CRATEWIRE_WORKERS": "1"}))
        return made[-1]

    yield make
    for troupe in made:
        troupe.stop()
