"""The command that shows and changes the partitions of the inbox."""

from __future__ import annotations

import json

import pytest

from pipeline.inbox import stream
from pipeline.infra import redis_keys
from pipeline.ledger.engine import reading
from pipeline.ledger.schema.fences import Fence
from tests.pipeline.inbox.hooks import hook


@pytest.fixture
def redis(installed):
    return installed.process.redis


@pytest.fixture
def waiting(redis):
    stream.add_all(redis, [hook(number, store=f"store-{number % 9}") for number in range(18)])


def test_a_new_inbox_shows_with_how_many_it_begins(shell, monkeypatch):
    monkeypatch.setenv("CRATEWIRE_PARTITIONS", "3")

    assert "The inbox has 3 partitions." in shell.said("partitions")


def test_it_shows_how_many_hooks_wait_in_each(shell, waiting):
    assert shell.json("partitions")["waiting"] == {"0": 18}


def test_it_moves_what_waits(shell, waiting, redis):
    said = shell.said("partitions", "4")

    assert "waiting hooks moved." in said
    assert "The inbox has 4 partitions." in said
    assert sum(stream.get_depths(redis).values()) == 18
    assert len(stream.get_depths(redis)) > 1


def test_the_ledger_takes_no_batch_of_an_earlier_chain_any_more(shell, waiting, installed):
    shell.said("partitions", "2")

    with reading(installed.process.engine) as conn:
        fences = {row.name: row.token for row in conn.execute(Fence.__table__.select())}
    assert fences["inbox"] > 0
    assert fences["inbox:1"] > 0


def test_a_number_that_there_cannot_be_is_refused(shell):
    assert "is not in the range 1<=x<=64" in shell.complaint("partitions", "65", code=2)


def test_a_change_beside_another_says_what_to_do(shell, waiting, redis):
    redis.set(redis_keys.PARTITIONS_LEASE, "another")

    assert "run this command again in a moment" in shell.complaint("partitions", "2")


def test_an_unfinished_change_is_shown(shell, waiting, redis):
    redis.hset(redis_keys.PARTITIONS, "next", 4)

    assert "It is being given 4; the workers finish that." in shell.said("partitions")


def test_the_status_says_how_many_there_are(shell, waiting):
    shell.said("partitions", "4")

    assert "inbox: 18 hooks in 4 partitions" in shell.said("status")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"number": 4}, "4"),
        ({"number": 1}, "the inbox has 1 partition, CRATEWIRE_PARTITIONS says 4"),
        ({"number": 1, "next": 4}, "1, and hooks are being moved into 4"),
        ({}, "4, from the first hook on"),
    ],
)
def test_the_doctor_compares_the_number_with_the_setting(shell, redis, monkeypatch, fields, said):
    monkeypatch.setenv("CRATEWIRE_PARTITIONS", "4")
    for name, value in fields.items():
        redis.hset(redis_keys.PARTITIONS, name, value)

    findings = json.loads(shell.run("doctor", "--json").stdout)
    assert [row["says"] for row in findings["findings"] if row["name"] == "partitions"] == [said]
