"""How many connections web can hold: each is an open file, and the system limits these for every process."""

from __future__ import annotations

import resource

from receiver.finding import Finding

MOST_CONNECTIONS = 16_384
OTHER_FILES = 512  # of a web process, besides connections
ENOUGH_FILES = MOST_CONNECTIONS + OTHER_FILES
FEWEST_CONNECTIONS = 128


def raise_limit() -> int:
    """Raise this process's limit, which those it starts inherit, as far as needed and allowed; how many it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = within(ENOUGH_FILES, hard)
    if not _reaches(soft, wanted):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return within(ENOUGH_FILES, soft)


def connections(files: int) -> int:
    """How many connections there may be where so many files may be open."""
    return max(FEWEST_CONNECTIONS, min(MOST_CONNECTIONS, files - OTHER_FILES))


def look_at_files(hard: int) -> Finding:
    """What the doctor says of the highest limit that a process may give itself here."""
    if _reaches(hard, ENOUGH_FILES):
        return Finding("open files", "ok", f"enough for {MOST_CONNECTIONS} connections")
    says = f"at most {hard}: web holds {connections(hard)} connections, and others wait"
    advice = f"Raise the hard limit of open files for web to {ENOUGH_FILES} (LimitNOFILE=, ulimits:, `ulimit -Hn`)."
    return Finding("open files", "note", says, advice)


def hard_limit() -> int:
    """The highest limit that a process started like this one may give itself."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def within(wanted: int, limit: int) -> int:
    """As many as wanted, or as the limit allows."""
    return wanted if _reaches(limit, wanted) else limit


def _reaches(limit: int, wanted: int) -> bool:
    return limit == resource.RLIM_INFINITY or limit >= wanted
