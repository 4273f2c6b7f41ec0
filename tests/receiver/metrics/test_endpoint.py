"""Who may read `/metrics`."""

from __future__ import annotations

import pytest
from flask import Flask

from receiver.metrics.exposition import blueprint
from tests.receiver.hook_servers import send


def get(**headers):
    app = Flask("pages")
    app.register_blueprint(blueprint(lambda: b"cratewire_hooks_total 1\n", "a-token-of-some-length"))
    return send(app.wsgi_app, "GET", "/metrics", **headers)


def test_the_token_opens_the_page():
    reply = get(HTTP_AUTHORIZATION="Bearer a-token-of-some-length")

    assert (reply.status, reply.body) == (200, b"cratewire_hooks_total 1\n")
    assert reply.headers["Content-Type"].startswith("text/plain")


@pytest.mark.parametrize(
    "given",
    [{}, {"HTTP_AUTHORIZATION": "Bearer another"}, {"HTTP_AUTHORIZATION": "Bearer \xe9"}, {"REMOTE_ADDR": "127.0.0.1"}],
)
def test_without_the_token_it_cannot_be_read_even_from_this_machine(given):
    reply = get(**given)

    assert (reply.status, reply.headers["WWW-Authenticate"]) == (401, "Bearer")
