"""An account with an audience on loopback, a clock that stands still, and calls without a client of the vendor."""

from __future__ import annotations

import json
from hashlib import md5
from types import SimpleNamespace

import pytest

from sandbox.mailchimp.app import create_app
from sandbox.mailchimp.world import World

NOW = 1_794_700_000.0
KEY = "0123456789abcdef0123456789abcdef-us6"
ROBIN = "robin@sample-shop.com"


def key_of(address):
    return md5(address.strip().lower().encode(), usedforsecurity=False).hexdigest()


class Caller:
    """Calls the application without a socket."""

    def __init__(self, world):
        self.world = world
        self.web = create_app(world).test_client()
        self.auth = ("user", KEY)
        self.list = f"/lists/{world.audience.id}"

    def __call__(self, method, path, body=None, **query):
        data = {"data": body} if isinstance(body, str | bytes) else {"json": body} if body is not None else {}
        answer = self.web.open(f"/3.0{path}", method=method, query_string=query, auth=self.auth, **data)
        text = answer.get_data(as_text=True)
        content = json.loads(text) if text and "json" in answer.content_type else text
        return SimpleNamespace(status=answer.status_code, json=content, headers=answer.headers)

    def member(self, method, address, body=None, below="", **query):
        return self(method, f"{self.list}/members/{key_of(address)}{below}", body, **query)

    def put(self, address, status_if_new="transactional", query=None, **more):
        body = {"email_address": address, "status_if_new": status_if_new, **more}
        return self.member("PUT", address, body, **(query or {}))

    def sandbox(self, method, path, body=None):
        answer = self.web.open(f"/_sandbox{path}", method=method, json=body)
        return answer.get_json()

    def act(self, action, address):
        return self.sandbox("POST", "/actions", {"action": action, "member": address})

    def status_of(self, address):
        return self.member("GET", address).json["status"]

    def started(self):
        """Return the kinds of what would have been sent, in order."""
        return [entry["kind"] for entry in self.sandbox("GET", "/automations")]


@pytest.fixture
def world():
    return World(KEY, now=lambda: NOW)


@pytest.fixture
def call(world):
    return Caller(world)
