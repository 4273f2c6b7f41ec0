"""Each process opens its own connections."""

from __future__ import annotations

import json
import subprocess
import sys

from tasks.process import get_process_context

FORKING = """
import json, os
from tasks.process import get_process_context

def seen():
    context = get_process_context()
    return [id(context), context.redis.client_id()]

reading, writing = os.pipe()
before = seen()
if os.fork() == 0:
    os.write(writing, json.dumps(seen()).encode())
    os._exit(0)
os.wait()
print(json.dumps({"child": json.loads(os.read(reading, 1000)), "before": before, "after": seen()}))
"""


def test_a_process_opens_its_servers_once(installed):
    assert get_process_context() is get_process_context()


def test_a_child_never_uses_its_parents_connections_and_leaves_them_alone(installed):
    done = subprocess.run(
        [sys.executable, "-c", FORKING], env=installed.environment, capture_output=True, text=True, check=True
    )

    seen = json.loads(done.stdout)
    assert seen["child"][1] != seen["before"][1]
    assert seen["after"] == seen["before"]
