"""An installation of the version before is upgraded with work queued, and goes back with work queued.

The code of that version runs in processes of its own, from the history of this checkout.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.chaos.release_before import unpack_release_before
from pipeline.infra.environment import read_environment
from pipeline.ledger.migrations import OLDEST_BACK
from tests.contracts.fake_track import fake_track
from tests.deploy.shell import ROOT
from tests.installation import KEY

NOT_PASSED_ON = ("CRATEWIRE_", "PYTHONDONTWRITEBYTECODE")  # each process would compile all of its code
COMMIT = "9c59603a"  # the last one at that revision
BEGIN = """
import json, os
from pipeline.ledger.migrations import migrate
migrate(os.environ["DATABASE_URL"], print)
from tasks.app import app
from tasks.process import get_process_context
from tests.installation import Installation, order_hook
app.loader.import_default_modules()
installed = Installation(get_process_context(), dict(os.environ))
work = lambda: app.tasks["hooks.decode"](0)
receive = lambda number: installed.receive(order_hook(number, receipt=f"{number:032x}"))
"""
QUEUED = """
installed.connect(json.loads(os.environ["TRACK"]))
installed.record(order_hook(1, receipt=f"{1:032x}"))
receive(2)
"""
UPGRADED = """
from sqlalchemy import text
from pipeline.ledger.engine import writing
from pipeline.ledger.migrations import OLDEST_BACK, migrate_back
work()
with writing(installed.process.engine) as conn:
    conn.execute(text("UPDATE dictionaries SET used_from = 0"))  # as if an hour had passed
    conn.execute(text("UPDATE connections SET status = 'paused'"))
receive(3)
work()
receive(4)
with writing(installed.process.engine) as conn:
    conn.execute(text("UPDATE connections SET status = 'active'"))
    print("packed:", conn.execute(text("SELECT count(*) FROM events WHERE packed IS NOT NULL")).scalar_one())
migrate_back(os.environ["DATABASE_URL"], OLDEST_BACK)
"""
BACK = """
work()
"""


@dataclass(frozen=True)
class Versions:
    """The same installation, run by the code of either version."""

    before: Path
    environment: dict[str, str]

    def run(self, code: Path, program: str, config: str = "") -> str:
        """Run a program with the code of a version."""
        done = subprocess.run(
            [sys.executable, "-P", "-c", BEGIN + program],
            cwd=code,
            env={**self.environment, "PYTHONPATH": str(code), "TRACK": config},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr[-2_000:]
        return done.stdout


@pytest.fixture(scope="module")
def code_before(tmp_path_factory):
    code = unpack_release_before(tmp_path_factory.mktemp("before"), COMMIT)
    if code is None:
        pytest.skip("a checkout without history")
    return code


@pytest.fixture
def versions(code_before, tmp_path, empty_url, valkey_url, redis_client):
    environment = {name: value for name, value in read_environment(None).items() if not name.startswith(NOT_PASSED_ON)}
    ours = {"REDIS_URL": valkey_url, "DATABASE_URL": empty_url, "CRATEWIRE_DATA_DIR": str(tmp_path / "data")}
    ours |= {"CRATEWIRE_SECRET_KEY": KEY, "CRATEWIRE_CONNECT_ANYWHERE": "true"}
    return Versions(code_before, {**environment, **ours})


def list_delivered(track):
    """The orders whose event the platform took, in the order in which they came."""
    return [one["attributes"]["subject_id"] for call in track.calls for one in call.taken if one["action"] == "event"]


@pytest.mark.slow
def test_queued_work_goes_on_after_an_upgrade_and_after_the_way_back(versions):
    """Of orders 1 and 3 a message waits, compressed in the end; the hooks of orders 2 and 4 wait in the inbox."""
    with fake_track() as track:
        versions.run(versions.before, QUEUED, json.dumps(track.config))
        before = list_delivered(track)
        said = versions.run(ROOT, UPGRADED)
        upgraded = list_delivered(track)
        versions.run(versions.before, BACK)

        assert f"The database is at revision {OLDEST_BACK}; " in said
        assert "packed: 1\n" in said
        assert (before, upgraded, list_delivered(track)) == ([], [1, 2], [1, 2, 3, 4])
