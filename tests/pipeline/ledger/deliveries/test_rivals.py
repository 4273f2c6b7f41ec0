"""Two holders of one lane at once: each delivery is settled by one of them, and the earlier holder stops."""

from __future__ import annotations

import multiprocessing
import threading
from collections import Counter
from multiprocessing.queues import Queue

import pytest
from sqlalchemy import Engine

from pipeline.core.errors import StaleFence
from pipeline.core.messages import Sent
from pipeline.ledger.deliveries import HeldLane, acquire_lane, claim, settle
from pipeline.ledger.engine import make_engine, reading, writing
from tests.pipeline.ledger.rows import NOW, add_connection, add_deliveries, add_person, add_store, statuses

DELIVERIES = 60


def _fill(engine: Engine) -> int:
    with writing(engine) as conn:
        store = add_store(conn)
        link = add_connection(conn, store.id)
        add_deliveries(conn, link, add_person(conn, store.id), DELIVERIES)
        return link.id


def _empty_lane(engine: Engine, connection_id: int) -> list[int]:
    """Hold the lane, and acquire it again whenever another process has acquired it, until it is empty."""
    settled: list[int] = []
    taken: HeldLane | None = None
    while True:
        try:
            with writing(engine) as conn:
                taken = taken or acquire_lane(conn, connection_id, 0, NOW)
                ids = [message.delivery_id for message in claim(conn, taken, 4)]
            with writing(engine) as conn:
                settle(conn, taken, [(id_, Sent()) for id_ in ids], [], NOW)
        except StaleFence:
            taken = None
            continue
        if not ids:
            return settled
        settled += ids


def _rival(url: str, connection_id: int, results: Queue[list[int]]) -> None:
    engine = make_engine(url)
    results.put(_empty_lane(engine, connection_id))
    engine.dispose()


@pytest.mark.slow
def test_processes_that_compete_for_a_lane_settle_every_delivery_once(database_url, engine):
    connection_id = _fill(engine)
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    rivals = [context.Process(target=_rival, args=(database_url, connection_id, results)) for _ in range(2)]
    for rival in rivals:
        rival.start()
    settled = Counter(id_ for _ in rivals for id_ in results.get(timeout=90))
    for rival in rivals:
        rival.join()

    with reading(engine) as conn:
        left = set(statuses(conn))
    assert (len(settled), set(settled.values()), left) == (DELIVERIES, {1}, {"sent"})


@pytest.mark.slow
def test_threads_that_acquire_a_lane_at_once_get_different_tokens(engine):
    connection_id = _fill(engine)
    tokens: list[int] = []

    def take() -> None:
        for _ in range(10):
            with writing(engine) as conn:
                token = acquire_lane(conn, connection_id, 0, NOW).token
            tokens.append(token)

    takers = [threading.Thread(target=take) for _ in range(4)]
    for taker in takers:
        taker.start()
    for taker in takers:
        taker.join()

    assert sorted(tokens) == list(range(1, 41))


def test_a_claim_waits_for_a_new_holder_of_the_lane_and_is_then_refused(engine):
    """Without the lock it would claim deliveries that no later holder makes pending again."""
    connection_id = _fill(engine)
    with writing(engine) as conn:
        old = acquire_lane(conn, connection_id, 0, NOW)
    claimed: list[object] = []

    def claim_late() -> None:
        try:
            with writing(engine) as conn:
                claimed.extend(claim(conn, old, 1))
        except StaleFence as refused:
            claimed.append(type(refused))

    late = threading.Thread(target=claim_late)
    with writing(engine) as conn:
        acquire_lane(conn, connection_id, 0, NOW)
        late.start()
        late.join(0.2)
        waited = late.is_alive()
    late.join()

    assert (waited, claimed) == (True, [StaleFence])
