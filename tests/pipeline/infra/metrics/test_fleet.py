"""The counts of several processes are added up, and nothing is counted twice."""

from __future__ import annotations

import multiprocessing

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram
from redis import ConnectionError as RedisAway
from redis import Redis

from pipeline.infra.metrics import HOOKS, REGISTRY
from pipeline.infra.metrics.fleet import MetricsPublisher, build_families, get_totals


class FakeProcess:
    """The counters of one process."""

    def __init__(self, redis):
        self.registry = CollectorRegistry()
        self.sent = Counter("sent", "Sent.", ["way"], registry=self.registry)
        self.took = Histogram("took", "Took.", buckets=(1, 10), registry=self.registry)
        self.publisher = MetricsPublisher(redis, self.registry)


@pytest.fixture
def two(redis_client):
    return FakeProcess(redis_client), FakeProcess(redis_client)


def test_the_counts_of_two_processes_are_added(two, redis_client):
    for process, times in zip(two, (2, 3), strict=True):
        process.sent.labels("post").inc(times)
        process.publisher.publish()

    assert get_totals(redis_client) == {'["sent_total",{"way":"post"}]': 5.0}


def test_publishing_again_adds_only_new_counts(two, redis_client):
    process, _ = two
    for _ in range(3):
        process.sent.labels("post").inc()
        process.publisher.publish()
    process.publisher.publish()

    assert get_totals(redis_client) == {'["sent_total",{"way":"post"}]': 3.0}


def test_a_histogram_is_added_bucket_by_bucket(two, redis_client):
    for process in two:
        process.took.observe(5)
        process.publisher.publish()

    assert get_totals(redis_client) == {
        '["took_bucket",{"le":"10.0"}]': 2.0,
        '["took_bucket",{"le":"+Inf"}]': 2.0,
        '["took_count",{}]': 2.0,
        '["took_sum",{}]': 10.0,
    }


def test_counts_from_before_a_fork_are_the_parents(redis_client):
    parent = FakeProcess(redis_client)
    parent.sent.labels("post").inc(7)

    child = MetricsPublisher(redis_client, parent.registry)
    child.publish()

    assert get_totals(redis_client) == {}


def test_no_count_is_lost_while_redis_is_away(two, redis_client):
    process = FakeProcess(Redis(port=1))
    process.sent.labels("post").inc()

    with pytest.raises(RedisAway):
        process.publisher.publish()

    assert process.publisher.get_unpublished() == {'["sent_total",{"way":"post"}]': 1.0}


def count_hook(url: str) -> None:
    mine = MetricsPublisher(Redis.from_url(url))
    HOOKS.labels("inbox").inc()
    mine.publish()


def test_real_processes_add_up(valkey_url, redis_client):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=count_hook, args=(valkey_url,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(100)

    assert get_totals(redis_client)['["cratewire_hooks_total",{"way":"inbox"}]'] == 2.0


def samples(totals):
    return {
        (sample.name, *sample.labels.items()): sample.value
        for family in build_families(totals)
        for sample in family.samples
    }


def test_every_family_is_shown_even_without_counts():
    assert {family.name for family in build_families({})} == {family.name for family in REGISTRY.collect()}


def test_a_total_is_shown_under_its_labels():
    assert samples({'["cratewire_hooks_total",{"way":"spool"}]': 4.0})["cratewire_hooks_total", ("way", "spool")] == 4.0


def test_the_counts_of_a_metric_that_was_removed_are_left_out():
    shown = samples({'["cratewire_long_gone_total",{}]': 4.0})

    assert not any(name.startswith("cratewire_long_gone") for name, *_ in shown)


def test_one_family_takes_nothing_from_another_with_a_longer_name():
    shown = samples({'["cratewire_budget_wait_seconds_total",{"connection":"1"}]': 4.0})

    assert [value for (name, *_), value in shown.items() if value == 4.0] == [4.0]
