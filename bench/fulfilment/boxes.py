"""The boxes of one cut-off: sold, found, accepted, sent, and counted at the warehouse."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from sqlalchemy import Engine, select

from bench.backfill.installation import Installation
from bench.fulfilment.scenario import Scenario, Way
from bench.processes import request_json, wait_until
from pipeline.context import now_us
from pipeline.core.fulfilment import State
from pipeline.cratejoy.credentials import Credentials
from pipeline.fulfilment.set_up import build_report
from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.fulfilment.warehouses import pause_warehouse, resume_warehouse
from pipeline.ledger.schema.fulfilment import FulfilmentOrder
from pipeline.ledger.store_apis import build_api_identity, save_store_api
from pipeline.ledger.stores import find_store

_SOLD_AT_ONCE = 250  # in one request to the sandbox
_AGE_DAYS, _EARLIEST_DAYS = 45, 90  # of the boxes' date, whose batch has ended; of the earliest date of the settings
_SALE_S = 20  # of the sandbox's time, at least, that a sale takes
_POLL_S = 1.0
_SETTLE_S = 12.0  # until what was under way when the warehouse was paused has ended
_STALL_S = 300.0
_REFUSED = 429
_LOOK_UPS = ("GET",)


@dataclass
class Boxes:
    """The boxes of one way."""

    made: Installation
    way: Way
    script: Scenario
    url: str  # of the warehouse
    engine: Engine
    store_id: int

    def sell_and_accept(self) -> None:
        """Sell the boxes, have them found in dry run, and go live, paused."""
        now = datetime.fromtimestamp(time.time(), UTC)
        began = now - timedelta(seconds=self.script.boxes * _SALE_S)
        self.made.control("clock", {"now": _format(began)})
        self.made.control("faults", {"rate": self.script.cratejoy_rate, "retry_after": 3, "prefix": "/v1"})
        sale = {"silent": True, "billing": "standard", "target": _format(now - timedelta(days=_AGE_DAYS))}
        for start in range(0, self.script.boxes, _SOLD_AT_ONCE):
            self.made.control("sales", sale | {"count": min(_SOLD_AT_ONCE, self.script.boxes - start)})
        self.made.control("clock", {"now": _format(now)})
        keys = [f"--key={key}={value}" for key, value in self.way.build_keys(self.url).items()]
        earliest = f"{now - timedelta(days=_EARLIEST_DAYS):%Y-%m-%d}"
        settings = {"earliest_order_at": earliest, "cooling_off_signup_s": "0", "cooling_off_renewal_s": "0"}
        chosen = [f"--set={name}={value}" for name, value in settings.items()]
        self._command("connect", "--warehouse", self.way.adapter, *keys, *chosen)
        self._wait_for_report()
        self._control("faults", {"match": self.way.path, "latency_ms": self.script.latency_ms, "times": None})
        self.pause()
        self._command("go-live", "--accept", str(self.script.boxes))

    def pause(self) -> None:
        """Send no further box; returns when none is under way."""
        with writing(self.engine) as conn:
            pause_warehouse(conn, self.store_id, "paused by the bench", now_us())
        time.sleep(_SETTLE_S)

    def resume(self) -> None:
        """Send boxes."""
        with writing(self.engine) as conn:
            resume_warehouse(conn, self.store_id, now_us())

    def send(self, seconds: float) -> dict[str, Any]:
        """Send boxes, without live hooks, for so long; the rate is that between the first second and the last."""
        before, asked = self._count(), self._count_requests()
        self.resume()
        began = time.monotonic()
        seen: list[tuple[float, int]] = []
        while time.monotonic() - began < seconds and (not seen or seen[-1][1] < self.script.boxes):
            time.sleep(_POLL_S)
            seen.append((time.monotonic(), self._count()))
        moving = [(at, count) for at, count in seen if count > before]
        if len(moving) < 2:  # noqa: PLR2004 a rate needs two
            raise click.ClickException(f"no boxes go out: {self._read_states()}")
        (first_at, first), (last_at, last) = moving[0], moving[-1]
        calls = self._count_requests()
        return {
            "boxes": last - first,
            "seconds": round(last_at - first_at, 1),
            "per_hour": round(3_600 * (last - first) / (last_at - first_at)),
            "look_ups": calls["look_ups"] - asked["look_ups"],
            "cratejoy_requests_per_box": round((calls["cratejoy"] - asked["cratejoy"]) / (last - before), 3),
            "cratejoy_refused": calls["refused"] - asked["refused"],
        }

    def account(self) -> dict[str, Any]:
        """What has become of every box: twice at the warehouse, or neither there nor ready to go."""
        answer = request_json(f"{self.url}/_control/state")
        numbers = Counter(order["order_number"] for order in answer["orders"])
        with reading(self.engine) as conn:
            rows = conn.execute(select(FulfilmentOrder.order_number, FulfilmentOrder.state))
            states = {number: State(state) for number, state in rows}
        waiting = {number for number, state in states.items() if state is State.READY}
        return {
            "twice": sum(count - 1 for count in numbers.values()) + answer["counts"]["boxes_twice"],
            "lost": self.script.boxes - len(waiting | numbers.keys()),
            "sent": len(numbers),
            "left": len(waiting),
            "both": len(waiting & numbers.keys()),
            "states": dict(Counter(state.value for state in states.values())),
        }

    def _wait_for_report(self) -> None:
        """Until the dry run has found every box."""
        found, since = -1, time.monotonic()
        while True:
            with reading(self.engine) as conn:
                report = build_report(conn, self.store_id)
            if report.is_whole and report.would_go == self.script.boxes:
                return
            if report.would_go != found:
                found, since = report.would_go, time.monotonic()
            if time.monotonic() - since > _STALL_S:
                raise click.ClickException(f"the dry run found {found} boxes of {self.script.boxes}: {report.counts}")
            time.sleep(_POLL_S)

    def _count(self) -> int:
        return int(request_json(f"{self.url}/_control/state?orders=none")["orders"])

    def _count_requests(self) -> dict[str, int]:
        """To the warehouse those that look up, and to the store all."""
        calls = request_json(f"{self.url}/_control/requests")["requests"]
        asked = self.made.control("requests")["requests"]
        return {
            "look_ups": sum(call["method"] in _LOOK_UPS for call in calls),
            "cratejoy": len(asked),
            "refused": sum(one["status"] == _REFUSED for one in asked),
        }

    def _read_states(self) -> dict[str, int]:
        with reading(self.engine) as conn:
            return dict(Counter(conn.execute(select(FulfilmentOrder.state)).scalars()))

    def _control(self, path: str, body: dict[str, Any]) -> Any:
        return request_json(f"{self.url}/_control/{path}", body)

    def _command(self, name: str, *typed: str) -> Any:
        return self.made.command("receiver.cli", "fulfilment", name, "--store", "bench", *typed, "--json")


@contextmanager
def open_boxes(made: Installation, way: Way, script: Scenario) -> Iterator[Boxes]:
    """A warehouse of the sandbox, beside the installation."""
    engine = make_engine(made.database_url)
    try:
        with made.folder.running("warehouse", [sys.executable, "-m", "sandbox.warehouse"]) as (process, said):
            wait_until("the sandbox warehouse", lambda: "\n" in said(), process, said)
            yield Boxes(made, way, script, json.loads(said().splitlines()[0])["url"], engine, _save_keys(made, engine))
    finally:
        engine.dispose()


def _save_keys(made: Installation, engine: Engine) -> int:
    """Save Cratejoy's keys without the backfill that `connect` begins, and return the store's id."""
    store = made.store
    config = Credentials(store["client_id"], store["client_secret"], f"{store['url']}/v1/").as_config()
    keys = [made.environment["CRATEWIRE_SECRET_KEY"]]
    with writing(engine) as conn:
        found = find_store(conn, "bench")
        if found is None:
            raise click.ClickException("the store is not connected")
        save_store_api(conn, found.id, encrypt(keys, config, build_api_identity(found.id)), now_us())
    return found.id


def _format(time_: datetime) -> str:
    return time_.strftime("%Y-%m-%dT%H:%M:%SZ")
