"""Access tokens and the time at which each ends."""


class Tokens:
    """The tokens in force, with the time in seconds at which each ends."""

    def __init__(self) -> None:
        """Begin without any."""
        self._ends: dict[str, float] = {}
        self._given = 0

    def give(self, now: float, life_s: float) -> str:
        """Return a new token."""
        self._given += 1
        token = f"sandbox-token-{self._given}"
        self._ends[token] = now + life_s
        return token

    def is_valid(self, token: str, now: float) -> bool:
        """Is the token known and not at its end?"""
        return now < self._ends.get(token, 0.0)

    def expire(self) -> None:
        """End all."""
        self._ends.clear()
