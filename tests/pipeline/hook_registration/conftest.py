"""A store in the ledger whose Merchant API is the sandbox's, and everything needed to tend its hooks."""

from __future__ import annotations

from dataclasses import dataclass, field

import fakeredis
import pytest

from pipeline.context import Context
from pipeline.cratejoy.factory import build_client
from pipeline.hook_registration.store_hooks import OpenAPI, open_urgent_client
from pipeline.hook_registration.sync import sync_hooks
from pipeline.hook_registration.urls import build_hook_urls
from pipeline.infra.crypto.encryption import encrypt
from pipeline.infra.http.client import HTTPClient
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.hook_findings import list_findings
from pipeline.ledger.store_apis import find_store_api, request_hook_audit, save_store_api, set_hook_registration
from pipeline.ledger.stores import get_store, rotate_token
from tests.contexts import make_context
from tests.pipeline.ledger.rows import NOW, add_store
from tests.pipeline.sandbox_store import AMPLE_PER_S, Clock, StoreControl

KEYS = ("k" * 32,)
PUBLIC = "http://127.0.0.1:8080"


@dataclass
class RegisteredHooks:
    """The store, its hooks at the sandbox, and the ledger's word on them."""

    context: Context
    shop: StoreControl
    store_id: int
    clock: Clock = field(default_factory=Clock)
    open_api: OpenAPI = open_urgent_client

    def tend(self, **how):
        return sync_hooks(self.context, self.store_id, open_api=self.open_api, **how)

    def audit(self):
        """Have the hooks looked at anew, and mended."""
        with writing(self.context.engine) as conn:
            request_hook_audit(conn, self.store_id, self.clock.now)
        self.tend()

    def row(self):
        with reading(self.context.engine) as conn:
            return find_store_api(conn, self.store_id)

    def findings(self):
        with reading(self.context.engine) as conn:
            return list_findings(conn, self.store_id)

    def kinds(self, *, mended):
        """(kind, event) of the findings that were mended, or that are open."""
        return [(one.kind, one.event) for one in self.findings() if (one.mended_at is not None) is mended]

    def urls(self):
        with reading(self.context.engine) as conn:
            store = get_store(conn, self.store_id)
        return build_hook_urls(KEYS, self.context.settings.public_url, store.name, store.token_version)

    def registered(self):
        """event -> targets, of the hooks that are enabled."""
        found = {}
        for hook in self.api().page("hooks").results:
            if hook["enabled"]:
                found.setdefault(hook["event"], []).append(hook["target"])
        return found

    def hook(self, event):
        return next(one for one in self.api().page("hooks").results if one["event"] == event)

    def as_it_should_be(self):
        return self.registered() == {event: [url] for event, url in self.urls().items()}

    def api(self):
        return build_client(self.shop.credentials(), fakeredis.FakeRedis(), http=HTTPClient(), per_second=AMPLE_PER_S)

    def register(self, event, target, **more):
        hook = {"name": event, "event": event, "target": target, "request_type": "POST", **more}
        return self.api().create("hooks", hook)["id"]

    def rotate(self, old_until=None):
        with writing(self.context.engine) as conn:
            rotate_token(conn, self.store_id, old_until)
            request_hook_audit(conn, self.store_id, self.clock.now)

    def disconnect(self):
        with writing(self.context.engine) as conn:
            set_hook_registration(conn, self.store_id, self.clock.now, registers=False)


@pytest.fixture
def make_store_hooks(engine, shop):
    """A store with registered hooks, with this budget, this public address."""

    def made(per_second=AMPLE_PER_S, public_url=PUBLIC):
        with writing(engine) as conn:
            store_id = add_store(conn).id
            save_store_api(conn, store_id, encrypt(KEYS, shop.credentials().as_config()), NOW)
        clock, redis = Clock(), fakeredis.FakeRedis()
        settings = {"secret_keys": KEYS, "public_url": public_url, "cratejoy_rate": per_second}
        return RegisteredHooks(make_context(engine, redis, clock, **settings), shop, store_id, clock)

    return made


@pytest.fixture
def store_hooks(make_store_hooks) -> RegisteredHooks:
    return make_store_hooks()


@pytest.fixture
def tended(store_hooks) -> RegisteredHooks:
    """Every hook is registered already."""
    assert store_hooks.tend().done
    return store_hooks
