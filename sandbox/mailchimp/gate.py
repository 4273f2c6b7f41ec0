"""What every call passes before anything else: the key, its data centre, and the ten calls in progress."""

import base64
import binascii
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.mailchimp.problems import Problem
from sandbox.mailchimp.world import World, data_centre_of

MAX_IN_PROGRESS = 10
MISSING = "Your request did not include an API key."
INVALID = "Your API key may be invalid, or you've attempted to access the wrong datacenter."
TOO_MANY = f"You have exceeded the limit of {MAX_IN_PROGRESS} simultaneous connections."
HTTPS_ONLY = "API requests must be made over HTTPS."


class Gate:
    """Counts the calls in progress of each user, over all keys."""

    def __init__(self, world: World) -> None:
        """Begin without any."""
        self.world = world
        self.in_progress: Counter[str] = Counter()
        self.most_in_progress = 0

    @contextmanager
    def entered(self, user: str) -> Iterator[None]:
        """Hold one of the ten places inside the block, or raise a Problem if there is none."""
        with self.world.lock:
            if self.in_progress[user] >= MAX_IN_PROGRESS:
                raise Problem(429, "Too Many Requests", TOO_MANY)
            self.in_progress[user] += 1
            self.most_in_progress = max(self.most_in_progress, self.in_progress[user])
        try:
            yield
        finally:
            with self.world.lock:
                self.in_progress[user] -= 1

    def check_key(self, authorization: str, asked_error: str, query_key: str) -> str:
        """Return the user of the key, or raise a Problem."""
        if self.world.switches.requires_https:
            raise Problem(426, "Upgrade Required", HTTPS_ONLY)
        key = read_key(authorization)
        if asked_error == "APIKeyMissing" or not (key or query_key):
            raise Problem(401, "API Key Missing", MISSING)
        if key and query_key and key != query_key:
            raise Problem(401, "API Key Invalid", INVALID)
        user = self.world.keys.get(key or query_key)
        if user is None or self.world.faults.has_revoked():
            raise Problem(401, "API Key Invalid", INVALID)
        self._check_data_centre(key or query_key)
        return user

    def _check_data_centre(self, key: str) -> None:
        data_centre = data_centre_of(key)
        if data_centre and data_centre != self.world.data_centre:
            raise Problem(403, "Forbidden", f"The API key provided is linked to datacenter '{data_centre}'")


def read_key(authorization: str) -> str:
    """Return the key: the password of Basic, or what follows Bearer. The user's name does not matter."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
