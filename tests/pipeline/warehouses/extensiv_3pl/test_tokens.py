from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from pipeline.core.fulfilment import AuthError, Created, NotFound, RateLimited, Retryable, WarehouseCall
from pipeline.warehouses.base import Tools
from pipeline.warehouses.extensiv_3pl import WarehouseManager
from pipeline.warehouses.extensiv_3pl.tokens import Grant, Tokens
from tests.pipeline.warehouses.extensiv_3pl.recorded import CONFIG, GRANT, listing, manager, row
from tests.pipeline.warehouses.kit import NOT_SENT, NOW_US, ORDER, ProcessValues, RecordedHTTP, answer, make_tools

MINUTE_US = 60_000_000


class Clock:
    def __init__(self) -> None:
        self.now = NOW_US

    def __call__(self) -> int:
        return self.now


class Counter:
    """Grants a token for so long, a new one each time."""

    def __init__(self, life_s: float = 3600) -> None:
        self.asked = 0
        self.life_s = life_s
        self.trouble: Retryable | None = None

    def __call__(self) -> Grant | Retryable:
        self.asked += 1
        return self.trouble or Grant(f"token-{self.asked}", self.life_s)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def values():
    return ProcessValues()


def make_tokens(values, clock, ask: Callable | None = None) -> Tokens:
    return Tokens(values, "account", ask or Counter(), clock)


def test_processes_share_a_token(values, clock):
    ask = Counter()

    assert make_tokens(values, clock, ask).get() == make_tokens(values, clock, ask).get() == "token-1"
    assert ask.asked == 1


@pytest.mark.parametrize(("life_s", "used_min"), [(3600, 30), (1800, 25), (600, 5), (120, 1)])
def test_a_token_is_renewed_five_minutes_before_its_end_and_after_half_an_hour(values, clock, life_s, used_min):
    tokens = make_tokens(values, clock, Counter(life_s))
    tokens.get()

    clock.now += used_min * MINUTE_US - 1
    before = tokens.get()
    clock.now += 1
    after = tokens.get()

    assert (before, after) == ("token-1", "token-2")
    assert values.ttl_s["account"] == life_s


def test_while_another_process_renews_the_old_token_is_used(values, clock):
    tokens = make_tokens(values, clock)
    tokens.get()
    clock.now += 31 * MINUTE_US
    values.locked.add("account")

    assert tokens.get() == "token-1"


def test_without_a_good_token_the_renewal_of_another_process_is_waited_for(values, clock):
    tokens = make_tokens(values, clock)
    tokens.get()
    values.locked.add("account")

    assert tokens.replace("token-1") == RateLimited(1.0)
    clock.now += 61 * MINUTE_US
    assert tokens.get() == RateLimited(1.0)


def test_a_token_that_another_process_has_replaced_is_not_renewed_again(values, clock):
    ask = Counter()
    tokens = make_tokens(values, clock, ask)
    old = tokens.get()
    make_tokens(values, clock, ask).replace(old)

    assert tokens.replace(old) == "token-2"
    assert ask.asked == 2


def test_a_token_that_was_renewed_just_before_the_lock_is_taken_over(values, clock):
    class Late(ProcessValues):
        """Another process renews between the look and the lock."""

        def lock(self, name):
            Tokens(values, name, Counter(), clock).get()
            return super().lock(name)

    late, ask = Late(), Counter()
    late.kept = values.kept

    assert Tokens(late, "account", ask, clock).get() == "token-1"
    assert ask.asked == 0


def test_a_renewal_that_fails_leaves_a_good_token_in_use(values, clock):
    ask = Counter()
    tokens = make_tokens(values, clock, ask)
    tokens.get()
    ask.trouble = Retryable("answered 503")
    clock.now += 31 * MINUTE_US

    assert tokens.get() == "token-1"
    clock.now += 30 * MINUTE_US
    assert tokens.get() == Retryable("answered 503")


def test_a_token_is_asked_for_with_what_the_warehouse_gave():
    warehouse, http = manager(listing(), user_login_id="5", tpl="{guid}")

    warehouse.find("SUB-1")

    token, call = http.requests
    assert token.url == "https://secure-wms.com/AuthServer/api/Token"
    assert token.headers["Authorization"] == "Basic " + base64.b64encode(b"client:secret").decode()
    assert token.content == {
        "grant_type": "client_credentials",
        "user_login": "svc-bridge",
        "user_login_id": "5",
        "tpl": "{guid}",
    }
    assert call.headers["Authorization"] == "Bearer opaque"


def test_a_refused_token_is_replaced_and_the_call_made_once_more():
    again = answer({"access_token": "second", "expires_in": 3600})
    warehouse, http = manager(answer("", 401), again, answer(row(), 201))

    assert warehouse.create(ORDER) == Created("4100001")
    assert [request.headers["Authorization"] for request in http.requests[1::2]] == ["Bearer opaque", "Bearer second"]


def test_a_second_refusal_pauses_the_connection():
    warehouse, _ = manager(answer("", 401), GRANT, answer("", 401))

    assert warehouse.find("SUB-1") == AuthError("the credentials were refused (401)")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            answer({"Message": "invalid_client: client not registered"}, 401),
            AuthError("no token for these credentials (401)"),
        ),
        (answer("", 400), AuthError("no token for these credentials (400)")),
        (answer("", 429, retry_after="3"), RateLimited(3.0)),
        (answer("", 429), RateLimited(30.0, doubles=True)),
        (answer("oops", 500), Retryable("answered 500")),
        (answer("<html>"), Retryable("answered 200 without a token")),
        (answer({"access_token": ""}), Retryable("answered 200 without a token")),
        (NOT_SENT, Retryable("connection refused")),
    ],
)
def test_each_answer_without_a_token(given, expected):
    """Nothing was sent but the question for a token: an order is not in doubt."""
    warehouse = WarehouseManager(CONFIG, make_tools(RecordedHTTP(given)))

    assert warehouse.create(ORDER) == expected


def test_a_token_without_its_life_lives_for_the_shortest_that_is_documented():
    values = ProcessValues()
    http = RecordedHTTP(answer({"access_token": "opaque"}), listing())

    WarehouseManager(CONFIG, Tools(http, values, lambda: NOW_US)).find("SUB-1")

    assert list(values.ttl_s.values()) == [1800.0]


def test_other_credentials_have_another_token():
    values = ProcessValues()
    tools = Tools(RecordedHTTP(GRANT, listing(), GRANT, listing()), values, lambda: NOW_US)

    WarehouseManager(CONFIG, tools).find("SUB-1")
    WarehouseManager(CONFIG | {"client_secret": "other"}, tools).find("SUB-1")

    assert len(values.kept) == 2
    assert not [name for name in values.kept if "secret" in name or "other" in name]


def test_a_spent_budget_is_no_call():
    http = RecordedHTTP(GRANT)

    assert WarehouseManager(CONFIG, make_tools(http, waits=[0.5])).find("SUB-1") == RateLimited(0.5)


def test_calls_are_recorded_without_numbers():
    calls: list[WarehouseCall] = []
    http = RecordedHTTP(GRANT, listing())

    assert WarehouseManager(CONFIG, make_tools(http, calls)).find("SUB-1") == NotFound()
    assert [(call.method, call.path, call.status) for call in calls] == [
        ("POST", "/AuthServer/api/Token", 200),
        ("GET", "/orders", 200),
    ]
