"""Bodies that kill their reader, eat its memory or hold it for ever: set aside after three tries, as they came."""

from __future__ import annotations

import json
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import select

from bench.chaos.hooks import Hook
from bench.chaos.installation import Installation
from bench.chaos.poisoned import BEGUN, EFFECTS
from bench.chaos.scene import Fault, Scene
from pipeline.inbox.tries import MOST
from pipeline.ledger.engine import reading
from pipeline.ledger.tables import DeadHook

WORKER = "python -m bench.chaos.poisoned"
REASON = "poison"


class Dead(NamedTuple):
    """A hook that was set aside."""

    raw: bytes
    reason: str
    tries: int | None


def poison(scene: Scene) -> None:
    """Each kind among sound hooks, and one of them once more after it was condemned."""
    told = [_poisoned(scene, mark) for mark in EFFECTS for _ in range(scene.times(2, 1))]
    for one in told:
        scene.load.tell(one)
        time.sleep(scene.seconds(10, 1))
    scene.load.tell(told[0])
    sent = [one.body for one in (*told, told[0])]

    def check() -> None:
        scene.note(f"{len(sent)} poisonous hooks, set aside as {dict(scene.here.dead_hooks())}")
        for complaint in (*complaints(sent, _dead(scene.here)), *impatience(sent, _begun(scene.here))):
            scene.broke(complaint)

    scene.checks.append(check)


def complaints(sent: Sequence[bytes], dead: Iterable[Dead]) -> list[str]:
    """What is to be said unless each of these, and nothing else, was set aside as poison with its bytes and tries."""
    dead = list(dead)
    wanted, condemned = Counter(sent), Counter(one.raw for one in dead if (one.reason, one.tries) == (REASON, MOST))
    missing, more = wanted - condemned, Counter(one.raw for one in dead) - wanted
    found = []
    if missing:
        found.append(
            f"{missing.total()} poisonous hooks were not set aside as {REASON} after {MOST} tries, as they came"
        )
    if more:
        found.append(f"{more.total()} others were set aside, or the same once more")
    return found


def impatience(sent: Iterable[bytes], begun: Counter[bytes]) -> list[str]:
    """What is to be said of those that nobody began, or somebody too often: the repeat is known by its content.

    A body may share its first tries with another that kills the reader before it.
    """
    wrong = {number for number in (begun[one] for one in sent) if not 0 < number <= MOST}
    return [f"a poisonous body was begun {number} times" for number in sorted(wrong)]


def _dead(here: Installation) -> list[Dead]:
    with reading(here.engine) as db:
        found = db.execute(select(DeadHook.raw, DeadHook.reason, DeadHook.detail)).all()
    return [Dead(zlib.decompress(raw), reason, detail.get("tries")) for raw, reason, detail in found]


def _begun(here: Installation) -> Counter[bytes]:
    return Counter((here.data_dir / BEGUN).read_bytes().splitlines())


def _poisoned(scene: Scene, mark: bytes) -> Hook:
    sound = scene.make(0)
    body = json.loads(sound.body) | {"note": mark.decode()}
    return Hook(sound.number, sound.who, json.dumps(body).encode(), f"poison {sound.number}", ())


FAULTS = (Fault("poison", poison, rate=20, spoils=True, worker=WORKER),)
