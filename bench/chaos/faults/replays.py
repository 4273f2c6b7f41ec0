"""Workers that are killed while a replay sends again what the platform has refused."""

from __future__ import annotations

import time

from bench.chaos.fault_run import Fault, FaultRun, now_us
from bench.chaos.installation import STORE, WORKERS, Installation
from bench.chaos.supervisor import SupervisedProcess
from bench.chaos.waiting import wait_until
from pipeline.ledger.engine import reading, writing
from pipeline.ledger.replays import DONE, ReplayRow, Selection, find_replay, insert_replay, start_replay
from pipeline.ledger.stores import find_store
from pipeline.operations.replays.count import count_replay
from receiver.supervisor.procfile import PROCFILE, build_shell_command

BACKFILL = "backfill"  # the process that runs replays
REPLAY_TIMEOUT_S = 240.0
_EVERY_ITEM = list(range(1_000))  # of a call


def workers_in_a_replay(scene: FaultRun) -> None:
    """SIGKILL for workers and for the process of the replay. What was refused must arrive once each, in order."""
    here = scene.here
    here.keeper.keep(SupervisedProcess(BACKFILL, build_shell_command(PROCFILE[BACKFILL])))
    try:
        _have_refused(scene, scene.times(1_000, 200))
        replay_id = _begin_replay(here)
        kills = 0
        while kills < scene.times(15, 4) and _find(here, replay_id).is_working:
            time.sleep(scene.rng.uniform(0.3, 1.5))
            here.keeper.kill(scene.rng.choice([*WORKERS, BACKFILL]))
            kills += 1
        _check_end(scene, replay_id, kills)
    finally:
        here.keeper.down(BACKFILL)


def _have_refused(scene: FaultRun, number: int) -> None:
    """Send so many hooks whose messages the platform refuses for good."""
    with scene.here.platform.fault(mode="partial", indexes=_EVERY_ITEM):
        known = len(scene.here.set_aside())
        for who in range(number):
            scene.send(who)
        here = scene.here
        wait_until(lambda: len(here.set_aside()) >= known + number and not here.waiting(), "all messages are refused")


def _begin_replay(here: Installation) -> int:
    with writing(here.engine) as conn:
        store = find_store(conn, STORE)
        if store is None:
            raise RuntimeError(f"there is no store {STORE}")
        refused = Selection("refused")
        replay_id = insert_replay(conn, store.id, refused, delivers_again=False, user_id=None, now=now_us())
    count_replay(here.engine, replay_id, now_us)
    with writing(here.engine) as conn:
        start_replay(conn, replay_id, now_us())
    return replay_id


def _check_end(scene: FaultRun, replay_id: int, kills: int) -> None:
    """Wait until the replay has ended, and see that it says of each message that it was sent."""
    deadline = time.monotonic() + REPLAY_TIMEOUT_S
    while (row := _find(scene.here, replay_id)).is_working and time.monotonic() < deadline:
        time.sleep(0.25)
    scene.note(f"{kills} kills while a replay sent {row.total} messages again")
    if (row.state, row.done) != (DONE, row.total):
        scene.add_failure(f"the replay is {row.state}: {row.done} of {row.total} done, {row.failed} failed")


def _find(here: Installation, replay_id: int) -> ReplayRow:
    with reading(here.engine) as conn:
        row = find_replay(conn, replay_id)
    if row is None:
        raise RuntimeError(f"there is no replay {replay_id}")
    return row


# No other hooks flow: what comes later about the same person would arrive before what was refused.
FAULTS = (Fault("killed in a replay", workers_in_a_replay, rate=0),)
