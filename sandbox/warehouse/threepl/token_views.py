"""The address that gives out access tokens."""

import json
from typing import Any

from flask import Blueprint, request
from werkzeug.wrappers import Response

from sandbox.basic_auth import has_pair
from sandbox.warehouse.world import World

# Choices of ours: nothing says what a request without these fields gets. Braces belong to `tpl`.
IDENTITY = ("user_login", "user_login_id", "tpl")


def add_tokens(blueprint: Blueprint, world: World) -> None:
    """The address that gives out tokens; a GET there is a 405."""

    @blueprint.post("/AuthServer/api/Token")
    def give_token() -> Response:
        if not has_pair(request.headers.get("Authorization", ""), world.keys.client_id, world.keys.client_secret):
            return answer({"Message": "invalid_client: client not registered"}, 401)
        try:
            asked = json.loads(request.get_data())
        except ValueError:
            asked = {}
        if not isinstance(asked, dict) or asked.get("grant_type") != "client_credentials":
            return answer({"Message": "unsupported_grant_type"}, 400)
        if any(asked.get(name) not in (None, getattr(world.keys, name)) for name in IDENTITY):
            return answer({"Message": "invalid_client: user not registered"}, 401)
        life_s = world.switches.token_s
        token = world.tokens.give(world.now, life_s)
        return answer(
            {
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": int(life_s),
                "refresh_token": None,
                "scope": None,
            }
        )


def has_token(world: World) -> bool:
    """Does the request have a token in force?"""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and world.tokens.is_valid(token.strip(), world.now)


def answer(content: Any, status: int = 200) -> Response:
    """Return JSON."""
    return Response(json.dumps(content), status, content_type="application/json; charset=utf-8")
