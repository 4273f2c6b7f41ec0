"""The leaky bucket of CartRover: so many calls, refilled one by one."""


class Bucket:
    """The calls that are left. Times are seconds."""

    def __init__(self) -> None:
        """Start full, whatever its size."""
        self._left: float | None = None
        self._at = 0.0

    def take(self, now: float, size: int, refill_s: float) -> int | None:
        """Take a call and return how many are left, or None if there is none; a refill of 0 s limits nothing."""
        if self._left is None or refill_s == 0:
            self._left = float(size)
        else:
            self._left = min(float(size), self._left + (now - self._at) / refill_s)
        self._at = now
        if self._left < 1:
            return None
        self._left -= 1
        return int(self._left)

    def empty(self, now: float) -> None:
        """Remove all calls."""
        self._left, self._at = 0.0, now
