"""Child programs for the tests: they run, exit, print, or refuse to stop."""

from __future__ import annotations

import sys

from pipeline.settings import read_environment
from receiver.supervisor.process import Child

RUNS_FOREVER = "import time\nprint('here', flush=True)\nwhile True: time.sleep(0.05)"
IGNORES_SIGTERM = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{RUNS_FOREVER}"
# Starts a grandchild that ignores all signals but SIGKILL, prints its id, and keeps running.
STARTS_CHILD = f"""
import subprocess, sys
print(subprocess.Popen([sys.executable, '-c', {IGNORES_SIGTERM!r}], stdout=subprocess.DEVNULL).pid, flush=True)
{RUNS_FOREVER}
"""


def child(name: str, program: str, **more) -> Child:
    return Child(name, [sys.executable, "-c", program], read_environment(None), **more)
