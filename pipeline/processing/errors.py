"""Says whether a hook may die of an error that was raised while it was read or recorded.

An error of a server or of this machine would meet the next hook too: then the hook stays in the inbox.
"""

from __future__ import annotations

import errno

from redis import RedisError

from pipeline.core.errors import CratewireError
from pipeline.ledger.faults import classify_database_error

_INFRASTRUCTURE_ERRORS = (MemoryError, RedisError, CratewireError)
# What the C library says of a value: a time that no calendar has is an OSError.
_VALUE_ERRNOS = {errno.EOVERFLOW, errno.ERANGE, errno.EDOM, errno.EINVAL}


def is_hook_fault(error: Exception) -> bool:
    """Whether the error can be the fault of the hook, or of our code with this hook."""
    if isinstance(error, _INFRASTRUCTURE_ERRORS) or classify_database_error(error) is not None:
        return False
    return not isinstance(error, OSError) or error.errno in _VALUE_ERRNOS
