"""A hook URL that leaked is replaced by `cratewire connect --new-urls`."""

from __future__ import annotations

import json

import pytest
import responses
from click.testing import CliRunner

from receiver.cli import main

REGION = "https://track.customer.io/api/v1/accounts/region"
CONNECT = ["connect", "--store", "acme", "--platform", "customerio", "--site-id", "s", "--api-key", "k", "--json"]


@pytest.fixture
def connect(tmp_path):
    """Runs `cratewire connect` against a Customer.io that accepts the keys; returns the tokens in the URLs."""

    def run(*more):
        with responses.RequestsMock() as customerio:
            customerio.get(REGION, json={"url": "", "region": "us", "environment_id": 7})
            result = CliRunner().invoke(main, [*CONNECT, "--data", str(tmp_path), *more])
        assert result.exit_code == 0, result.output
        return {url.split("/")[-2] for url in json.loads(result.stdout)["hooks"].values()}

    return run


def test_connecting_again_keeps_the_urls(connect):
    assert connect() == connect()


def test_new_urls_have_a_newer_token(connect):
    before, after = connect().pop(), connect("--new-urls").pop()

    assert [token.split(".")[0] for token in (before, after)] == ["1", "2"]
