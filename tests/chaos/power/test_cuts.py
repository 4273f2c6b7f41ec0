"""Power cuts of a small installation: nothing is lost, and the same cuts lose hooks once a part does not sync."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from random import Random

import pytest
from redis import Redis

from bench.chaos.power.cuts import Layout, make_cuts
from bench.chaos.power.record import Recording, find_obstacle, recording
from bench.chaos.power.trace import FileCall
from bench.chaos.supervisor import ROOT
from pipeline.infra.embedded_valkey import EmbeddedValkey, build_command, find_free_port, is_up
from tests.installation import KEY
from tests.servers.process import with_parent_death_signal
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_obstacle() is not None, reason="no process can be traced here"),
    pytest.mark.timeout(600),
]
HOOKS = 120
STOPPED = range(40, 80)  # hooks that come while Valkey does not answer
CUTS = 15


@dataclass
class Recorded:
    recording: Recording
    calls: list[FileCall]
    acknowledged: list[tuple[float, str]]
    layout: Layout

    def cut(self, without: str = "") -> object:
        place = str(self.layout.places[without]) if without else "nowhere"
        ignores = partial(_is_below, place)
        return make_cuts(self.recording, self.calls, self.acknowledged, self.layout, Random(1), CUTS, ignores)


def _is_below(place, path):
    return path.startswith(place)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory, migrated_sqlite):
    home = tmp_path_factory.mktemp("power")
    ledger = home / "ledger"
    ledger.mkdir()
    shutil.copy(migrated_sqlite, ledger / "cratewire.db")
    server = EmbeddedValkey(home, find_free_port(), "secret")
    command = build_command(server)
    valkey = subprocess.Popen(with_parent_death_signal(command), stdout=subprocess.DEVNULL)
    wait_until(lambda: is_up(server))
    arguments = [server.url, str(home), f"sqlite:///{ledger / 'cratewire.db'}", str(HOOKS)]
    program = [sys.executable, "-m", "tests.chaos.power.small_installation", *arguments]
    child = subprocess.Popen(program, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout.readline() == "ready\n"
        layout = Layout(
            {"valkey": server.directory, "spool": home / "spool", "ledger": ledger}, "sqlite", command[0], (KEY,)
        )
        with recording([valkey.pid, child.pid], tuple(layout.places.values()), home / "trace") as found:
            acknowledged = _play(child, valkey.pid, server)
            time.sleep(0.5)  # the last moments are cut as well
        yield Recorded(found, found.read_calls(), acknowledged, layout)
    finally:
        for process in (child, valkey):
            process.kill()
            process.communicate()


def _play(child, valkey, server):
    child.stdin.write("go\n")
    child.stdin.flush()
    acknowledged = []
    while (line := child.stdout.readline()) != "done\n":
        at, subject = line.split()
        acknowledged.append((float(at), subject))
        if len(acknowledged) in (STOPPED.start - 15, STOPPED.stop + 20):
            with Redis.from_url(server.url) as client:
                client.bgrewriteaof()
        if len(acknowledged) in (STOPPED.start, STOPPED.stop):
            os.kill(valkey, signal.SIGSTOP if len(acknowledged) == STOPPED.start else signal.SIGCONT)
    return acknowledged


def test_every_hook_that_was_acknowledged_survives(recorded):
    found = recorded.cut()

    assert (found.cuts, found.lost, found.twice, found.faults) == (CUTS, 0, 0, {})
    assert found.torn
    assert found.recorded


@pytest.mark.parametrize("part", ["valkey", "spool", "ledger"])
def test_without_the_syncs_of_one_part_hooks_are_lost(recorded, part):
    assert recorded.cut(without=part).losing


def test_each_part_was_at_work(recorded):
    written = {call.path for call in recorded.calls if call.kind == "write"}
    shrunk = [call for call in recorded.calls if call.kind == "truncate" and "/spool/" in call.path]

    assert all(any(str(place) in path for path in written) for place in recorded.layout.places.values())
    assert shrunk
    assert any(call.kind == "rename" and "appendonly" in call.target for call in recorded.calls)
