"""The limit of open files, and with it the number of connections that web can hold."""

from __future__ import annotations

import resource

from receiver.doctor.finding import Finding

MAX_CONNECTIONS = 16_384
RESERVED_FILES = 512  # files of a web process that are not connections
WANTED_FILES = MAX_CONNECTIONS + RESERVED_FILES
MIN_CONNECTIONS = 128


def raise_file_limit() -> int:
    """Raise this process's limit (children inherit it) as far as needed and allowed. Returns the limit, capped."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = cap_to_limit(WANTED_FILES, hard)
    if not _reaches(soft, wanted):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return cap_to_limit(WANTED_FILES, soft)


def get_max_connections(files: int) -> int:
    """Return how many connections fit into a limit of open files."""
    return max(MIN_CONNECTIONS, min(MAX_CONNECTIONS, files - RESERVED_FILES))


def check_open_files(hard: int) -> Finding:
    """Check the hard limit of open files."""
    if _reaches(hard, WANTED_FILES):
        return Finding("open files", "ok", f"enough for {MAX_CONNECTIONS} connections")
    says = f"at most {hard}: web holds {get_max_connections(hard)} connections, and others wait"
    advice = f"Raise the hard limit of open files for web to {WANTED_FILES} (LimitNOFILE=, ulimits:, `ulimit -Hn`)."
    return Finding("open files", "note", says, advice)


def get_hard_limit() -> int:
    """Return the highest limit that a process like this one may set for itself."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def cap_to_limit(wanted: int, limit: int) -> int:
    """Return `wanted`, or `limit` if that is lower."""
    return wanted if _reaches(limit, wanted) else limit


def _reaches(limit: int, wanted: int) -> bool:
    return limit == resource.RLIM_INFINITY or limit >= wanted
