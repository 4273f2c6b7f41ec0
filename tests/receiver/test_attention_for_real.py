"""With keys refused, a platform away and a hook deleted at the store: a mail, exit codes, and an end by itself.

Everything runs as processes of their own, from the store to the mail. What takes minutes is not waited for but brought
forward in the ledger; another test adds the minutes up.
"""

from __future__ import annotations

import email
import json
from dataclasses import dataclass
from functools import cached_property, partial

import fakeredis
import pytest
from redis import Redis
from sqlalchemy import func, literal, or_, select, update

from pipeline.attention.causes.platform_away import MIN_DURATION_US
from pipeline.cratejoy.credentials import Credentials
from pipeline.cratejoy.factory import build_client
from pipeline.hook_registration.sync import AUDIT_INTERVAL_US
from pipeline.infra import redis_keys
from pipeline.infra.embedded_valkey import load_embedded_valkey
from pipeline.infra.http.client import HTTPClient
from pipeline.ledger.engine import make_engine, reading, writing
from pipeline.ledger.schema.core import Lane
from pipeline.ledger.schema.store_apis import HookFinding, StoreAPI
from receiver.demo.processes import DemoInstallation, DemoProcesses, start_demo
from receiver.demo.scenario import call_sandbox
from tasks.config import PERIODIC_TASKS, WOKEN_SWEEPS
from tests.installation import order_hook
from tests.servers.sandbox import sandbox_customerio
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PATIENCE_S = 240
STORE = "demo"
NAMED = {
    "keys refused": "nothing reaches Customer.io (refusing)",
    "platform away": "Customer.io (away) takes nothing",
    "hook deleted": "Cratejoy no longer sends order_new",
}


@dataclass
class Site:
    """An installation, a store and two platforms, with functions that break and repair them."""

    processes: DemoProcesses
    stage: DemoInstallation
    away: str
    hooks: dict[str, str]

    def cratewire(self, *typed):
        done = self.processes.run_module("receiver.cli", *typed)
        return done.returncode, done.stdout

    def break_all(self):
        call_sandbox(f"{self.stage.platform_keys['url']}/_sandbox/faults", {"mode": "auth-revoked"})
        call_sandbox(f"{self.away}/_sandbox/faults", {"mode": "status", "code": 503, "n": 100_000})
        assert self.last_finding >= 0  # read before the hook is deleted
        api = self._api()
        hook = next(one for one in api.page("hooks").results if one["event"] == "order_new")
        api.delete("hooks", hook["id"])
        for number in (1, 2, 3):
            call_sandbox(self.hooks["order_new"], json.loads(order_hook(number).raw))

    @cached_property
    def last_finding(self):
        """The newest finding before anything was broken: connecting the store had found hooks missing, too."""
        engine = make_engine(f"sqlite:///{self.stage.data / 'cratewire.db'}")
        with reading(engine) as conn:
            newest = conn.execute(select(func.max(HookFinding.id))).scalar() or 0
        engine.dispose()
        return newest

    def mend_all(self):
        for url in (self.stage.platform_keys["url"], self.away):
            assert HTTPClient().call("DELETE", f"{url}/_sandbox/faults").status == 200

    def bring_forward(self, *, verifies=False):
        """Move back the times in the ledger, so that what waits for minutes is due.

        `verifies`: also the audit after that which found the hook deleted. Within seconds it would find the hook there
        again, and the fault would be over before the sweep of every 30 seconds has seen it.
        """
        deleted = HookFinding.event == "order_new", HookFinding.kind == "missing"
        is_found = select(HookFinding.id).where(*deleted, HookFinding.id > self.last_finding).exists()
        engine = make_engine(f"sqlite:///{self.stage.data / 'cratewire.db'}")
        with writing(engine) as conn:
            failing = Lane.failing_since.is_not(None)
            conn.execute(update(Lane).where(failing).values(failing_since=Lane.failing_since - MIN_DURATION_US))
            conn.execute(update(StoreAPI).where(or_(literal(verifies), ~is_found)).values(audit_at=0))
        engine.dispose()
        with Redis.from_url(load_embedded_valkey(self.stage.data).url) as redis:
            redis.delete(*(redis_keys.credential_retry(number) for number in (1, 2, 3)))

    def mails(self):
        found = (email.message_from_bytes(one.read_bytes()) for one in (self.stage.data / "mail" / "new").glob("*"))
        return [f"{one['subject']}\n{one.get_payload(decode=True).decode()}" for one in found]

    def notices(self, end=""):
        """Whether each of the three has its mail; `end`: another text in it."""
        lines = [line for mail in self.mails() for line in mail.splitlines()]
        return all(any(words in line and end in line for line in lines) for words in NAMED.values())

    def _api(self):
        store = self.stage.store
        credentials = Credentials(store["client_id"], store["client_secret"], f"{store['url']}/v1/")
        return build_client(credentials, fakeredis.FakeRedis(), http=HTTPClient(), per_second=1_000)


def until(done, what, forward=None):
    """Poll every two seconds."""
    wait_until(done, what, meanwhile=forward, timeout_s=PATIENCE_S, interval_s=2)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    mail = {"CRATEWIRE_OPERATOR_MAIL": "oncall@example.com", "CRATEWIRE_WORKERS": "2"}
    processes = DemoProcesses(tmp_path_factory.mktemp("site"), mail)
    try:
        stage = start_demo(processes, 3)
        with sandbox_customerio() as away:
            there = away.config | {"url": away.config["base_url"]}
            _connect(processes, stage, stage.platform_keys, "refusing")
            yield Site(processes, stage, there["url"], _connect(processes, stage, there, "away"))
    finally:
        processes.stop()


def _connect(processes, stage, platform, label):
    where = ("--store", STORE, "--platform", "customerio", "--label", label, "--base-url", platform["url"])
    theirs = ("--site-id", platform["site_id"], "--api-key", platform["api_key"], "--region", platform["region"])
    store = ("--client-id", stage.store["client_id"], "--client-secret", stage.store["client_secret"])
    api = ("--cratejoy-url", f"{stage.store['url']}/v1/")
    done = processes.run_module("receiver.cli", "connect", *where, *theirs, *store, *api, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["hooks"]


def test_three_faults_are_reported_and_gone_when_fixed(site):
    assert site.cratewire("status", "--check")[0] == 0, site.cratewire("status")[1]

    site.break_all()
    until(site.notices, site.mails, site.bring_forward)
    (status, said), (doctor, found) = site.cratewire("status", "--check"), site.cratewire("doctor", "--json")
    assert (status, doctor) == (1, 1)
    assert said.startswith("3 things need you:")
    assert [name for name, words in NAMED.items() if words not in said or words not in found] == []

    site.mend_all()
    verify = partial(site.bring_forward, verifies=True)
    until(lambda: site.notices(": over at"), site.mails, verify)  # files, which cost less than a command every time
    until(lambda: site.cratewire("status", "--check")[0] == 0, lambda: site.cratewire("status")[1], verify)
    assert site.cratewire("status")[1].startswith("Nothing needs you.")


def test_a_mail_about_each_of_them_has_left_within_five_minutes():
    """The longest time until the fault is noticed, swept and mailed."""
    wait_seconds = PERIODIC_TASKS["attention.sweep"][1] + WOKEN_SWEEPS["mails.sweep"][1]
    seen = (MIN_DURATION_US / 1e6, AUDIT_INTERVAL_US / 1e6 + WOKEN_SWEEPS["registration.sweep"][1])

    assert max(seen) + wait_seconds < 300
