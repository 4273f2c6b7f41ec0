"""How long every page and API answer takes on a large ledger: the median and the longest of a few requests.

In this process, through the same applications that web serves: what is measured is our code and the database. The
reader owns all stores of the ledger, which is more than any merchant has.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_security import hash_password
from redis import Redis
from sqlalchemy import Connection, Engine, func, select

from bench import systems
from bench.chaos.databases import is_postgres_installed, running_postgres
from bench.pages.fill import Size, fill_ledger
from bench.pages.readers import CSRF_FIELD, Readers, compare
from bench.processes import Folder
from pipeline.context import Context, now_us
from pipeline.infra.http.client import HTTPClient
from pipeline.ledger.accounts import NewUser, add_member, add_user
from pipeline.ledger.api_tokens import SCOPES, NewToken, create_token
from pipeline.ledger.audit import Actor
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.schema import core
from pipeline.ledger.schema.base import Base
from pipeline.settings import Settings
from receiver.api.app import create_api
from receiver.api.limits import RequestLimits
from receiver.pages.app import create_pages

MAX_MS = 200.0  # what we aim at
EMAIL, PASSWORD = "reader@example.com", "a password for benchmarks"
# Pages that never end, that change something, or that are no pages of a reader.
_LEFT_OUT = re.compile(r"/(static|activity/live|login|logout|tf-|mf-|us-|reset|confirm|change|verify|auth|invitations)")
# Addresses beside those of the URL map: filters, spans, searches.
_MORE = (
    *(f"/activity?show={show}" for show in ("waiting", "refused", "recovered", "tests", "sent", "kept", "withheld")),
    *(f"/activity?show={show}" for show in ("repeats", "unreadable")),
    *("/activity?event=order_new", "/activity?store={store}", "/activity?before={event}", "/activity?person={person}"),
    *("/activity?about=order:{order}", "/activity?since={since}&until={until}&show=sent"),
    *(
        "/activity?since={since}&until={until}&show=repeats",
        "/flow?span=week",
        "/flow?span=month",
        "/flow?span=quarter",
    ),
    "/flow?span=month&store={store}",
    *("/search?q={email}", "/search?q={order}", "/search?q={ulid}", "/search?q=Robin", "/search?q=unknown@example.com"),
)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long an address takes, in ms; `cpu_ms`: of this process alone, which on a busy machine says more."""

    median_ms: float
    longest_ms: float
    cpu_ms: float
    status: int

    def as_json(self) -> list[float]:
        """[status, median, longest, CPU]."""
        return [self.status, *(round(ms, 1) for ms in (self.median_ms, self.longest_ms, self.cpu_ms))]


def measure(sizes: Mapping[str, Size], times: int, readers: tuple[int, int]) -> dict[str, Any]:
    """By database: how long filling took, and every address with its status, and its timing in ms.

    `readers`: hooks a second, and for how many seconds, while the pages of the SQLite ledger are read.
    """
    found: dict[str, Any] = {"times": times, "ledgers": {}}
    for database, size in sizes.items():
        if database == "postgresql" and not is_postgres_installed():
            print("Left out: the pages on PostgreSQL, because it is not installed; `make postgres` installs it.")
            continue
        with TemporaryDirectory(prefix="cratewire-bench-") as home, _ledger(database, size, Path(home)) as one:
            engine, redis, filled_s = one
            found["ledgers"][database] = {
                "events": _count(engine, core.Event),
                "people": _count(engine, core.Person),
                "stores": _count(engine, core.Store),
                "filled_s": round(filled_s),
                "pages": {
                    address: timing.as_json() for address, timing in _time_addresses(engine, redis, times).items()
                },
            }
            if database == "sqlite":
                with systems.web(Folder(Path(home))) as web:
                    found["readers"] = compare(web, Readers(web.port, EMAIL, PASSWORD), *readers)
    return found


@contextmanager
def _ledger(database: str, size: Size, home: Path) -> Iterator[tuple[Engine, Redis, float]]:
    with ExitStack() as stack:
        redis = stack.enter_context(systems.redis(Folder(home / "redis")))
        url = f"sqlite:///{home / 'cratewire.db'}"
        if database == "postgresql":
            url, _ = stack.enter_context(running_postgres(home))
        began = time.monotonic()
        fill_ledger(url, redis, size)
        engine = make_engine(url)
        stack.callback(engine.dispose)
        yield engine, redis, time.monotonic() - began


def _count(engine: Engine, model: type[Base]) -> int:
    with reading(engine) as conn:
        return conn.execute(select(func.count()).select_from(model)).scalar_one()


