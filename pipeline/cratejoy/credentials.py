"""The keys and the base URL of one store's Merchant API."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from pipeline.core.errors import Misconfigured
from pipeline.infra.http.basic_auth import build_basic_auth
from pipeline.infra.http.public_addresses import LOOPBACK

BASE_URL = "https://api.cratejoy.com/v1/"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The pair of keys that Cratejoy's dashboard shows for a store. Raises Misconfigured with all faults at once."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    base_url: str = BASE_URL

    def __post_init__(self) -> None:
        """Remove spaces around what was pasted, and check every field."""
        for name in ("client_id", "client_secret", "base_url"):
            object.__setattr__(self, name, getattr(self, name).strip())
        object.__setattr__(self, "base_url", f"{(self.base_url or BASE_URL).rstrip('/')}/")
        if faults := [*self._key_faults(), *self._url_faults()]:
            raise Misconfigured("; ".join(faults))

    @property
    def authorization(self) -> str:
        """The header of every request (Cratejoy docs: Authorization)."""
        return build_basic_auth(self.client_id, self.client_secret)

    @property
    def account(self) -> str:
        """A name for the store that does not reveal the keys: the key of the shared budget."""
        return hashlib.sha256(f"{self.base_url}\n{self.client_id}".encode()).hexdigest()[:16]

    def as_config(self) -> dict[str, str]:
        """The values that are encrypted and stored."""
        return {"client_id": self.client_id, "client_secret": self.client_secret, "base_url": self.base_url}

    def _key_faults(self) -> list[str]:
        faults = [f"{name} is missing" for name in ("client_id", "client_secret") if not getattr(self, name)]
        if ":" in self.client_id:
            faults.append("client_id holds a colon: it is the shorter one of the two keys, alone")
        return faults

    def _url_faults(self) -> list[str]:
        try:
            url = urlsplit(self.base_url)
            host, _ = url.hostname, url.port  # `port` raises ValueError, too
        except ValueError:
            return ["the address of the Merchant API is malformed"]
        if not host or url.username or url.query or url.fragment:
            return ["the address of the Merchant API is not an https address without login, query or fragment"]
        if url.scheme != "https" and not (url.scheme == "http" and host in LOOPBACK):
            return ["the address of the Merchant API must begin with https: the keys travel with every request"]
        return []


def parse_credentials(config: Mapping[str, str]) -> Credentials:
    """The credentials that were stored."""
    return Credentials(config["client_id"], config["client_secret"], config["base_url"])
