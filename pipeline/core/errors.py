"""Every error that the pipeline raises on purpose, and what its caller does about it.

    CratewireError
    ├── BadHook              a body that cannot be read or loaded; stored with its raw bytes as a dead hook
    ├── BadCredentials       the platform refused the keys; the connection pauses
    ├── WrongRegion          the account lives in another region; the connection pauses
    ├── Unreachable          no answer, or no usable one; try again later
    │   ├── ServerFault      the server says that it cannot answer now
    │   ├── BadResponse      an answer that is not what the API promises, such as a page of HTML
    │   │   └── BrokenPage   a page without its results, or a collection that shows fewer objects than it counts
    │   └── WrongAddress     no API can be at this address, or it may not be called
    ├── RateLimited          the store's API may not be called yet; come back in so many seconds
    │   └── Throttled        the store's API said so itself, with a 429
    ├── RequestRefused       the store's API refuses the request, however often it is sent
    │   ├── NotFound         the object does not exist
    │   └── NotAllowed       the API does not support the method for this object
    ├── InvalidToken         a hook URL whose token we did not sign
    ├── StaleFence           another process holds the lane or the chain lease now; drop the work
    ├── OrderChanged         another worker has changed the box since it was read; drop the work
    └── Misconfigured        a setting is missing or malformed; the message names all of them
        ├── NoDataDirectory  a file of the data directory can be neither read nor created
        └── KeysInUse        another store is connected with these Cratejoy keys

Messages carry ids and reasons, never bodies, names, addresses or keys.
"""


class CratewireError(Exception):
    """The root of our errors, for callers at the edge."""


class BadHook(CratewireError):
    """A hook that cannot be processed. `reason` is a short code, `detail` holds JSON-safe facts, no personal data."""

    def __init__(self, reason: str, detail: dict[str, object] | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail or {}


class BadCredentials(CratewireError):
    """The platform answered 401 or 403 to a credential check."""


class WrongRegion(CratewireError):
    """The platform says that the account lives in another region, which is `region` if it named it."""

    def __init__(self, message: str, region: str | None = None) -> None:
        super().__init__(message)
        self.region = region


class Unreachable(CratewireError):
    """The platform could not be reached, or answered with something unusable."""


class ServerFault(Unreachable):
    """The server failed or is down. `retry_after`: the seconds that it asked us to wait, if it named any."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BadResponse(Unreachable):
    """A response that is not in the API's format."""


class BrokenPage(BadResponse):
    """A page whose results are not a list, or a collection that lists fewer objects than it counts."""


class WrongAddress(Unreachable):
    """The configured address is not the API's, or is not public: it has to be changed."""


class RateLimited(CratewireError):
    """Not sent: the rate budget is used up. Retry after `seconds`; the caller does not sleep.

    `throttled`: the store's API asked us to wait, in response to this request or an earlier one.
    """

    def __init__(self, seconds: float, message: str, *, throttled: bool = False) -> None:
        super().__init__(message)
        self.seconds = seconds
        self.throttled = throttled

    @property
    def why(self) -> str:
        """The reason, as a clause to show to people."""
        if self.throttled:
            return f"the store has asked us to wait, for another {self.seconds:.0f} s"
        return "the store's budget of requests is used up"


class Throttled(RateLimited):
    """The store's API answered 429; no process of ours calls it again before `seconds` have passed."""

    def __init__(self, seconds: float, message: str) -> None:
        super().__init__(seconds, message, throttled=True)


class RequestRefused(CratewireError):
    """The store's API refused the request itself: `status` is a 4xx other than those for keys and rates."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class NotFound(RequestRefused):
    """404: the object does not exist, or no longer."""


class NotAllowed(RequestRefused):
    """405: the API does not support the method for this object."""


class InvalidToken(CratewireError):
    """The token in a hook URL was not signed by us, or not for this store."""


class StaleFence(CratewireError):
    """Another process has acquired the lease since; nothing was written."""


class OrderChanged(CratewireError):
    """Another worker has changed this box since it was read; nothing was written."""


class Misconfigured(CratewireError):
    """One or more settings are missing or malformed; the message names each."""


class KeysInUse(Misconfigured):
    """Another store is connected with these Cratejoy keys; the message names it if it is of the same account."""


class NoDataDirectory(Misconfigured):
    """A file of the data directory can be neither read nor created; the message names it and the reason."""
