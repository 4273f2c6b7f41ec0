"""How many calls of one user may be in progress, whatever they are for, in all processes together."""

from __future__ import annotations

from contextlib import ExitStack

from pipeline.infra.crypto.encryption import encrypt
from pipeline.ledger.connections import NewConnection, find_connection, save_connection, set_connection_config
from pipeline.ledger.engine import writing
from pipeline.ledger.stores import save_store
from tasks import deliveries


def connect_mailchimp(installed, audience, key="a" * 32 + "-us1"):
    process = installed.process
    with writing(process.engine) as conn:
        store = save_store(conn, "acme", process.now())
        link = save_connection(conn, NewConnection(store.id, "mailchimp", audience, b"", label=audience), process.now())
        config = {"api_key": key, "audience": audience, "base_url": "http://127.0.0.1:1"}
        set_connection_config(conn, link.id, encrypt(process.settings.secret_keys, config, link.identity))
        row = find_connection(conn, link.id)
    return deliveries.open_connection(process, row)


def test_two_audiences_of_one_user_share_the_calls_that_may_be_in_progress(installed):
    first, second = connect_mailchimp(installed, "one"), connect_mailchimp(installed, "two")
    other = connect_mailchimp(installed, "three", key="b" * 32 + "-us1")
    _, most = first.destination.calls_at_once

    with ExitStack() as stack:
        found = [stack.enter_context(first.take_slot()) for _ in range(most - 1)]
        found += [stack.enter_context(second.take_slot()) for _ in range(2)]
        another = stack.enter_context(other.take_slot())

    assert found == [True] * most + [False]
    assert another


def test_the_slots_of_a_user_do_not_name_the_key(installed):
    opened = connect_mailchimp(installed, "one")
    with opened.take_slot():
        names = installed.process.redis.keys("*:user:*")

    assert len(names) == 1
    assert b"a" * 8 not in names[0]
