"""Every error the pipeline raises on purpose, and who acts on it.

    CratewireError
    ├── BadHook            a body nobody can read or load; kept with its raw bytes as a dead hook
    ├── BadCredentials     the platform refused the keys; the connection pauses
    ├── WrongRegion        the account lives in another region; the connection pauses
    ├── Unreachable        no answer, or none that means anything; try again later
    │   ├── ServerFault    the other side says that it cannot answer now
    │   ├── BadAnswer      an answer that is not what the API promises, e.g. a page of HTML
    │   └── WrongAddress   nothing of the kind can be at this address, or it may not be called
    │       └── BrokenPage a page of a collection without its results, or a collection that does not show what it counts
    ├── Wait               the store's API may not be called yet; come back in so many seconds
    │   └── Throttled      the store's API itself said so, with a 429
    ├── RequestRefused     the store's API will not do what was asked, however often
    │   ├── NotFound       it has no such thing
    │   └── NotAllowed     it does not do this to such a thing
    ├── InvalidToken       a hook URL whose token we did not sign
    ├── StaleFence         somebody else holds the lane or the inbox now; drop what you were doing
    └── Misconfigured      a setting is missing or malformed; says every one of them
        └── NoDataDirectory  what is kept in the data directory can be neither read nor made
        └── KeysInUse      another store was connected with these keys of Cratejoy

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


class ServerFault(Unreachable):
    """The other side failed or is down. `retry_after`: the seconds it asked for, if it named any."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BadResponse(Unreachable):
    """Something answered, but not as the API does."""


class BrokenPage(BadResponse):
    """A page whose results are no list, or a collection that shows less than it counts, read again or not."""


class WrongAddress(Unreachable):
    """What is at an address that was filled in is not the API, or the address is not public: it has to be changed."""


class RateLimited(CratewireError):
    """Nothing was asked. Whoever wanted to ask comes back in `seconds`; nobody sleeps.

    `throttled`: because the store's API told us to wait, to this or to an earlier question.
    """

    def __init__(self, seconds: float, message: str, *, throttled: bool = False) -> None:
        super().__init__(message)
        self.seconds = seconds
        self.throttled = throttled

    @property
    def why(self) -> str:
        """For people who wonder why nothing happens."""
        if self.throttled:
            return f"the store has told us to wait, for another {self.seconds:.0f} s"
        return "the store's budget of requests is used up"


class Throttled(RateLimited):
    """The store's API answered 429; nobody of ours asks it again before `seconds` have passed."""

    def __init__(self, seconds: float, message: str) -> None:
        super().__init__(seconds, message, throttled=True)


class RequestRefused(CratewireError):
    """The store's API refused a request as such: `status` is a 4xx that is not about keys or rates."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class NotFound(RequestRefused):
    """404: what was asked for does not exist, or no longer."""


class NotAllowed(RequestRefused):
    """405: the API does not do this to such a thing."""


class InvalidToken(CratewireError):
    """The token in a hook URL is not ours, or not for this store."""


class StaleFence(CratewireError):
    """A newer holder has taken the lease; nothing was written."""


class Misconfigured(CratewireError):
    """One or more settings are missing or malformed; the message names each."""


class KeysInUse(Misconfigured):
    """Another store was connected with these keys of Cratejoy; one of the same account is named."""


class NoDataDirectory(Misconfigured):
    """A file of the data directory can be neither read nor made; the message names it and says why."""
