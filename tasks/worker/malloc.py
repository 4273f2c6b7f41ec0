"""Lets a process that works with threads and large texts give memory back.

glibc gives threads heaps of their own, up to eight for each core, and each keeps what its threads once needed: ours are
born for one lane and gone. And it takes a text of a megabyte, which a batch is, from a heap as soon as one such text
has been given back; whatever small thing then lies behind it keeps all of it. It looks like growth without end.
"""

from __future__ import annotations

import ctypes

M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # glibc's malloc.h
MAX_HEAPS = 2  # the main thread's, and one for all others
MMAP_THRESHOLD_BYTES = 128 * 1024  # bytes; from here on a piece is one of its own, and is given back whole


def limit_heaps() -> bool:
    """Let all threads to come share one heap, without large pieces. False: this C library has no such thing."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES) and mallopt(M_ARENA_MAX, MAX_HEAPS))
