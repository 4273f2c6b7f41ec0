"""Runs the tests on all cores; the few that fail are run once more, alone, and named whatever comes of it.

Hundreds of tests start real processes on a machine that others use too. A test that fails twice, the second time with
the machine to itself, has found something; one that fails once is printed, so that it can be mended.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from pipeline.settings import read_environment

LAST_FAILED = Path(".pytest_cache/v/cache/lastfailed")
MAX_FILES = 3  # tests of more files have not failed by chance; a fixture that fails fails all tests of its file
SOME_FAILED = 1  # pytest's exit code for tests that failed; every other says that the run itself is broken
COVERAGE = ["--cov", "--cov-report="]


def main(arguments: list[str]) -> int:
    """Return pytest's exit code: of the second run, where there was one."""
    LAST_FAILED.unlink(missing_ok=True)
    code = _pytest("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", *COVERAGE, *arguments)
    failed = sorted(json.loads(LAST_FAILED.read_text())) if code == SOME_FAILED and LAST_FAILED.exists() else []
    if not 0 < len({test.partition("::")[0] for test in failed}) <= MAX_FILES:
        return code
    _say(f"failed, run once more alone: {', '.join(failed)}")
    code = _pytest(*COVERAGE, "--cov-append", *failed)
    if code == 0:
        _say(f"passed alone, to be mended: {', '.join(failed)}")
    return code


def _pytest(*arguments: str) -> int:
    """Run pytest, with bytecode files even where they are off: hundreds of processes would compile the same modules."""
    environment = {name: value for name, value in read_environment(None).items() if name != "PYTHONDONTWRITEBYTECODE"}
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], env=environment, check=False).returncode


def _say(text: str) -> None:
    print(f"tests: {text}", flush=True)  # noqa: T201  make shows it


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
