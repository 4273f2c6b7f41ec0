"""The address for a warehouse's messages. What becomes of a message is tested with `take_push`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import fakeredis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.event import listen

from pipeline.context import Context
from pipeline.cratejoy.credentials import Credentials
from pipeline.fulfilment.stored_settings import change_settings
from pipeline.infra.crypto.encryption import encrypt
from pipeline.infra.crypto.signed_messages import read_secrets, sign
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.fulfilment.quarantine import list_quarantined
from pipeline.ledger.fulfilment.warehouses import build_warehouse_identity, save_warehouse, update_warehouse
from pipeline.ledger.store_apis import build_api_identity, save_store_api
from receiver import warehouse_messages
from receiver.app import find_own_paths
from tests.builders import NOW
from tests.contexts import SETTINGS, make_context
from tests.pipeline.ledger.rows import add_store
from tests.pipeline.sandbox_store import Clock

SECRET = "whsec_ZW11bGF0b3Itc2VjcmV0LTAxMjM0NTY3ODlhYmNkZWY="
OTHER = "whsec_d3JvbmctZW11bGF0b3Itc2VjcmV0LTAwMDAwMDA="
CONFIG = {"url": "http://127.0.0.1:9/", "secret": SECRET, "inbound_secret": SECRET}
PATH = "/fulfilment/sunny-box/events"
SHIPPED = {"order_number": "SUB-4711", "complete": True, "packages": [{"tracking_number": "TEST1"}]}
KEYS = SETTINGS.secret_keys


@pytest.fixture
def ledger(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Engine]:
    shutil.copy(migrated_sqlite, tmp_path / "ledger.db")
    engine = make_engine(f"sqlite:///{tmp_path / 'ledger.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def context(ledger: Engine) -> Context:
    """A store with a warehouse that sends messages, and one without."""
    with writing(ledger) as conn:
        add_store(conn, "rainy-box")
        store_id = add_store(conn).id
        api = Credentials("id", "secret", "http://127.0.0.1:9/v1/").as_config()
        save_store_api(conn, store_id, encrypt(KEYS, api, build_api_identity(store_id)), NOW)
        save_warehouse(conn, store_id, "signed_webhook", encrypt(KEYS, CONFIG, build_warehouse_identity(store_id)), NOW)
        update_warehouse(conn, store_id, settings=change_settings({}, {"earliest_order_at": "2026-01-01"}))
    return make_context(ledger, fakeredis.FakeRedis())


@pytest.fixture
def client(context: Context) -> FlaskClient:
    app = Flask("test")
    app.register_blueprint(warehouse_messages.blueprint(context))
    return app.test_client()


def post(client: FlaskClient, data: Mapping[str, Any] = SHIPPED, *, path: str = PATH, secret: str = SECRET) -> Any:
    body = json.dumps({"type": "shipment.shipped", "data": data}).encode()
    headers = sign(read_secrets(secret, "secret"), "msg_1", NOW // 1_000_000, body)
    return client.post(path, data=body, headers=headers)


def test_a_signed_message_is_taken_in_once(client, context):
    answers = [post(client) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [202, 200]
    assert answers[0].json == {"status": "taken"}
    with reading(context.engine) as conn:
        assert [one.tracking_number for one in list_quarantined(conn, 2)] == ["TEST1"]


def test_a_message_of_another_key_is_refused(client):
    assert post(client, secret=OTHER).status_code == 401


def test_a_message_that_is_not_signed_takes_no_place_of_those_that_are(context, monkeypatch):
    monkeypatch.setattr(warehouse_messages, "MAX_AT_ONCE", 0)
    app = Flask("test")
    app.register_blueprint(warehouse_messages.blueprint(context))

    assert [post(app.test_client(), secret=secret).status_code for secret in (OTHER, SECRET)] == [401, 503]


def test_messages_that_are_not_signed_cost_no_query(client, context):
    post(client, secret=OTHER)
    statements = []
    listen(context.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))

    answers = [post(client, path=f"/fulfilment/{name}/events", secret=OTHER) for name in ("sunny-box", "no-box")]

    assert ([answer.status_code for answer in answers], statements) == ([401, 404], [])


def test_a_key_that_was_replaced_is_refused_some_seconds_later(ledger, context):
    clock = Clock()
    app = Flask("test")
    app.register_blueprint(warehouse_messages.blueprint(replace(context, now=clock)))
    taken = post(app.test_client()).status_code
    config = encrypt(KEYS, {**CONFIG, "inbound_secret": OTHER}, build_warehouse_identity(2))
    with writing(ledger) as conn:
        update_warehouse(conn, 2, config=config)
    clock.now += 6_000_000

    assert (taken, post(app.test_client()).status_code) == (202, 401)


def test_a_signed_message_without_an_order_number_is_malformed(client):
    assert post(client, {}).status_code == 400


@pytest.mark.parametrize("name", ["rainy-box", "no-box"])
def test_a_store_without_such_a_warehouse_has_no_address(client, name):
    assert post(client, path=f"/fulfilment/{name}/events").status_code == 404


def test_without_the_ledger_the_warehouse_is_asked_to_repeat(tmp_path):
    app = Flask("test")
    app.register_blueprint(warehouse_messages.blueprint(make_context(make_engine(f"sqlite:///{tmp_path}/none/x.db"))))

    answer = post(app.test_client())

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_it_is_served_beside_the_health_checks(context):
    app = Flask("test", static_folder=None)
    app.register_blueprint(warehouse_messages.blueprint(context))

    assert find_own_paths(app) == {"fulfilment/"}
