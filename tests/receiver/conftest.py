"""A client of the hook server."""

from __future__ import annotations

import pytest

from tests.receiver.hook_servers import FakeHookSink, HookClient, as_wsgi, get_server, make_app


@pytest.fixture
def client() -> HookClient:
    sink = FakeHookSink()
    app = make_app(sink)
    return HookClient(sink, as_wsgi(get_server(app)), app.extensions["cratewire"].rules)
