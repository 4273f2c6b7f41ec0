"""What memory there is, by the machine and by every group a process is in."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.infra.memory import count_oom_kills, get_available_bytes

MB = 1_000_000


def files(root: Path, texts: dict[str, str]) -> Path:
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def first(place: str, limit: int, used: int, cache: int = 0, killed: int = 0) -> dict[str, str]:
    folder = f"sys/fs/cgroup/memory{place}"
    return {
        f"{folder}/memory.limit_in_bytes": f"{limit}\n",
        f"{folder}/memory.usage_in_bytes": f"{used}\n",
        f"{folder}/memory.stat": f"cache 1\ntotal_inactive_file {cache}\ntotal_active_file 0\n",
        f"{folder}/memory.oom_control": f"oom_kill_disable 0\nunder_oom 0\noom_kill {killed}\n",
    }


def second(place: str, limit: int | str, used: int, cache: int = 0, killed: int = 0) -> dict[str, str]:
    folder = f"sys/fs/cgroup{place}"
    return {
        f"{folder}/memory.max": f"{limit}\n",
        f"{folder}/memory.current": f"{used}\n",
        f"{folder}/memory.stat": f"anon 1\ninactive_file {cache}\nactive_file 0\n",
        f"{folder}/memory.events": f"low 0\noom 1\noom_kill {killed}\n",
    }


MACHINE = {"proc/meminfo": f"MemTotal: 99999999 kB\nMemAvailable: {4_000_000_000 // 1024} kB\nSwapFree: 0 kB\n"}
OF_FIRST = {"proc/self/cgroup": "5:cpu:/other\n4:memory:/a/b\n0::/\n"}
OF_SECOND = {"proc/self/cgroup": "0::/a/b\n"}


def test_without_a_limit_it_is_what_the_machine_has(tmp_path):
    assert get_available_bytes(files(tmp_path, MACHINE)) == 4_000_000_000 // 1024 * 1024


def test_swap_counts_as_memory(tmp_path):
    more = {"proc/meminfo": "MemAvailable: 1000 kB\nSwapFree: 500 kB\n"}

    assert get_available_bytes(files(tmp_path, more)) == 1500 * 1024


@pytest.mark.parametrize(("own", "group"), [(OF_FIRST, first), (OF_SECOND, second)])
def test_the_limit_of_the_own_group_is_kept(tmp_path, own, group):
    root = files(tmp_path, MACHINE | own | group("/a/b", 512 * MB, 100 * MB))

    assert get_available_bytes(root) == 412 * MB


@pytest.mark.parametrize(("own", "group"), [(OF_FIRST, first), (OF_SECOND, second)])
def test_a_group_above_may_have_less_room(tmp_path, own, group):
    root = files(tmp_path, MACHINE | own | group("/a/b", 900 * MB, 100 * MB) | group("/a", 512 * MB, 400 * MB))

    assert get_available_bytes(root) == 112 * MB


@pytest.mark.parametrize(("own", "group"), [(OF_FIRST, first), (OF_SECOND, second)])
def test_what_is_only_cache_can_be_had(tmp_path, own, group):
    root = files(tmp_path, MACHINE | own | group("/a/b", 512 * MB, 500 * MB, cache=300 * MB))

    assert get_available_bytes(root) == 312 * MB


def test_a_group_that_is_mounted_in_a_container_is_the_own_one(tmp_path):
    root = files(tmp_path, MACHINE | {"proc/self/cgroup": "4:memory:/docker/abc\n"} | first("", 512 * MB, 100 * MB))

    assert get_available_bytes(root) == 412 * MB


@pytest.mark.parametrize("limit", [9223372036854771712, "max"])
def test_no_limit_is_no_limit(tmp_path, limit):
    own, group = (OF_SECOND, second) if limit == "max" else (OF_FIRST, first)
    root = files(tmp_path, MACHINE | own | group("/a/b", limit, 100 * MB))

    assert get_available_bytes(root) == 4_000_000_000 // 1024 * 1024


def test_a_system_that_says_nothing_is_not_guessed_about(tmp_path):
    assert get_available_bytes(tmp_path) is None
    assert count_oom_kills(tmp_path) == 0


@pytest.mark.parametrize(("own", "group"), [(OF_FIRST, first), (OF_SECOND, second)])
def test_the_kernels_kills_are_those_of_the_own_group(tmp_path, own, group):
    root = files(tmp_path, own | group("/a/b", 1, 1, killed=3) | group("/a", 1, 1, killed=7))

    assert count_oom_kills(root) == 3
