"""The power goes: what was acknowledged before is still there, whatever the disks have of the rest."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bench.chaos.fault_run import Fault, FaultRun
from bench.chaos.power.cuts import Layout, make_cuts
from bench.chaos.power.record import Recording, find_obstacle, recording
from bench.chaos.power.trace import FileCall
from pipeline.infra.embedded_valkey import build_command
from pipeline.settings import Settings

TRACED = ("valkey", "web", "worker", "worker2", "postgres")
CUTS = {"sqlite": (1_000, 60), "postgresql": (100, 8)}  # in the whole form and in the short one
CUTS_WITHOUT_SYNC = (40, 12)
RATE = 40  # hooks per second: tracing is slow


def cut_power(scene: FaultRun) -> None:
    """Hooks flow while the system calls are recorded; the cuts are made afterwards, when everything has settled."""
    if obstacle := find_obstacle():
        scene.skip(obstacle)
        return
    here = scene.here
    processes = [pid for name in TRACED if name in here.keeper and (pid := here.keeper[name].pid)]
    layout = _lay_out(scene)
    roots = tuple(layout.places.values()) + ((layout.places["ledger"] / "data",) if layout.ledger != "sqlite" else ())
    with recording(processes, roots, here.keeper.folder / "power.trace") as recorded:
        for _ in range(scene.times(2, 1)):
            _let_everything_happen(scene)
    scene.checks.append(partial(_check, scene, recorded, layout))


def _let_everything_happen(scene: FaultRun) -> None:
    """Valkey rewrites its file, and sleeps, so that hooks go to the spool, which shrinks when they have left it."""
    here = scene.here
    time.sleep(scene.seconds(4, 2))
    here.redis.bgrewriteaof()
    time.sleep(scene.seconds(4, 2))
    here.keeper.kill("valkey", signal.SIGSTOP)
    time.sleep(3)
    here.keeper.kill("valkey", signal.SIGCONT)
    time.sleep(1)
    here.redis.bgrewriteaof()
    time.sleep(scene.seconds(5, 3))


def _lay_out(scene: FaultRun) -> Layout:
    here = scene.here
    settings = Settings.from_environment(here.keeper.environment)
    ledger = "sqlite" if here.database_url.startswith("sqlite") else "postgresql"
    database = here.ledger_file.parent if ledger == "sqlite" else Path(here.database_url.rpartition("host=")[2])
    places = {"valkey": here.valkey.directory, "spool": here.data_dir / "spool", "ledger": database}
    return Layout(places, ledger, Path(build_command(here.valkey)[0]), settings.secret_keys)


def _check(scene: FaultRun, recorded: Recording, layout: Layout) -> None:
    calls = recorded.read_calls()
    acknowledged = sorted(
        (hook.answered_at / 1e6, hook.hook.subject) for hook in scene.load.sent if hook.accepted and hook.answered_at
    )
    found = make_cuts(recorded, calls, acknowledged, layout, scene.rng, scene.times(*CUTS[layout.ledger]))
    scene.note(found.describe())
    for fault, times in found.faults.most_common(5):
        scene.add_failure(f"{times} times after a cut: {fault}")
    if found.lost or found.twice:
        scene.add_failure(found.describe())
    _check_that_it_would_show(scene, recorded, calls, acknowledged, layout)


def _check_that_it_would_show(
    scene: FaultRun,
    recorded: Recording,
    calls: Sequence[FileCall],
    acknowledged: Sequence[tuple[float, str]],
    layout: Layout,
) -> None:
    """With the syncs of one part taken out, the same cuts must lose hooks."""
    for name, place in layout.places.items():
        if name != "ledger" and layout.ledger != "sqlite":
            continue  # shown with SQLite
        ignores = partial(_is_below, str(place))
        number = scene.times(*CUTS_WITHOUT_SYNC) if layout.ledger == "sqlite" else 5
        found = make_cuts(recorded, calls, acknowledged, layout, scene.rng, number, ignores)
        scene.note(f"without the syncs of {name}: {found.losing} of {found.cuts} cuts lose hooks")
        if not found.losing:
            scene.add_failure(f"without the syncs of {name} no cut lost a hook: these cuts show nothing")


def _is_below(place: str, path: str) -> bool:
    return path == place or path.startswith(f"{place}/")


FAULTS = (Fault("power cut", cut_power, rate=RATE, needs_new_installation=True, syncs=True),)
