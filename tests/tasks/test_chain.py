"""How the chain is woken, and what its messages show in headers, logs and flower."""

from __future__ import annotations

import json

import pytest

from pipeline.infra import redis_keys
from tasks.app import app
from tasks.chain import LINKS, start_chain, wake_once
from tasks.deliveries import publish_forward
from tests.installation import order_hook
from tests.tasks.inline_worker import take_all_messages, take_message

SECRET = "marian@example.com"


def test_a_kick_is_one_message_for_the_first_link(installed):
    start_chain()

    assert [message.task for message in take_all_messages("hooks")] == ["hooks.decode"]
    assert take_all_messages("deliveries") == []


def test_the_links_follow_each_other_in_their_queues(installed):
    start_chain()

    following = reversed(take_message("hooks").embed["chain"])
    assert [(one["task"], one["options"]["queue"]) for one in following] == list(LINKS[1:])


@pytest.mark.usefixtures("one_by_one", "small_batches")
def test_every_link_is_published_without_its_arguments_in_its_headers(installed):
    connection = installed.connect({"site_id": "s", "api_key": "k", "base_url": "http://127.0.0.1:1"})
    installed.receive(*(order_hook(number, SECRET) for number in range(3)))
    start_chain()

    headers = []
    for _ in ("decode", "validate", "fan_out"):
        message = take_message("hooks")
        headers.append(message.headers)
        message.work()
    publish_forward([connection])
    headers.append(take_message("deliveries").headers)

    assert [one["argsrepr"] for one in headers] == ["(…)"] * 4
    assert SECRET not in json.dumps(headers)


def test_no_link_shows_its_result():
    assert {app.tasks[name].resultrepr_maxsize for name, _ in LINKS} == {1}


def test_a_wakeup_while_another_is_pending_publishes_nothing(installed):
    for _ in range(3):
        wake_once()

    assert len(take_all_messages("hooks")) == 1


def test_the_first_link_lets_the_next_hook_kick_again(installed):
    wake_once()
    take_message("hooks").work()

    assert not installed.process.redis.exists(redis_keys.WAKEUP)


def test_a_kick_that_was_lost_is_given_again_after_a_while(installed):
    wake_once()

    assert 0 < installed.process.redis.pttl(redis_keys.WAKEUP) <= 5_000
