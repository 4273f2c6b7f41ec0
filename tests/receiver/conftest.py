"""A client of the hook server."""

from __future__ import annotations

import pytest

from tests.receiver.hook_servers import FakeHookSink, HookClient, as_wsgi, get_server, make_app


@pytest.fixture
def door() -> HookClient:
    keeper = FakeHookSink()
    app = make_app(keeper)
    return HookClient(keeper, as_wsgi(get_server(app)), app.extensions["cratewire"].rules)
