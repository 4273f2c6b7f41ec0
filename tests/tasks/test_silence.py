"""Notices of silence as beat and workers give them, from the sweep to the receiver of a notice."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import replace
from functools import partial
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from sqlalchemy import insert

from pipeline import keys, tokens
from pipeline.inbox import stream
from pipeline.ledger import tables
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.silence_tables import Canary, HeardHour
from pipeline.ledger.stores import save_store
from pipeline.silence.hearing import hearing
from receiver.fast_path import FastPath
from receiver.intake import Intake
from receiver.wiring import new_receipt
from tasks import process, silence
from tasks.kick import publish
from tests.pipeline.silence.pasts import DAY, at, every_day, heard_at
from tests.servers.listener import listener
from tests.tasks.by_hand import take_all, work_off


@pytest.fixture
def change(installed):
    """Changes this process: its settings, and what time it is."""

    def changed(now=None, **settings):
        here = process._made[os.getpid()]
        clock = here.now if now is None else lambda: now
        process._made[os.getpid()] = replace(here, settings=replace(here.settings, **settings), now=clock)

    return changed


@pytest.fixture
def store_id(installed):
    with writing(installed.process.engine) as db:
        return save_store(db, "acme", installed.process.now()).id


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        """Nothing."""


@pytest.fixture
def web(installed):
    """The receiver's rules behind a real port; what it takes is in the inbox. Its address."""
    here = installed.process

    def offer(hook):
        stream.add(here.redis, hook)
        return "inbox"

    intake = Intake(partial(tokens.verify, here.settings.secret_keys), offer, 10_000, here.now, new_receipt)
    with make_server("127.0.0.1", 0, FastPath(None, intake), handler_class=Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def heard(installed):
    with reading(installed.process.engine) as db:
        return hearing(db, process._made[os.getpid()].now())


def test_a_canary_travels_by_the_public_address_through_the_chain_into_the_ledger(installed, store_id, change, web):
    change(public_url=web)
    silence.sweep()
    before = heard(installed).way_in.works
    sent = work_off("deliveries")
    publish()
    work_off("hooks")

    assert (before, sent, heard(installed).way_in.works) == (None, ["silence.send_canary"], True)
    assert (installed.rows(tables.Event), installed.rows(tables.DeadHook)) == ([], [])


def test_a_canary_that_is_turned_away_says_why(installed, store_id, change, web):
    change(public_url=web, secret_keys=("a key that web does not have",))
    silence.sweep()
    work_off("deliveries")

    [canary] = installed.rows(Canary)
    assert canary.fault == "answered 404"


def test_only_one_worker_looks_at_a_time(installed, store_id):
    installed.process.redis.set(keys.SILENCE_LEASE, "somebody")
    silence.sweep()

    assert (take_all("deliveries"), installed.rows(Canary)) == ([], [])


def test_the_lease_is_given_back(installed, store_id):
    silence.sweep()

    assert not installed.process.redis.exists(keys.SILENCE_LEASE)


def test_a_store_that_falls_silent_is_told_to_whoever_listens(installed, store_id, change):
    rows = [
        {"store_id": store_id, "event": "order_new", "hooks": 1, "hour": one.hour}
        | {"first_at": one.first_at, "last_at": one.last_at}
        for one in heard_at(every_day(range(9, 18), 30))
    ]
    with writing(installed.process.engine) as db:
        db.execute(insert(HeardHour), rows)
    with listener() as heard_by:
        change(now=at(31 * DAY), canary_seconds=0.0, alarm_url=heard_by.url)
        silence.sweep()
        worked = work_off("deliveries")

    [request] = heard_by.requests
    [alarm] = json.loads(request.body)["data"]["opened"]
    assert (worked, alarm["store"], alarm["event"]) == (["silence.notify"], "acme", None)


def test_without_an_address_nobody_is_asked_to_tell(installed, store_id, change):
    change(canary_seconds=0.0)
    silence.sweep()

    assert take_all("deliveries") == []
