"""The calls of the REST API with their token: a refused token is replaced once, and the call made once more."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pipeline.core.fulfilment import AuthError, RateLimited, Retryable, Trouble
from pipeline.infra.http.basic_auth import build_basic_auth
from pipeline.infra.http.client import HTTPResponse
from pipeline.warehouses.base import Tools
from pipeline.warehouses.calls import Caller, Endpoint, parse_rate_limit, parse_read_fault, read_object
from pipeline.warehouses.extensiv_3pl.problems import RATE_WAIT_S
from pipeline.warehouses.extensiv_3pl.tokens import Grant, Tokens

# With "application/json" the same service answers in another shape.
HAL = "application/hal+json"
_TOKEN_PATH = "/AuthServer/api/Token"  # noqa: S105 - a path
_OK, _UNAUTHORIZED = 200, 401
_FIRST_CLIENT_ERROR = 400
_DEFAULT_LIFE_S = 1_800.0  # the shortest that is documented
_MAX_LIFE_S = 86_400  # what is longer is renewed sooner


class Api:
    """The REST API of one account. `config`: the adapter's, complete."""

    def __init__(self, config: Mapping[str, str], tools: Tools) -> None:
        self._caller = Caller(tools, config["base_url"].rstrip("/"))
        self._grant_body = _build_grant_body(config)
        authorization = build_basic_auth(config["client_id"], config["client_secret"])
        self._basic = {"Authorization": authorization, "Content-Type": "application/json; charset=utf-8"}
        self.account = _name_account(config, self._grant_body)
        self._tokens = Tokens(tools.values, self.account, self._ask_for_token, tools.now)

    def call(
        self, endpoint: Endpoint, content: Any = None, headers: Mapping[str, str] | None = None
    ) -> HTTPResponse | Trouble:
        """Make the call with the account's token; Trouble if there is no token, or no call left in the budget."""
        token = self._tokens.get()
        response = self._call(endpoint, token, content, headers)
        if not isinstance(token, str) or not isinstance(response, HTTPResponse) or response.status != _UNAUTHORIZED:
            return response
        return self._call(endpoint, self._tokens.replace(token), content, headers)

    def _call(
        self, endpoint: Endpoint, token: str | Trouble, content: Any, headers: Mapping[str, str] | None
    ) -> HTTPResponse | Trouble:
        if not isinstance(token, str):
            return token
        body = None if content is None else json.dumps(content).encode()
        sent = {"Authorization": f"Bearer {token}", "Accept": HAL, "Content-Type": HAL, **(headers or {})}
        return self._caller.call(endpoint, sent, body)

    def _ask_for_token(self) -> Grant | Trouble:
        endpoint = Endpoint("POST", _TOKEN_PATH, _TOKEN_PATH)
        response = self._caller.call(endpoint, self._basic, self._grant_body, takes_turn=False)
        return response if isinstance(response, RateLimited) else _parse_grant(response)


def _build_grant_body(config: Mapping[str, str]) -> bytes:
    """Which of the three is wanted depends on the kind of the credentials; `tpl` is sent exactly as it is given."""
    logins = {name: config[name] for name in ("user_login", "user_login_id", "tpl") if config[name]}
    return json.dumps({"grant_type": "client_credentials", **logins}).encode()


def _name_account(config: Mapping[str, str], grant_body: bytes) -> str:
    """Return a name that other credentials do not have: a token is never used beyond those it was given for."""
    parts = "\n".join((config["base_url"], config["client_id"], config["client_secret"]))
    return f"extensiv_3pl:{hashlib.sha256(parts.encode() + grant_body).hexdigest()}"


def _parse_grant(response: HTTPResponse) -> Grant | Trouble:
    fault = parse_read_fault(response) or parse_rate_limit(response, RATE_WAIT_S)
    if fault is not None:
        return fault
    if response.status is not None and response.status >= _FIRST_CLIENT_ERROR:
        return AuthError(f"no token for these credentials ({response.status})")
    body = read_object(response) or {}
    token, life_s = body.get("access_token"), body.get("expires_in")
    if response.status != _OK or not isinstance(token, str) or not token:
        return Retryable(f"answered {response.status} without a token")
    if not isinstance(life_s, int | float) or life_s <= 0:
        return Grant(token, _DEFAULT_LIFE_S)
    return Grant(token, float(min(life_s, _MAX_LIFE_S)))
