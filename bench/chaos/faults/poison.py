"""Bodies that kill their reader, eat its memory or hold it for ever: set aside after three tries, as they came."""

from __future__ import annotations

import json
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import select

from bench.chaos.fault_run import Fault, FaultRun
from bench.chaos.hooks import Hook
from bench.chaos.installation import Installation
from bench.chaos.poisoned_worker import EFFECTS, STARTED_FILE
from pipeline.inbox.poison import MAX_TRIES
from pipeline.ledger.engine import reading
from pipeline.ledger.schema.core import DeadHook

WORKER = "python -m bench.chaos.poisoned_worker"
REASON = "poison"


class QuarantinedHook(NamedTuple):
    """A hook that was set aside."""

    raw: bytes
    reason: str
    tries: int | None


def poison(scene: FaultRun) -> None:
    """Each kind among sound hooks, and a repeat of a body after it was quarantined."""
    hooks = [_make_poison_hook(scene, mark) for mark in EFFECTS for _ in range(scene.times(2, 1))]
    for hook in hooks:
        scene.load.send(hook)
        time.sleep(scene.seconds(10, 1))
    scene.load.send(hooks[0])
    sent = [hook.body for hook in (*hooks, hooks[0])]

    def check() -> None:
        scene.note(f"{len(sent)} poisonous hooks, set aside as {dict(scene.here.dead_hooks())}")
        for complaint in (
            *check_dead_hooks(sent, _load_dead_hooks(scene.here)),
            *check_starts(sent, _load_starts(scene.here)),
        ):
            scene.add_failure(complaint)

    scene.checks.append(check)


def check_dead_hooks(sent: Sequence[bytes], dead: Iterable[QuarantinedHook]) -> list[str]:
    """Describe what is wrong unless exactly these were quarantined as poison, with their bytes and tries."""
    dead = list(dead)
    wanted, condemned = (
        Counter(sent),
        Counter(dead_hook.raw for dead_hook in dead if (dead_hook.reason, dead_hook.tries) == (REASON, MAX_TRIES)),
    )
    missing, more = wanted - condemned, Counter(dead_hook.raw for dead_hook in dead) - wanted
    found = []
    if missing:
        found.append(
            f"{missing.total()} poisonous hooks were not set aside as {REASON} after {MAX_TRIES} tries, as they came"
        )
    if more:
        found.append(f"{more.total()} others were set aside, or the same once more")
    return found


def check_starts(sent: Iterable[bytes], begun: Counter[bytes]) -> list[str]:
    """Describe bodies that were never begun or begun too often: a repeat is known by its content.

    A body may share its first tries with another that kills the reader before it.
    """
    wrong = {number for number in (begun[hook] for hook in sent) if not 0 < number <= MAX_TRIES}
    return [f"a poisonous body was begun {number} times" for number in sorted(wrong)]


def _load_dead_hooks(here: Installation) -> list[QuarantinedHook]:
    with reading(here.engine) as db:
        found = db.execute(select(DeadHook.raw, DeadHook.reason, DeadHook.detail)).all()
    return [QuarantinedHook(zlib.decompress(raw), reason, detail.get("tries")) for raw, reason, detail in found]


def _load_starts(here: Installation) -> Counter[bytes]:
    return Counter((here.data_dir / STARTED_FILE).read_bytes().splitlines())


def _make_poison_hook(scene: FaultRun, mark: bytes) -> Hook:
    sound = scene.make(0)
    body = json.loads(sound.body) | {"note": mark.decode()}
    return Hook(sound.number, sound.who, json.dumps(body).encode(), f"poison {sound.number}", ())


FAULTS = (Fault("poison", poison, rate=20, needs_new_installation=True, worker=WORKER),)
