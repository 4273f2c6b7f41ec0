"""How many connections web can hold: each is an open file, and the system limits these for every process."""

from __future__ import annotations

import resource

from receiver.doctor.finding import Finding

MAX_CONNECTIONS = 16_384
RESERVED_FILES = 512  # of a web process, besides connections
WANTED_FILES = MAX_CONNECTIONS + RESERVED_FILES
MIN_CONNECTIONS = 128


def raise_file_limit() -> int:
    """Raise this process's limit, which those it starts inherit, as far as needed and allowed; how many it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = cap_to_limit(WANTED_FILES, hard)
    if not _reaches(soft, wanted):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return cap_to_limit(WANTED_FILES, soft)


def get_max_connections(files: int) -> int:
    """How many connections there may be where so many files may be open."""
    return max(MIN_CONNECTIONS, min(MAX_CONNECTIONS, files - RESERVED_FILES))


def check_open_files(hard: int) -> Finding:
    """What the doctor says of the highest limit that a process may give itself here."""
    if _reaches(hard, WANTED_FILES):
        return Finding("open files", "ok", f"enough for {MAX_CONNECTIONS} connections")
    says = f"at most {hard}: web holds {get_max_connections(hard)} connections, and others wait"
    advice = f"Raise the hard limit of open files for web to {WANTED_FILES} (LimitNOFILE=, ulimits:, `ulimit -Hn`)."
    return Finding("open files", "note", says, advice)


def get_hard_limit() -> int:
    """The highest limit that a process started like this one may give itself."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def cap_to_limit(wanted: int, limit: int) -> int:
    """As many as wanted, or as the limit allows."""
    return wanted if _reaches(limit, wanted) else limit


def _reaches(limit: int, wanted: int) -> bool:
    return limit == resource.RLIM_INFINITY or limit >= wanted
