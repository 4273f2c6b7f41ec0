"""The API over a small filled ledger: a shop of ours with events of all kinds, and a shop of another account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from flask import Flask
from jsonschema_rs import Draft202012Validator
from werkzeug.test import TestResponse

from pipeline.ledger.accounts import NewUser, add_member, add_user, create_account, get_account_name
from pipeline.ledger.api_tokens import SCOPES, NewToken, create_token
from pipeline.ledger.audit import COMMAND_LINE_ACTOR
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema.core import Event, Person
from pipeline.ledger.stores import ensure_account, save_store
from receiver.api.app import create_api
from receiver.api.limits import RequestLimits
from tests.installation import Installation, make_hook, order_hook

NO_LIMIT = 1_000_000


def find_deviations(caller: Caller, paths: Mapping[str, str]) -> dict[str, list[str]]:
    """Return, by schema, how the answers of these addresses differ from the API's document. `paths`: schema -> path."""
    document = caller.get("/openapi.json").get_json()

    def list_errors(name: str, path: str) -> list[str]:
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        return [error.message for error in Draft202012Validator(schema).iter_errors(caller.get(path).get_json())]

    return {name: errors for name, path in paths.items() if (errors := list_errors(name, path))}


@dataclass
class Caller:
    """A program with a token, or without one."""

    app: Flask
    token: str | None

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.call("GET", path, headers=headers)

    def post(self, path: str, body: Any = None) -> TestResponse:
        return self.call("POST", path, json=body)

    def call(self, method: str, path: str, **more: Any) -> TestResponse:
        headers = dict(more.pop("headers", {}))
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        client = self.app.test_client()
        answer: TestResponse = client.open(f"/api/v1{path}", method=method, headers=headers, **more)
        return answer


@dataclass
class ApiInstallation:
    """An installation with its API. `clock`: the time, which tests move."""

    installed: Installation
    app: Flask
    clock: list[int]

    @property
    def engine(self):
        return self.installed.process.engine

    def make_token(self, *scopes: str, account: str = "default", user: int | None = None, days: int = 30) -> str:
        context = self.app.extensions["cratewire.context"]
        with writing(self.engine) as conn:
            account_id = ensure_account(conn, account, self.clock[0])
            new = NewToken(account_id, "a test", scopes or SCOPES, days, user)
            return create_token(conn, context.settings.secret_keys, new, context.rng, COMMAND_LINE_ACTOR, self.clock[0])

    def caller(self, *scopes: str, **more: Any) -> Caller:
        return Caller(self.app, self.make_token(*scopes, **more))

    def member(self, role: str) -> int:
        """A user in the account `default`."""
        with writing(self.engine) as conn:
            user = add_user(conn, NewUser(f"{role}@example.com", "hash", f"id of {role}", confirmed=True), 0)
            assert user is not None
            add_member(conn, ensure_account(conn, "default", 0), user, role, 0)
            return user

    def ids(self, model: Any) -> list[int]:
        return [row.id for row in self.installed.rows(model)]


@pytest.fixture
def api(installed: Installation) -> ApiInstallation:
    clock = [installed.process.now()]
    context = replace(installed.process, now=lambda: clock[0])
    return ApiInstallation(installed, create_api(context, RequestLimits(NO_LIMIT)), clock)


@pytest.fixture
def filled(api: ApiInstallation) -> ApiInstallation:
    """Acme has orders, messages that wait, an unreadable hook and a connection; eve's shop has one order."""
    api.installed.connect({"site_id": "s", "api_key": "k", "base_url": "http://127.0.0.1:9"})  # nothing answers there
    api.installed.record(*(order_hook(number) for number in range(7001, 7006)), make_hook(b"{"))
    with writing(api.engine) as conn:
        save_store(conn, "eves", api.clock[0], account=get_account_name(conn, create_account(conn, api.clock[0])))
    hook = order_hook(9001, email="eve.buyer@example.com", customer_id=9900, store="eves")
    api.installed.record(hook)
    api.clock[0] = api.installed.process.now() + 1  # all of it was recorded before
    return api


@pytest.fixture
def foreign(filled: ApiInstallation) -> dict[str, int]:
    """What belongs to the other account."""
    with reading(filled.engine) as conn:
        event = conn.execute(Event.__table__.select().order_by(Event.id.desc()).limit(1)).one()
        person = conn.execute(Person.__table__.select().where(Person.customer_id == 9900)).one()
    return {"event": event.id, "person": person.id}
