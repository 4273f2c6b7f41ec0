"""A store without a socket, its API with keys, and a receiver of hooks."""

import base64
import time
from dataclasses import dataclass

import pytest
from flask.testing import FlaskClient

from sandbox.store.app import create_app
from sandbox.store.webhooks.shop_event import EVENTS
from sandbox.store.world import Clocks, Options, World
from tests.sandbox.store.hook_recorder import Recorder
from tests.waiting import wait_until

DEADLINE = 60


@dataclass
class SteadyClock:
    now: float = 0.0

    def __call__(self):
        return self.now


@dataclass(frozen=True)
class Shop:
    """The store as a client sees it: the API with the right keys, and the control endpoints."""

    client: FlaskClient
    world: World

    def call(self, method, path, body=None, keys="id:secret"):
        headers = {"Authorization": "Basic " + base64.b64encode(keys.encode()).decode()}
        return self.client.open(path, method=method, json=body, headers=headers)

    def get(self, path):
        return self.call("GET", path).json

    def ids(self, path):
        return [row["id"] for row in self.get(path)["results"]]

    def control(self, path, body):
        answer = self.client.post(f"/_sandbox/{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json

    def people(self, count):
        return self.control("customers", {"count": count})["ids"]

    def listen(self, recorder, events=EVENTS):
        for event in events:
            hook = {"name": event, "event": event, "request_type": "POST", "target": recorder.target(event)}
            assert self.call("POST", "/v1/hooks/", hook).status_code == 201

    def live(self, hooks, **plan):
        """A whole life; returns what it reports at its end."""
        self.control("life", {"hooks": hooks, **plan})
        wait_until(lambda: not self.get("/_sandbox/life")["running"], lambda: self.get("/_sandbox/life"))
        status = self.get("/_sandbox/life")
        assert not status["failed"]
        return status

    def truth(self):
        return self.get("/_sandbox/truth")


@pytest.fixture
def steady():
    return SteadyClock()


@pytest.fixture
def shop(steady):
    world = World(Options("id", "secret", seed=7), Clocks(time.time, steady))
    yield Shop(create_app(world).test_client(), world)
    world.stop()


@pytest.fixture
def recorder():
    recorder = Recorder()
    thread = recorder.start()
    yield recorder
    recorder.server.shutdown()
    thread.join()
    recorder.server.server_close()


@pytest.fixture
def sent_events(shop, recorder):
    """A function that waits until the store has posted all it has to post, and returns the events received."""
    shop.listen(recorder)

    def events():
        assert shop.world.dispatcher.pool.wait_until_done(DEADLINE)
        return [received.event for received in recorder.received]

    return events