def _time_addresses(engine: Engine, redis: Redis, times: int) -> dict[str, Timing]:
    with TemporaryDirectory(prefix="cratewire-bench-") as data:
        settings = Settings.from_environment(
            {
                "CRATEWIRE_SECRET_KEY": systems.SECRET,
                "CRATEWIRE_METRICS_TOKEN": systems.SECRET,
                "CRATEWIRE_FLOWER_PASSWORD": systems.SECRET,
                "REDIS_URL": "redis://127.0.0.1:1",
            },
            data_dir=Path(data),
        )
        client = HTTPClient()
        context = Context(settings, engine, redis, now_us, client, client, Random(7))
        pages, api = create_pages(context), create_api(context, RequestLimits(1_000_000))
        token = _add_reader(context, pages)
        with reading(engine) as conn:
            values = _pick_values(conn)
        reader = _log_in(pages)
        found = {
            address: _time(reader, address, {}, times)
            for address in (*_list_addresses(pages, values), *(more.format(**values) for more in _MORE))
        }
        bearer = {"Authorization": f"Bearer {token}"}
        caller = api.test_client()
        return found | {address: _time(caller, address, bearer, times) for address in _list_addresses(api, values)}


def _add_reader(context: Context, pages: Flask) -> str:
    """A user who owns every store, and a token of the same account."""
    now = context.now()
    with pages.app_context():
        hashed = hash_password(PASSWORD)
    with writing(context.engine) as conn:
        account_id = conn.execute(select(core.Account.id).limit(1)).scalar_one()
        user_id = add_user(conn, NewUser(EMAIL, hashed, "bench", confirmed=True), now)
        if user_id is None:
            raise RuntimeError("the ledger has this reader already")
        add_member(conn, account_id, user_id, "owner", now)
        wanted = NewToken(account_id, "bench", SCOPES, 1, user_id)
        return create_token(conn, context.settings.secret_keys, wanted, context.rng, Actor("page", user_id), now)


def _log_in(pages: Flask) -> FlaskClient:
    client = pages.test_client()
    page = client.get("/login").get_data(as_text=True)
    csrf = CSRF_FIELD.search(page)
    if csrf is None:
        raise RuntimeError("the log-in page has no form")
    client.post("/login", data={"email": EMAIL, "password": PASSWORD, "csrf_token": csrf.group(1)})
    if client.get("/account").status_code != HTTPStatus.OK:
        raise RuntimeError("the reader could not log in")
    return client


def _pick_values(conn: Connection) -> dict[str, Any]:
    """Something of the middle of the ledger for each part of an address."""
    middle = conn.execute(select(func.max(core.Event.id))).scalar_one() // 2
    query = select(core.Event).where(core.Event.id >= middle, core.Event.name == "order_new").order_by(core.Event.id)
    event = conn.execute(query.limit(1)).one()
    linked = select(core.EventPerson.person_id).where(core.EventPerson.event_id == event.id).limit(1)
    person = conn.execute(select(core.Person).where(core.Person.id.in_(linked))).one()
    message = conn.execute(select(core.Delivery.id).where(core.Delivery.event_id == event.id).limit(1)).scalar_one()
    store = conn.execute(select(core.Store.name).where(core.Store.id == event.store_id)).scalar_one()
    link = conn.execute(select(core.StoreConnection.id).where(core.StoreConnection.store_id == event.store_id)).scalar()
    at = time.strftime("%Y-%m-%dT%H:00", time.gmtime(event.received_at // 1_000_000))
    until = time.strftime("%Y-%m-%dT%H:00", time.gmtime(event.received_at // 1_000_000 + 7 * 86_400))
    return {
        "store": store,
        "name": store,
        "shop": store,
        "event": event.id,
        "event_id": event.id,
        "id": event.id,
        "person": person.id,
        "person_id": person.id,
        "email": person.email,
        "order": event.subject_id,
        "ulid": event.ulid,
        "reference": event.ulid,
        "since": at,
        "until": until,
        "text": person.email,
        "message_id": message,
        "delivery_id": message,
        "connection_id": link,
    }


def _list_addresses(app: Flask, values: Mapping[str, Any]) -> list[str]:
    """Every address of the URL map that is only read and whose parts are known."""
    found = []
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        if "GET" in (rule.methods or ()) and not _LEFT_OUT.match(path) and rule.arguments <= values.keys():
            found.append(path.format(**values))
    return sorted(found)


def _time(client: FlaskClient, address: str, headers: Mapping[str, str], times: int) -> Timing:
    spent: list[float] = []
    used: list[float] = []
    status = 0
    for _ in range(times + 1):
        began, used_before = time.perf_counter(), time.process_time()
        answer = client.get(address, headers=headers)
        answer.get_data()
        spent.append((time.perf_counter() - began) * 1_000)
        used.append((time.process_time() - used_before) * 1_000)
        status = answer.status_code
    spent, used = spent[1:] or spent, used[1:] or used  # the first request fills the caches
    return Timing(statistics.median(spent), max(spent), statistics.median(used), status)
