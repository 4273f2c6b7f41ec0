"""A real worker process between a real Valkey and the sandbox Customer.io."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager

import pytest

from pipeline.inbox import stream
from pipeline.infra import redis_keys
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.replays import Selection, find_replay, insert_replay, start_replay
from pipeline.ledger.schema import core
from pipeline.operations.replays.count import count_replay
from tasks.app import app
from tasks.chain import start_chain
from tasks.worker.backpressure import MAX_WAITING_MESSAGES, is_stalled
from tests.contracts.fake_track import CannedAnswer, fake_track
from tests.installation import order_hook
from tests.servers.sandbox import sandbox_customerio
from tests.servers.worker import worker
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TIMEOUT_S = 120
SECRET = "marian@example.com"
HUNDREDS = 300  # orders
MANY = 600  # orders: half a second of recording in batches of five
REFUSED = Selection("refused")


@pytest.fixture(scope="module")
def started():
    with sandbox_customerio() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(started):
    started.control("reset", {})
    return started


@pytest.fixture
def environment(installed, sandbox):
    """Small batches, so that many are under way when something happens."""
    installed.connect(sandbox.config)
    return {**installed.environment, "CRATEWIRE_BATCH": "5"}


def sweep():
    for name, queue in (("hooks.sweep", "hooks"), ("deliveries.sweep", "deliveries")):
        app.send_task(name, queue=queue, expires=5)


def until(done, worker):
    """Wait for a condition, and meanwhile sweep as beat would."""
    wait_until(done, lambda: worker.said, meanwhile=sweep, interval_s=0.5)


def orders(count):
    return [order_hook(number, f"person-{number % 7}@example.com", 7000 + number % 7) for number in range(count)]


def wanted(count):
    return sorted((f"person-{number % 7}@example.com", "order_new", number) for number in range(count))


def settled(installed):
    left = [row for row in installed.rows(core.Delivery) if row.status != "sent"]
    return not stream.depth(installed.process.redis) and not left and installed.rows(core.Event)


def test_hooks_in_the_inbox_arrive(installed, environment, sandbox, tmp_path):
    installed.receive(*orders(30))
    start_chain()

    with worker(environment, tmp_path / "worker.log") as running:
        until(lambda: settled(installed), running)

    assert sandbox.events() == wanted(30)


def test_a_worker_killed_in_the_middle_loses_nothing_and_doubles_nothing(installed, environment, sandbox, tmp_path):
    sandbox.control("switches", {"latency_ms": 100})
    installed.receive(*orders(MANY))
    start_chain()

    with worker(environment, tmp_path / "worker.log") as first:
        wait_until(lambda: sandbox.control("stats")["calls"], lambda: first.said)
        first.kill()
        assert 0 < stream.depth(installed.process.redis) < MANY
    with worker(environment, tmp_path / "worker.log", name="another") as second:
        until(lambda: settled(installed), second)

    assert sandbox.events() == wanted(MANY)
    assert [row.duplicates for row in installed.rows(core.Event)] == [0] * MANY
    assert installed.rows(core.DeadHook) == []


def test_a_connection_that_hangs_holds_no_process(installed, environment, sandbox, tmp_path):
    answered = threading.Event()
    with fake_track() as hanging:
        connection = installed.connect(hanging.config, store="other")
        installed.process.redis.sadd(redis_keys.FAST_LANES, f"{connection}:0")
        hanging.next.append(CannedAnswer(once=answered))
        installed.receive(order_hook(1, store="other"))
        start_chain()

        with worker(environment, tmp_path / "worker.log", concurrency=1) as running:
            until(lambda: hanging.calls, running)
            installed.receive(*orders(3))
            start_chain()
            until(lambda: sandbox.events() == wanted(3), running)

            assert at_a_lane(installed, connection)
            answered.set()
            until(lambda: settled(installed), running)


@pytest.mark.usefixtures("sandbox")
def test_a_worker_that_ends_lets_a_slow_call_come_to_its_end(installed, environment, tmp_path):
    answered = threading.Event()
    with fake_track() as slow:
        connection = installed.connect(slow.config, store="other")
        slow.next.append(CannedAnswer(once=answered))
        installed.receive(order_hook(1, store="other"))
        start_chain()

        with worker(environment, tmp_path / "worker.log", concurrency=1) as running:
            until(lambda: slow.calls, running)
            wait_until(lambda: app.control.inspect(timeout=0.5).active() == {running.name: []})
            running.end()
            wait_until(lambda: "Warm shutdown" in running.said, lambda: running.said)
            answered.set()
            wait_until(lambda: not at_a_lane(installed, connection))

    assert [row.status for row in installed.rows(core.Delivery)] == ["sent", "sent"]


def test_a_worker_without_a_free_process_leaves_messages_to_others(installed, environment, tmp_path):
    installed.receive(*orders(1))
    start_chain()
    with writing(installed.process.engine), worker(environment, tmp_path / "worker.log", concurrency=1):
        wait_until(lambda: "hooks.decode" in at_work())
        for _ in range(3):
            app.send_task("hooks.sweep", queue="hooks")
        waiting = [messages("hooks") for _ in range(5) if at_work()]  # each answer is a turn of its event loop

    assert min(waiting) == 3


def test_a_worker_is_seen_to_take_messages(installed, environment, tmp_path):
    for _ in range(MAX_WAITING_MESSAGES):
        app.send_task("hooks.sweep", queue="hooks")
    waited = is_stalled(app, "hooks")
    with worker(environment, tmp_path / "worker.log"):
        wait_until(lambda: installed.process.redis.exists(redis_keys.queue_activity("hooks")))

    assert waited


def test_a_rate_limit_is_refused_in_words_instead_of_having_no_effect(installed, environment, tmp_path):
    with worker(environment, tmp_path / "worker.log") as running:
        wait_until(lambda: app.control.ping([running.name], timeout=0.5))
        (reply,) = app.control.rate_limit(
            "deliveries.run_lane", "1/h", destination=[running.name], reply=True, timeout=30
        )

    assert reply[running.name]["error"].startswith("Cratewire's workers keep no rate limits")


def at_work():
    """What tasks of a worker are running."""
    active = app.control.inspect(timeout=0.5).active() or {}
    return [task["name"] for tasks in active.values() for task in tasks]


def at_a_lane(installed, connection=1):
    return bool(installed.process.redis.exists(redis_keys.lane_lease(connection, 0)))


def messages(queue):
    with app.connection_for_read() as connection, connection.channel() as channel:
        return channel.queue_declare(queue).message_count


def test_flower_sees_every_task_by_its_name_and_nobodys_data(installed, environment, sandbox, tmp_path):
    with worker(environment, tmp_path / "worker.log") as running, watching() as seen:
        until(lambda: named(seen), running)
        installed.receive(*(order_hook(number, SECRET) for number in range(20)))
        start_chain()
        until(lambda: {"hooks.decode", "deliveries.forward"} <= named(seen) and settled(installed), running)

    assert SECRET not in json.dumps(seen) + running.said


@contextmanager
def watching():
    """The events that a worker sends, as flower receives them."""
    seen, listening = [], threading.Event()
    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": seen.append})
        receiver.on_consume_ready = lambda *_, **__: listening.set()
        thread = threading.Thread(target=lambda: receiver.capture(limit=None, timeout=None, wakeup=False))
        thread.start()
        assert listening.wait(TIMEOUT_S)
        yield seen
        receiver.should_stop = True
        thread.join(TIMEOUT_S)


def named(seen):
    return {event["name"] for event in list(seen) if event["type"] == "task-received"}


def refuse_everything(installed):
    """As if the platform had refused all messages so far."""
    with writing(installed.process.engine) as conn:
        refused = {"status": "dead", "reason": "name_too_long", "done_at": installed.process.now()}
        conn.execute(core.Delivery.__table__.update().values(**refused))


def begin_replay(installed):
    process = installed.process
    with writing(process.engine) as conn:
        replay_id = insert_replay(conn, 1, REFUSED, delivers_again=False, user_id=None, now=process.now())
    count_replay(process.engine, replay_id, process.now)
    with writing(process.engine) as conn:
        assert start_replay(conn, replay_id, process.now())
    return replay_id


def find(installed, replay_id):
    with reading(installed.process.engine) as conn:
        row = find_replay(conn, replay_id)
    assert row is not None
    return row


def test_a_replay_whose_worker_was_killed_goes_on_and_everything_is_there_once(
    installed, environment, sandbox, tmp_path
):
    installed.record(*orders(HUNDREDS))
    refuse_everything(installed)
    replay_id = begin_replay(installed)
    queues = "hooks,deliveries,backfill"
    with worker(environment, tmp_path / "first.log", queues=queues) as first:
        app.send_task("replays.sweep", queue="deliveries")  # once: it hands over no more than MAX_AHEAD messages
        wait_until(sandbox.events, lambda: first.said, meanwhile=sweep, interval_s=0.05)
        first.kill()
    assert 0 < len(sandbox.events()) < HUNDREDS
    assert find(installed, replay_id).left > 0

    def sweep_all():
        app.send_task("replays.sweep", queue="deliveries", expires=5)
        sweep()

    with worker(environment, tmp_path / "second.log", "second", queues=queues) as second:
        wait_until(
            lambda: find(installed, replay_id).state == "done",
            lambda: second.said,
            meanwhile=sweep_all,
            interval_s=0.2,
        )

    row = find(installed, replay_id)
    ids = [event["id"] for person in sandbox.control("people") for event in person["events"]]
    assert sandbox.events() == wanted(HUNDREDS)
    assert len(ids) == len(set(ids)) == HUNDREDS
    assert (row.done, row.failed, row.left) == (row.total, 0, 0)
