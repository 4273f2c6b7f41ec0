import threading
from collections.abc import Iterator

import pytest

from sandbox.customerio.server import Server
from tests.sandbox.customerio.client import Client


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def server(client: Client) -> Iterator[Server]:
    server = Server(0, client.app.answer)
    client.state.base_url = server.url
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.stop()
    thread.join()
