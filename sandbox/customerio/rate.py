"""A token bucket with the calls of a second."""


class Bucket:
    """The number of calls that a workspace may still make."""

    def __init__(self) -> None:
        """Start full, whatever the rate."""
        self._tokens: float | None = None
        self._at = 0

    def allows(self, now: int, per_second: int) -> bool:
        """Take a token; a rate of 0 means that nothing is limited. `now` is in microseconds."""
        if per_second == 0:
            return True
        if self._tokens is None:
            self._tokens = float(per_second)
        else:
            self._tokens = min(float(per_second), self._tokens + (now - self._at) * per_second / 1_000_000)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
