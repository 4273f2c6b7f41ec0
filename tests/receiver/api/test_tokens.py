"""Who is let in: with a token that counts, its scope, and within its limit."""

from __future__ import annotations

import logging

import pytest
from redis import Redis

from pipeline.ledger.accounts import add_member, remove_user
from pipeline.ledger.api_tokens import DAY_US, authenticate, list_tokens, revoke_token
from pipeline.ledger.audit import COMMAND_LINE_ACTOR
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.schema.api_tokens import ApiToken
from pipeline.ledger.stores import ensure_account
from pipeline.operations.reencrypt import reencrypt_all
from receiver.api.app import create_api
from receiver.api.limits import RequestLimits
from tests.receiver.api.conftest import Caller


def is_let_in(api, token):
    return Caller(api.app, token).get("/token").status_code == 200


def test_a_token_says_what_it_may_do(filled):
    said = filled.caller("read", "replay").get("/token").get_json()

    assert (said["account"], said["shops"], said["scopes"]) == ("default", ["acme"], ["read", "replay"])


def test_without_a_token_the_answer_is_a_problem_that_asks_for_one(api):
    answer = Caller(api.app, None).get("/shops")

    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="cratewire"'
    assert answer.get_json()["status"] == 401


CHANGES = {
    "in capitals": str.upper,
    "too short": lambda text: text[:-1],
    "too long": lambda text: f"{text}0",
    "only the prefix": lambda _: "cwt_",
    "another one's": lambda text: f"{text[:-1]}{'1' if text[-1] == '0' else '0'}",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_token_is_refused(api, change):
    assert not is_let_in(api, CHANGES[change](api.make_token()))


def test_a_token_of_another_kind_is_refused(api):
    answer = Caller(api.app, None).get("/token", Authorization=f"Basic {api.make_token()}")

    assert (answer.status_code, 'error="invalid_token"' in answer.headers["WWW-Authenticate"]) == (401, True)


def test_a_token_ends(api):
    token = api.make_token(days=1)
    before = is_let_in(api, token)
    api.clock[0] += DAY_US

    assert (before, is_let_in(api, token)) == (True, False)


def test_a_revoked_token_counts_for_nothing_at_once(api):
    token = api.make_token()
    with writing(api.engine) as conn:
        revoked = revoke_token(conn, 1, 1, COMMAND_LINE_ACTOR, api.clock[0])

    assert (revoked, is_let_in(api, token)) == (True, False)


def test_a_token_is_revoked_by_its_own_account_only(api):
    api.make_token()
    with writing(api.engine) as conn:
        other = ensure_account(conn, "other", 0)

        assert not revoke_token(conn, other, 1, COMMAND_LINE_ACTOR, api.clock[0])


def test_a_token_without_the_scope_is_refused(filled):
    answer = filled.caller("read").get("/people")

    assert (answer.status_code, 'scope="read-people"' in answer.headers["WWW-Authenticate"]) == (403, True)


def test_a_token_may_do_no_more_than_its_maker(filled):
    owner = filled.member("owner")
    caller = filled.caller(user=owner)
    before = caller.get("/token").get_json()["scopes"]
    with writing(filled.engine) as conn:
        add_member(conn, ensure_account(conn, "default", 0), owner, "reader", 0)

    after = caller.get("/token").get_json()["scopes"]

    assert ("rights" in before, after) == (True, ["read", "read-people"])


def test_a_token_goes_with_its_maker(filled):
    filled.member("owner")
    token = filled.make_token(user=filled.member("reader"))
    with writing(filled.engine) as conn:
        remove_user(conn, "reader@example.com")

    assert (is_let_in(filled, token), filled.installed.rows(ApiToken)) == (False, [])


def test_the_secret_is_nowhere_in_the_ledger(api):
    secret = api.make_token().rpartition("_")[2]

    assert secret not in repr(api.installed.rows(ApiToken))


def test_a_token_outlives_a_new_secret_key(api):
    token = api.make_token()
    [old] = api.installed.process.settings.secret_keys
    with writing(api.engine) as conn:
        reencrypt_all(conn, ["new", old])
    with reading(api.engine) as conn:
        found = authenticate(conn, ["new"], token, api.clock[0])

    assert found is not None


def test_a_token_whose_key_is_lost_is_refused(api):
    token = api.make_token()
    with reading(api.engine) as conn:
        assert authenticate(conn, ["another"], token, api.clock[0]) is None


def test_the_last_use_is_written_once_a_minute(api):
    caller = api.caller()

    def last_use():
        caller.get("/token")
        with reading(api.engine) as conn:
            return list_tokens(conn, [1])[0].last_used_at

    first = last_use()
    api.clock[0] += 59_000_000
    same = last_use()
    api.clock[0] += 1_000_000

    assert (first, same, last_use()) == (api.clock[0] - 60_000_000, first, api.clock[0])


def test_no_token_is_logged(api, caplog):
    caplog.set_level(logging.DEBUG)
    token = api.make_token()
    for caller in (Caller(api.app, token), Caller(api.app, f"{token}0")):
        caller.get("/token")
        caller.post("/people/search", {"shop": "acme", "wanted": "mila@example.com"})

    assert (token in caplog.text, "mila@" in caplog.text) == (False, False)


def test_a_token_over_its_limit_is_asked_to_wait(api):
    app = create_api(api.app.extensions["cratewire.context"], RequestLimits(2))
    caller = Caller(app, api.make_token())
    answers = [caller.get("/token") for _ in range(3)]

    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert answers[2].status_code == 429
    assert answers[2].content_type == "application/problem+json"
    assert 0 < int(answers[2].headers["Retry-After"]) <= 60
    assert Caller(app, api.make_token()).get("/token").status_code == 200  # another token has its own limit


def test_all_web_processes_count_a_tokens_requests_together(api, redis_client):
    token, context = api.make_token(), api.app.extensions["cratewire.context"]
    processes = [Caller(create_api(context, RequestLimits(2, redis_client)), token) for _ in range(3)]

    assert [process.get("/token").status_code for process in processes] == [200, 200, 429]


def test_while_redis_is_away_each_process_counts_by_itself(api):
    token, context = api.make_token(), api.app.extensions["cratewire.context"]
    away = Redis.from_url("redis://127.0.0.1:1")
    processes = [Caller(create_api(context, RequestLimits(1, away)), token) for _ in range(2)]

    assert [process.get("/token").status_code for process in (*processes, *processes)] == [200, 200, 429, 429]


def test_wrong_tokens_are_limited_for_each_network(api):
    client = api.app.test_client()

    def status(address):
        headers = {"Authorization": "Bearer cwt_no_no"}
        return client.get("/api/v1/token", headers=headers, environ_base={"REMOTE_ADDR": address}).status_code

    answers = [status("93.184.215.14") for _ in range(61)]

    assert (answers[59], answers[60], status("1.1.1.1")) == (401, 429, 401)
