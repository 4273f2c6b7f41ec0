"""How many heaps the threads of a process have, as reported by the C library."""

from __future__ import annotations

import subprocess
import sys

COUNT = """
import ctypes, threading
from tasks.worker.malloc import limit_heaps

if {shared}:
    assert limit_heaps()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.fopen.restype = ctypes.c_void_p
together = threading.Barrier(6)

def need():
    together.wait()
    libc.malloc(ctypes.c_size_t(1000))
    together.wait()

threads = [threading.Thread(target=need) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
stdout = libc.fopen(b"/dev/stdout", b"w")
libc.malloc_info(0, ctypes.c_void_p(stdout))
libc.fflush(ctypes.c_void_p(stdout))
"""


def heaps(*, shared: bool) -> int:
    done = subprocess.run([sys.executable, "-c", COUNT.format(shared=shared)], capture_output=True, check=True)
    return done.stdout.count(b"<heap nr=")


def test_threads_share_one_heap_beside_the_main_threads():
    assert heaps(shared=True) <= 2 < heaps(shared=False)
