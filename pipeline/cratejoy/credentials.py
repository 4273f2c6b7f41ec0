"""The keys of one store's Merchant API, and where that API is."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pipeline.core.errors import Misconfigured
from pipeline.infra.http.public_addresses import LOOPBACK

BASE_URL = "https://api.cratejoy.com/v1/"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A pair of keys as Cratejoy's dashboard shows it; each pair is one store's."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    base_url: str = BASE_URL

    def __post_init__(self) -> None:
        """Trim what was pasted, and name every fault at once."""
        for name in ("client_id", "client_secret", "base_url"):
            object.__setattr__(self, name, getattr(self, name).strip())
        object.__setattr__(self, "base_url", f"{(self.base_url or BASE_URL).rstrip('/')}/")
        if faults := [*self._key_faults(), *self._url_faults()]:
            raise Misconfigured("; ".join(faults))

    @property
    def authorization(self) -> str:
        """The header of every request (Cratejoy docs: Authorization)."""
        pair = f"{self.client_id}:{self.client_secret}".encode()
        return f"Basic {base64.b64encode(pair).decode('ascii')}"

    @property
    def account(self) -> str:
        """A name for the store behind the keys that does not give them away; keys the shared budget."""
        return hashlib.sha256(f"{self.base_url}\n{self.client_id}".encode()).hexdigest()[:16]

    def as_config(self) -> dict[str, str]:
        """What is sealed and kept."""
        return {"client_id": self.client_id, "client_secret": self.client_secret, "base_url": self.base_url}

    def _key_faults(self) -> list[str]:
        faults = [f"{name} is missing" for name in ("client_id", "client_secret") if not getattr(self, name)]
        if ":" in self.client_id:
            faults.append("client_id holds a colon: it is the shorter one of the two keys, alone")
        return faults

    def _url_faults(self) -> list[str]:
        try:
            place = urlsplit(self.base_url)
            host, _ = place.hostname, place.port
        except ValueError:
            return ["the address of the Merchant API is malformed"]
        if not host or place.username or place.query or place.fragment:
            return ["the address of the Merchant API is not an https address without login, query or fragment"]
        if place.scheme != "https" and not (place.scheme == "http" and host in LOOPBACK):
            return ["the address of the Merchant API must begin with https: the keys travel with every request"]
        return []


def parse_credentials(config: Mapping[str, str]) -> Credentials:
    """What was kept, as credentials again."""
    return Credentials(config["client_id"], config["client_secret"], config["base_url"])
