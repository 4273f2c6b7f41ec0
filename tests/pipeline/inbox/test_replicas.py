"""A hook is acknowledged only when enough replicas have it on disk, with real servers."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager

import pytest
from redis.exceptions import ResponseError

from pipeline.inbox import stream
from pipeline.inbox.replicas import MAX_LAG_S, ReplicasMissing, ReplicaWait, count_replicas
from pipeline.infra import redis_keys
from pipeline.ledger.schema.core import Event
from pipeline.settings import Settings
from receiver.hooks.build import build_ingest_router
from tests.installation import order_hook
from tests.pipeline.inbox.hooks import hook, hooks
from tests.servers.sentinel import PASSWORD, replicated_valkey
from tests.waiting import wait_until

ALONE = {"connected_slaves": 0}


def row(**changes):
    return {"ip": "10.0.0.2", "port": 6379, "state": "online", "offset": 1, "lag": 0} | changes


class Answers:
    """A Redis that gives these answers, one after the other, and then the last again; it records the questions."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers)
        self.asked: list[tuple] = []

    def execute_command(self, *command):
        self.asked.append(command)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self):
        return self

    def close(self):
        pass

    def set(self, *_):
        self.asked.append(("SET",))


class Clock:
    """Every look at it is 10 ms later."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 0.01
        return self.now


def wait_for(count=1):
    return ReplicaWait(count, 0.2, Clock())


def write(wait, redis):
    with wait.confirming(redis):
        pass


def test_without_replicas_nothing_is_asked():
    redis = Answers(ResponseError("never"))
    wait = wait_for(0)
    write(wait, redis)
    wait.check(redis)

    assert redis.asked == []


def test_replicas_are_asked_until_enough_have_it_on_disk():
    redis = Answers([1, 0], [1, 1], [1, 2])
    write(wait_for(2), redis)

    assert [command[:3] for command in redis.asked] == [("WAITAOF", 1, 2)] * 3


def test_replicas_that_do_not_confirm_in_time_are_missing():
    with pytest.raises(ReplicasMissing, match="0 of 1"):
        write(wait_for(), Answers([1, 0]))


def test_no_question_waits_for_ever():
    redis = Answers([1, 0])
    with pytest.raises(ReplicasMissing):
        write(wait_for(), redis)

    assert all(1 <= command[3] <= 20 for command in redis.asked)


def test_a_server_without_waitaof_is_asked_for_replicas_that_have_it_in_memory():
    redis = Answers(ResponseError("unknown command 'WAITAOF', with args beginning with: '1'"), 1)
    wait = wait_for()
    write(wait, redis)
    write(wait, redis)

    assert [command[0] for command in redis.asked] == ["WAITAOF", "WAIT", "WAIT"]
    assert not wait.counts_disks


def test_any_other_refusal_is_no_confirmation():
    refusal = ResponseError("WAITAOF cannot be used when numlocal is set but appendonly is disabled.")
    with pytest.raises(ResponseError):
        write(wait_for(), Answers(refusal))


def test_missing_replicas_are_tried_with_a_probe_before_any_hook_is_written_again():
    redis = Answers([1, 0])
    wait = wait_for()
    with pytest.raises(ReplicasMissing):
        write(wait, redis)
    redis.asked.clear()
    with pytest.raises(ReplicasMissing):
        wait.check(redis)
    assert redis.asked[0] == ("SET",)

    redis.answers = [[1, 1]]
    wait.check(redis)
    redis.asked.clear()
    wait.check(redis)
    assert redis.asked == []


@pytest.mark.parametrize(
    ("facts", "count"),
    [
        ({}, 0),
        (ALONE, 0),
        ({"connected_slaves": 2, "slave0": row(), "slave1": row()}, 2),
        ({"connected_slaves": 2, "slave0": row(), "slave1": row(state="wait_bgsave")}, 1),
        ({"connected_slaves": 1, "slave0": row(lag=MAX_LAG_S + 1)}, 0),
    ],
)
def test_only_replicas_that_report_are_counted(facts, count):
    assert count_replicas(facts) == count


@contextmanager
def router_for(url, tmp_path, replicas=1, timeout="20"):
    variables = {"REDIS_URL": url, "CRATEWIRE_REPLICAS": str(replicas), "CRATEWIRE_REDIS_TIMEOUT": timeout}
    router = build_ingest_router(Settings.from_environment(variables, data_dir=tmp_path), lambda _: None)
    try:
        yield router
    finally:
        router.close()


def plain_url(servers):
    return f"redis://:{PASSWORD}@127.0.0.1:{servers.ports[0]}/0"


def test_a_hook_that_is_acknowledged_is_at_the_replica(tmp_path):
    with replicated_valkey(0) as servers, router_for(plain_url(servers), tmp_path) as router:
        for number in range(20):
            assert router.store([hook(number)]) == "inbox"
            with servers.client(servers.ports[1]) as replica:
                assert stream.depth(replica) == number + 1


def test_without_its_replica_hooks_go_to_the_spool_and_return_in_order(tmp_path):
    with replicated_valkey(0) as servers, router_for(plain_url(servers), tmp_path, timeout="0.2") as router:
        replica = servers.processes[servers.ports[1]].pid
        os.kill(replica, signal.SIGSTOP)
        routes = [router.store(hooks(2)), router.store(hooks(2, first=3))]
        router.drain()
        waiting = router.get_status().spooled_hooks
        os.kill(replica, signal.SIGCONT)
        wait_until(lambda: not router.drain() and not router.get_status().spooled_hooks)
        with servers.client(servers.ports[0]) as primary:
            seen = [entry.receipt for entry in stream.read(primary, 100, 1_000_000)]

    assert (routes, waiting) == (["spool", "spool"], 4)
    # What was not confirmed is in the inbox too; the ledger knows a receipt that it has.
    assert seen == ["r1", "r2", "r1", "r2", "r3", "r4"]


def test_a_hook_that_both_the_inbox_and_the_spool_took_is_recorded_once(tmp_path, installed):
    with replicated_valkey(0) as servers, router_for(plain_url(servers), tmp_path, timeout="0.2") as router:
        replica = servers.processes[servers.ports[1]].pid
        os.kill(replica, signal.SIGSTOP)
        router.store([order_hook(1)])
        os.kill(replica, signal.SIGCONT)
        wait_until(lambda: not router.drain() and not router.get_status().spooled_hooks)
        with servers.client(servers.ports[0]) as primary:
            twice = stream.read(primary, 100, 1_000_000)
    installed.connect({})
    installed.record(twice[0])
    installed.record(twice[1])

    assert len(twice) == 2
    assert [event.duplicates for event in installed.rows(Event)] == [0]


def test_a_replica_that_keeps_nothing_on_disk_does_not_count(tmp_path):
    forgetful = replicated_valkey(0, "--appendonly", "no")
    with forgetful as servers, router_for(plain_url(servers), tmp_path, timeout="0.2") as router:
        assert router.store([hook()]) == "spool"


def test_no_acknowledged_hook_is_lost_when_the_primary_dies(tmp_path):
    accepted = []
    with replicated_valkey(1) as servers, router_for(servers.url, tmp_path, timeout="1.0") as router:
        for number in range(50):
            if number == 25:
                servers.kill(servers.primary_port())
            assert router.store([hook(number)]) in ("inbox", "spool")
            accepted.append(f"r{number}")
        wait_until(lambda: servers.primary_port() == servers.ports[1])
        servers.restart(servers.ports[0])
        wait_until(lambda: not router.drain() and not router.get_status().spooled_hooks)
        with servers.client(servers.ports[1]) as promoted:
            safe = [fields[b"r"].decode() for _, fields in promoted.xrange(redis_keys.INBOX)]

    assert [*dict.fromkeys(safe)] == accepted
