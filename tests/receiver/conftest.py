"""Every door to the rules of the hook address."""

from __future__ import annotations

import pytest

from tests.receiver.hook_servers import FakeHookSink, HookClient, as_wsgi, get_server, make_app

HOOK_SERVERS = {"granian": lambda app: as_wsgi(get_server(app)), "fast path": lambda app: app.wsgi_app}


@pytest.fixture(params=HOOK_SERVERS)
def door(request) -> HookClient:
    keeper = FakeHookSink()
    app = make_app(keeper)
    return HookClient(keeper, HOOK_SERVERS[request.param](app), app.extensions["cratewire"].rules)
