"""How the chain is woken, and what its messages show to whoever reads headers, logs or flower."""

from __future__ import annotations

import json

from pipeline import keys
from tasks.app import app
from tasks.kick import LINKS, kick_unless_kicked, publish
from tests.installation import order_hook
from tests.tasks.by_hand import take, take_all

SECRET = "marian@example.com"


def test_a_kick_is_one_message_for_the_first_link(installed):
    publish()

    assert [message.task for message in take_all("hooks")] == ["hooks.decode"]
    assert take_all("deliveries") == []


def test_the_links_follow_each_other_in_their_queues(installed):
    publish()

    following = reversed(take("hooks").embed["chain"])
    assert [(one["task"], one["options"]["queue"]) for one in following] == list(LINKS[1:])


def test_every_link_is_published_without_its_arguments_in_its_headers(installed):
    installed.connect({})
    installed.tell(order_hook(1, SECRET))
    publish()

    headers = []
    for queue in ("hooks", "hooks", "hooks", "deliveries"):
        message = take(queue)
        headers.append(message.headers)
        if message.task != "deliveries.forward":
            message.work()

    assert [one["argsrepr"] for one in headers] == ["(…)"] * 4
    assert SECRET not in json.dumps(headers)


def test_no_link_shows_its_result():
    assert {app.tasks[name].resultrepr_maxsize for name, _ in LINKS} == {1}


def test_whoever_kicks_while_a_kick_is_under_way_publishes_nothing(installed):
    for _ in range(3):
        kick_unless_kicked()

    assert len(take_all("hooks")) == 1


def test_the_first_link_lets_the_next_hook_kick_again(installed):
    kick_unless_kicked()
    take("hooks").work()

    assert not installed.process.redis.exists(keys.KICK)


def test_a_kick_that_was_lost_is_given_again_after_a_while(installed):
    kick_unless_kicked()

    assert 0 < installed.process.redis.pttl(keys.KICK) <= 5_000
