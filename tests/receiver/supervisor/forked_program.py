"""What a forked child runs in the tests: it says what it has, then ends as it is asked to."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

from pipeline.settings import read_environment


def main() -> None:
    """Print what this process has, and exit with the code that is the first argument.

    `stay` runs for ever; `answer` greets a connection to the socket that is its file number 3.
    """
    if sys.argv[1] == "answer":
        with socket.socket(fileno=3) as listener, listener.accept()[0] as connection:
            connection.sendall(b"hello")
    files = [int(entry.name) for entry in Path("/proc/self/fd").iterdir() if entry.exists()]
    found = {
        "arguments": sys.argv[1:],
        "environment": read_environment(None),
        "files": files,
        "leads_group": os.getpgrp() == os.getpid(),
        "stops": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
        "name": Path("/proc/self/comm").read_text().strip(),
    }
    sys.stdout.write(f"{json.dumps(found)}\n")
    while sys.argv[1] == "stay":
        time.sleep(0.05)
    raise SystemExit(0 if sys.argv[1] == "answer" else int(sys.argv[1]))
