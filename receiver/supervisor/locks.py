"""What only one `cratewire run` may use: the data directory and the ports."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.core.errors import Misconfigured
from pipeline.infra.embedded_valkey import RUN_LOCK, is_port_free
from pipeline.settings import Settings


@contextlib.contextmanager
def hold_data_dir(data_dir: Path) -> Iterator[None]:
    """Lock the data directory. The system releases the lock when this process ends, however it ends."""
    with _open_lock(data_dir / RUN_LOCK) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Misconfigured(f"data directory {data_dir} is in use by another `cratewire run`") from None
        yield


@contextlib.contextmanager
def _open_lock(path: Path) -> Iterator[int]:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Misconfigured(f"data directory {path.parent}: {error.strerror}") from error
    try:
        yield lock
    finally:
        os.close(lock)


def require_free_ports(settings: Settings) -> None:
    """Raise Misconfigured if ports are taken; it names them all and the options that change them."""
    wanted = [
        ("web", settings.host, settings.port, "--port or PORT"),
        ("flower", settings.flower_host, settings.flower_port, "CRATEWIRE_FLOWER_PORT"),
    ]
    faults = [
        f"{name}'s port {port} is taken; choose another with {way_out}"
        for name, host, port, way_out in wanted
        if not is_port_free(port, host)
    ]
    if settings.port == settings.flower_port:
        faults.append(f"web and flower cannot share port {settings.port}")
    if faults:
        raise Misconfigured("\n".join(faults))
