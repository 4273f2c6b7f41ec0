"""Tunes glibc's malloc so that processes with threads and large strings return memory to the system.

glibc gives threads their own heaps, up to eight per core, and each keeps the memory its threads once needed; our
threads live only for one lane. And once a string of a megabyte, such as a batch, has been freed, glibc takes the next
such string from a heap, where any small object behind it keeps all of it. Memory then seems to grow without end.
"""

from __future__ import annotations

import ctypes

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # glibc's malloc.h
MAX_HEAPS = 2  # the main thread's, and one for all others
MMAP_THRESHOLD_BYTES = 128 * 1024  # larger blocks are mapped separately, and returned as a whole


def limit_heaps() -> bool:
    """Make all future threads share one heap, without large blocks. Returns False if the C library cannot."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES) and mallopt(M_ARENA_MAX, MAX_HEAPS))
