"""Every error the pipeline raises on purpose, and who acts on it.

    CratewireError
    ├── BadHook            a body nobody can read or load; kept with its raw bytes as a dead hook
    ├── BadCredentials     the platform refused the keys; the connection pauses
    ├── WrongRegion        the account lives in another region; the connection pauses
    ├── Unreachable        no answer, or none that means anything; try again later
    ├── InvalidToken       a hook URL whose token we did not sign
    ├── StaleFence         somebody else holds the lane or the inbox now; drop what you were doing
    └── Misconfigured      a setting is missing or malformed; says every one of them

Messages carry ids and reasons, never bodies, names, addresses or keys.
"""


class CratewireError(Exception):
    """The root, so that a caller at the edge can catch what is ours."""


class BadHook(CratewireError):
    """A hook that cannot go on. `reason` is a short code, `detail` JSON-safe facts without personal data."""

    def __init__(self, reason: str, detail: dict[str, object] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail or {}


class BadCredentials(CratewireError):
    """The platform answered 401 or 403 to a credential check."""


class WrongRegion(CratewireError):
    """The platform says the account lives elsewhere; `region` is where."""

    def __init__(self, message: str, region: str | None = None) -> None:
        super().__init__(message)
        self.region = region


class Unreachable(CratewireError):
    """The platform could not be reached, or answered with something unusable."""


class InvalidToken(CratewireError):
    """The token in a hook URL is not ours, or not for this store."""


class StaleFence(CratewireError):
    """A newer holder has taken the lease; nothing was written."""


class Misconfigured(CratewireError):
    """One or more settings are missing or malformed; the message names each."""
