"""Every process of Cratewire makes files for its user only, whatever its umask."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.infra.embedded_valkey import find_free_port
from pipeline.infra.private_files import find_exposed_files
from receiver.supervisor.procfile import PROCFILE, build_shell_command
from tests.servers.process import with_parent_death_signal
from tests.waiting import wait_until


def umask_of(pid: int) -> str:
    status = (Path("/proc") / str(pid) / "status").read_text()
    return re.search(r"Umask:\s+(\d+)", status)[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(PROCFILE))
def test_every_process_keeps_its_files_private(installed, name):
    ports = {"PORT": str(find_free_port()), "CRATEWIRE_FLOWER_PORT": str(find_free_port())}
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    process = subprocess.Popen(
        with_parent_death_signal(build_shell_command(PROCFILE[name])),
        env={**installed.environment, **ports, "PATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        umask=0o022,
    )
    try:
        wait_until(lambda: umask_of(process.pid) == "0077" or process.poll() is not None)
        assert process.poll() is None
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # it has just started: a server may not handle SIGTERM yet
        process.wait()


@pytest.mark.parametrize("command", [["migrate"], ["status"], ["doctor"]])
def test_every_command_keeps_its_files_private(tmp_path, command):
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    line = [sys.executable, "-m", "receiver.cli", *command, "--data", str(data)]
    subprocess.run(line, cwd=tmp_path, umask=0o022, capture_output=True, check=False)

    assert list(data.iterdir()) != []
    assert find_exposed_files(data, "") == []
