"""A pause that Cratejoy asks for while keys are checked."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pipeline.core.errors import RateLimited
from receiver.pages.connect.credential_check import MAX_PAUSE_S, FormRejected, check_cratejoy


class PausedApi:
    """A store's API that asks to wait once."""

    def __init__(self, seconds: float) -> None:
        self.pauses = [seconds]
        self.checks = 0

    def check(self) -> None:
        self.checks += 1
        if self.pauses:
            raise RateLimited(self.pauses.pop(), "the store asks us to wait")


class Form(dict):
    """The fields that are read. It does not ask for an address."""

    client_id = SimpleNamespace(data="an-id")
    client_secret = SimpleNamespace(data="a-secret")


def test_a_short_pause_is_waited_for_and_the_keys_are_checked_again():
    api, slept = PausedApi(MAX_PAUSE_S), []

    check_cratejoy(Form(), lambda _: api, slept.append)

    assert (api.checks, slept) == (2, [MAX_PAUSE_S])


def test_a_long_pause_is_said_to_the_visitor():
    api, slept = PausedApi(MAX_PAUSE_S + 0.5), []

    with pytest.raises(FormRejected, match=r"asks us to wait. Please try again in 4 s\."):
        check_cratejoy(Form(), lambda _: api, slept.append)

    assert (api.checks, slept) == (1, [])
