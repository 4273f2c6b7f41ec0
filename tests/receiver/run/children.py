"""Children for the tests: small programs that live, die, talk or refuse to stop."""

from __future__ import annotations

import sys

from pipeline.settings import process_environment
from receiver.run.child import Child

LIVES = "import time\nprint('here', flush=True)\nwhile True: time.sleep(0.05)"
STUBBORN = f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{LIVES}"
# Starts a grandchild that ignores everything but SIGKILL, says its id, and lives on.
PARENT = f"""
import subprocess, sys
print(subprocess.Popen([sys.executable, '-c', {STUBBORN!r}], stdout=subprocess.DEVNULL).pid, flush=True)
{LIVES}
"""


def child(name: str, program: str, **more) -> Child:
    return Child(name, [sys.executable, "-c", program], process_environment(None), **more)
