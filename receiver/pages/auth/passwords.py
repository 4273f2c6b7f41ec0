"""How passwords are hashed: argon2id, one at a time, so that a crowd at the log-in leaves a core to the hooks."""

from __future__ import annotations

from threading import Lock
from typing import Any

from passlib.context import CryptContext

# One of the settings that OWASP's Password Storage Cheat Sheet holds equally strong; this one needs one thread and
# a tenth of the CPU of the library's own choice.
ARGON2_SETTINGS = {"argon2__memory_cost": 47_104, "argon2__time_cost": 1, "argon2__parallelism": 1}


class SerialPasswordContext(CryptContext):  # type: ignore[misc]  # the library has no types
    """Of Flask-Security's kind. Hashes made with other settings are still verified, and made anew at a log-in."""

    def __init__(self) -> None:
        super().__init__(schemes=["argon2"], **ARGON2_SETTINGS)
        self._alone = Lock()

    def hash(self, secret: str, **given: Any) -> str:
        with self._alone:
            return str(super().hash(secret, **given))

    def verify(self, secret: str, hashed: str, **given: Any) -> bool:
        with self._alone:
            return bool(super().verify(secret, hashed, **given))
