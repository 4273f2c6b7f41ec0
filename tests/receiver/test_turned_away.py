"""Rejected hooks are counted by status, and those with a valid token by store."""

from __future__ import annotations

import pytest

from pipeline.infra import metrics
from tests.receiver.hook_servers import HOOK, MAX_BYTES, NOW, TOKEN


def turned_away(status):
    return metrics.REJECTED_HOOKS.labels(status)._value.get()


def signed_ones(status):
    return metrics.REJECTED_SIGNED_HOOKS.labels(status)._value.get()


@pytest.mark.parametrize(
    ("status", "path", "length"),
    [
        (404, "/hooks/acme/an-unsigned-token/order_new", "2"),
        (413, HOOK, str(MAX_BYTES + 1)),
        (400, HOOK, "many"),
    ],
)
def test_a_hook_that_is_lost_is_counted(client, status, path, length):
    before = turned_away(str(status))

    assert client.send(path=path, CONTENT_LENGTH=length).status == status
    assert turned_away(str(status)) == before + 1


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/hooks/"), ("POST", "/hooks/acme/x/ORDER!"), ("HEAD", "/hooks/acme/x/order_new")]
)
def test_requests_that_are_not_hooks_are_not_counted(client, method, path):
    before = turned_away("404")
    client.send(method, path)

    assert turned_away("404") == before


@pytest.mark.parametrize(
    ("status", "method", "path", "length"),
    [
        ("405", "PUT", HOOK, "2"),
        ("405", "DELETE", HOOK, "2"),
        ("404", "POST", f"/hooks/acme/{TOKEN}/order-new", "2"),
        ("404", "POST", f"/hooks/acme/{TOKEN}", "2"),
        ("404", "POST", f"{HOOK}/more", "2"),
        ("404", "GET", f"/webhooks/acme/{TOKEN}/order-new", ""),
        ("405", "PUT", f"/webhooks/acme/{TOKEN}/order_new", "2"),
        ("404", "POST", f"/webhooks/Acme/{TOKEN}", "2"),
        ("413", "POST", HOOK, str(MAX_BYTES + 1)),
        ("400", "POST", HOOK, "many"),
        ("400", "POST", HOOK, "3"),
    ],
)
def test_every_rejected_request_with_a_valid_token_is_counted(client, status, method, path, length):
    before, noted = signed_ones(status), turned_away(status)

    assert client.send(method, path, CONTENT_LENGTH=length).status == int(status)
    assert (signed_ones(status), turned_away(status)) == (before + 1, noted + 1)
    assert client.rules.tally._pending == {("acme", status): (1, NOW)}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("HEAD", f"/hooks/acme/{TOKEN}/order-new"),
        ("OPTIONS", HOOK),
        ("PUT", "/hooks/acme/7.wrong/order_new"),
        ("POST", f"/hooks/other/{TOKEN}/order_new"),
        ("POST", "/static/7.5/cratewire.css"),
        ("POST", "/a" * 20 + HOOK.removesuffix("order_new")),
    ],
)
def test_requests_without_a_hook_or_a_valid_token_are_not_counted_as_signed(client, method, path):
    client.send(method, path)

    assert client.rules.tally._pending == {}
