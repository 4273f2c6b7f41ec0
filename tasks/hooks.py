"""The links that turn hooks into ledger rows. A link's message is a hint; the inbox keeps what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog

from pipeline.chain.cost import SHARE_CPU_S, Costs
from pipeline.chain.counting import count_batch
from pipeline.chain.decoding import decode_batch
from pipeline.chain.limit import go_on, is_broken, is_suspicious, probe_is_due, stop, stopped
from pipeline.chain.probing import probe
from pipeline.chain.recording import record_dead, record_sound
from pipeline.chain.setting_aside import POISON, set_aside, without
from pipeline.chain.validating import validate_batch
from pipeline.errors import StaleFence
from pipeline.inbox import fair, stream, tries
from pipeline.inbox.finishing import finish
from pipeline.inbox.raw_hook import InboxEntry
from pipeline.inbox.turn import end_turn, hand_turn_on, keep_turn, take_turn, turn_is_free
from pipeline.model import REPLAY, Batch, FailedHook
from pipeline.record.batch import Recorded
from pipeline.record.dead import Raw
from tasks.app import task
from tasks.cpu_limit import cpu_limit
from tasks.kick import kick_again, kick_unless_kicked
from tasks.later import until_heard
from tasks.process import Process, this_process

log = structlog.get_logger(__name__)

MOST_BYTES = 4_000_000  # of raw bodies in one batch: it travels through the broker three times


@task("hooks.decode", bind=True)
def decode(self: Any) -> Batch | None:
    """Take the turn and a batch from the inbox, and read its bodies."""
    here = this_process()
    token = take_turn(here.redis)
    if token is None:
        _end_chain(self)
        return None
    try:
        batch = _decode(here, token)
        if batch is not None:
            hand_turn_on(here.redis, token)
            return batch
        end_turn(here.redis, token)
    except MemoryError:  # a body that needs all of it is counted like one that kills its reader
        raise
    except Exception:
        until_heard(lambda: end_turn(here.redis, token))
        raise
    _look_again(here)
    _end_chain(self)
    return None


@task("hooks.validate", bind=True)
def validate(self: Any, batch: Batch) -> Batch | None:
    """Load the bodies with their schemas."""
    here = this_process()
    try:
        if not keep_turn(here.redis, batch["token"]):
            _outrun(self, here, batch)
            return None
        costs = _costs()
        checked = validate_batch(batch, here.now, costs)
        _leave(here, costs)
        hand_turn_on(here.redis, batch["token"])
    except MemoryError:  # as above
        raise
    except Exception:
        _came_back(here, batch)
        raise
    return checked


@task("hooks.fan_out", bind=True)
def fan_out(self: Any, batch: Batch) -> list[int]:
    """Write the batch into the ledger, then let the inbox forget it. Returns the connections to wake."""
    here = this_process()
    try:
        if not keep_turn(here.redis, batch["token"]):
            _outrun(self, here, batch)
            return []
        connections = _record(here, batch)
    except StaleFence:
        _outrun(self, here, batch)
        return []
    except MemoryError:  # as above
        raise
    except BaseException:
        _came_back(here, batch)
        raise
    _look_again(here)
    if not connections:
        _end_chain(self)
    return connections


@task("hooks.sweep")
def sweep() -> None:
    """Wake the chain if hooks wait: a kick may have been lost, a worker killed, a ledger away."""
    redis = this_process().redis
    if stream.depth(redis) and turn_is_free(redis):
        kick_again()


def _look_again(here: Process) -> None:
    """After the turn has ended: a hook that came before wakes nobody. A chain that stands is woken by the sweep."""
    if stream.depth(here.redis) and not stopped(here.redis):
        kick_unless_kicked()


def _decode(here: Process, token: int) -> Batch | None:
    if stopped(here.redis) and not _may_go_on(here):
        return None
    entries = fair.read(here.redis, here.settings.batch, MOST_BYTES)
    now, too_often = tries.portion(here.redis, entries, token)
    if not now and not too_often:
        return None
    here.revocations.look()
    costs = _costs()
    batch = decode_batch(now, token, here.now, partial(_is_revoked, here), costs)
    _leave(here, costs)
    return set_aside(batch, too_often)


def _may_go_on(here: Process) -> bool:
    """Try the chain that stands every few seconds, and let it go on if most of what waits would."""
    if not probe_is_due(here.redis, here.now()):
        return False
    sound, failing = probe(here.redis, here.engine, here.now)
    if sound and not is_broken(sound, failing):
        go_on(here.redis)
        log.info("the chain goes on", sound=sound, failing=failing)
        return True
    return False


def _costs() -> Costs:
    return Costs(cpu_limit, SHARE_CPU_S)


def _leave(here: Process, costs: Costs) -> None:
    """A store that has used up its share is read by itself for a while; what is left of it stays in the inbox."""
    if costs.used_up:
        fair.read_alone(here.redis, costs.used_up, costs.left)
        log.info(
            "stores are read by themselves", left={store: len(costs.left.get(store, ())) for store in costs.used_up}
        )


def _is_revoked(here: Process, entry: InboxEntry) -> bool:
    return here.revocations.is_revoked(entry.store, entry.version, entry.received_at)


def _record(here: Process, batch: Batch) -> list[int]:
    raws = _raws(here, batch)
    recorded, ours = record_sound(here.engine, batch, raws, here.now, Costs(cpu_limit))
    sound = sum(one.events + one.duplicates for one in recorded)
    fresh = [one for one in ours if one["source"] != REPLAY]  # what was dead before costs nothing if it dies again
    held = fresh if fresh and _is_broken_release(here, fresh, sound) else []
    if died := [one for one in ours if one["source"] == REPLAY or not held]:
        recorded.append(record_dead(here.engine, died, raws, batch["token"], here.now))
    kept = without(batch, held)
    count_batch(kept, recorded, here.now())
    finish(here.redis, _entries(kept), _harmless(batch, raws), batch["token"], sound=sound > 0)
    _tell(batch, recorded)
    return sorted({connection for one in recorded for connection in one.connections})


def _is_broken_release(here: Process, ours: list[FailedHook], sound: int) -> bool:
    """Whether these hooks are to stay in the inbox; then the chain stands."""
    if not is_suspicious(here.redis, len(ours), sound):
        return False
    if not is_broken(*probe(here.redis, here.engine, here.now, [one["receipt"] for one in ours])):
        return False
    why = stop(here.redis, ours, here.now())
    log.error("the chain stops", version=why.version, link=why.link, error=why.error, hooks=why.hooks)
    return True


def _entries(batch: Batch) -> list[str]:
    return [one["entry_id"] for one in (*batch["hooks"], *batch["failed"])]


def _raws(here: Process, batch: Batch) -> dict[str, Raw]:
    return stream.raw_of(here.redis, _entries(batch))


def _harmless(batch: Batch, raws: Mapping[str, Raw]) -> list[Raw]:
    """Whatever went wrong, these bodies killed no reader."""
    harmless = [*batch["hooks"], *(one for one in batch["failed"] if one["reason"] != POISON)]
    return [raws[one["entry_id"]] for one in harmless if one["entry_id"] in raws]


def _outrun(link: Any, here: Process, batch: Batch) -> None:
    """Somebody else has had the turn meanwhile, and reads these hooks again."""
    _came_back(here, batch)
    _end_chain(link)


def _came_back(here: Process, batch: Batch) -> None:
    """Whatever went wrong, the reader lives: nobody need wait for its turn to run out, nor blame the bodies."""

    def tell() -> None:
        end_turn(here.redis, batch["token"])
        tries.forget(here.redis, _harmless(batch, _raws(here, batch)))

    until_heard(tell)


def _tell(batch: Batch, recorded: list[Recorded]) -> None:
    """What became of every receipt."""
    events = {receipt: event for one in recorded for receipt, event in one.ids.items()}
    repeats = {receipt: event for one in recorded for receipt, event in one.repeats.items()}
    dead = {receipt: reason for one in recorded for receipt, reason in one.died.items()}
    if events or repeats or dead:
        log.info("batch recorded", batch=batch["token"], events=events, repeats=repeats, dead=dead)


def _end_chain(link: Any) -> None:
    """Nothing to hand on: the links behind this one are not published."""
    link.request.chain = None
