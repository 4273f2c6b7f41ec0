"""Every rule of the hook address."""

from __future__ import annotations

import asyncio
import io
import json
from types import SimpleNamespace

import pytest

from pipeline.infra import metrics
from receiver.hooks.timeouts import RequestTimeouts
from tests.receiver.hook_servers import CHUNK, HOOK, MAX_BYTES, NOW, TOKEN, FakeHookSink, Headers, make_server


def test_a_post_is_stored_and_answered_with_its_receipt(client):
    reply = client.send(body=b'{"id": 1}')

    (hooks,) = client.sink.hooks
    assert (reply.status, json.loads(reply.body)) == (200, {"receipt": hooks.receipt})
    assert (hooks.store, hooks.version, hooks.event, hooks.received_at) == ("acme", 7, "order_new", NOW)
    assert (hooks.raw, hooks.query, hooks.source) == (b'{"id": 1}', None, "hook")


def test_the_body_is_stored_unchanged(client):
    client.send(body=b'\xff\xfe\x00 not json "')

    assert client.sink.hooks[0].raw == b'\xff\xfe\x00 not json "'


def test_a_get_is_stored_with_its_query(client):
    reply = client.send("GET", f"{HOOK}?id=1&name=a%20é", body=b"")

    assert reply.status == 200
    assert (client.sink.hooks[0].raw, client.sink.hooks[0].query) == (b"", "id=1&name=a%20é")


def test_the_query_of_a_post_is_not_its_content(client):
    client.send(path=f"{HOOK}?id=1")

    assert client.sink.hooks[0].query is None


def test_an_empty_post_is_stored_too(client):
    assert client.send(body=b"").status == 200
    assert client.sink.hooks[0].raw == b""


def test_each_hook_has_a_receipt_of_its_own(client):
    receipts = {client.send().body for _ in range(3)}

    assert len(receipts) == 3


def test_the_answer_is_json_with_its_length_and_not_cached(client):
    reply = client.send()

    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["Content-Length"] == str(len(reply.body))
    assert reply.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/hooks/acme/7.wrong/order_new",
        f"/hooks/other/{TOKEN}/order_new",
        "/hooks/acme//order_new",
        f"/hooks/acmé/{TOKEN}/order_new",
        "/hooks/acme/7.rîght/order_new",
        f"/hooks/acme/{TOKEN}/order-new",
        f"/hooks/acme/{TOKEN}/{'a' * 65}",
        f"/hooks/acme/{TOKEN}/",
        f"/hooks/acme/{TOKEN}",
        f"/hooks/acme/{TOKEN}/order_new/more",
        "/hooks/acme",
    ],
)
def test_every_wrong_address_gets_the_same_answer(client, path):
    reply = client.send(path=path)

    assert (reply.status, json.loads(reply.body)) == (404, {"error": "not found"})
    assert client.sink.hooks == []


@pytest.mark.parametrize(
    "path",
    [
        f"{HOOK}/",
        f"{HOOK}//",
        f"/{HOOK}",
        f"/hooks//acme//{TOKEN}/order_new",
        f"/hooks/acme/{TOKEN}/Order_New",
        f"/hooks/Acme/{TOKEN}/ORDER_NEW",
        f"/Hooks/acme/{TOKEN}/order_new",
        f"/cratewire{HOOK}",
        f"/behind/a/proxy{HOOK}/",
        f"/acme/{TOKEN}/order_new",
        f"/hook/acme/{TOKEN}/order_new",
    ],
)
def test_an_address_that_can_mean_only_one_hook_is_taken(client, path):
    assert client.send(path=path).status == 200
    assert (client.sink.hooks[0].store, client.sink.hooks[0].event) == ("acme", "order_new")


def test_an_event_with_a_line_break_is_not_found(client):
    assert client.send(path=f"{HOOK}\n").status == 404


def test_an_event_of_64_letters_is_taken(client):
    assert client.send(path=f"/hooks/acme/{TOKEN}/{'a' * 64}").status == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_not_allowed(client, method):
    reply = client.send(method)

    assert (reply.status, reply.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert client.sink.hooks == []


@pytest.mark.parametrize(("path", "status"), [(HOOK, 200), ("/hooks/acme/7.wrong/order_new", 404)])
def test_a_head_request_probes_and_stores_nothing(client, path, status):
    assert client.send("HEAD", path, body=b"").status == status
    assert client.sink.hooks == []


def test_the_largest_body_is_taken(client):
    assert client.send(body=b"x" * MAX_BYTES).status == 200


def test_a_larger_body_is_refused_unread(client):
    body = io.BytesIO(b"x" * 5_000)
    reply = client.send(CONTENT_LENGTH="5000", **{"wsgi.input": body})

    assert (reply.status, body.tell()) == (413, 0)
    assert client.sink.hooks == []


@pytest.mark.parametrize(("size", "status"), [(MAX_BYTES, 200), (MAX_BYTES + 1, 413)])
def test_a_body_without_a_length_is_read_up_to_the_limit(client, size, status):
    body = io.BytesIO(b"x" * size + b"y" * 5_000 * (status == 413))
    reply = client.send(CONTENT_LENGTH=None, **{"wsgi.input": body})

    assert reply.status == status
    assert body.tell() <= MAX_BYTES + CHUNK


@pytest.mark.parametrize("length", ["-1", "ten", "1e3", "+5", "²", "1 0"])
def test_a_length_that_is_no_number_is_a_bad_request(client, length):
    assert client.send(CONTENT_LENGTH=length).status == 400
    assert client.sink.hooks == []


def test_an_endless_length_is_too_large(client):
    assert client.send(CONTENT_LENGTH="9" * 6_000).status == 413


def test_a_truncated_body_is_not_stored(client):
    assert client.send(body=b"half", CONTENT_LENGTH="8").status == 400
    assert client.sink.hooks == []


def test_a_body_that_comes_in_pieces_is_whole(client):
    class Dripping(io.BytesIO):
        def read(self, size=-1):
            return super().read(min(size, 7))

    client.send(CONTENT_LENGTH="100", **{"wsgi.input": Dripping(b"x" * 100)})

    assert client.sink.hooks[0].raw == b"x" * 100


def test_a_hook_that_cannot_be_stored_is_answered_with_retry_after(client):
    client.sink.route = "refused"
    reply = client.send()

    assert reply.status == 503
    assert int(reply.headers["Retry-After"]) > 0


def test_a_hook_on_the_spool_is_acknowledged_too(client):
    client.sink.route = "spool"

    assert client.send().status == 200


def test_paths_outside_the_prefix_are_passed_to_flask(client):
    assert client.send("GET", "/healthz", body=b"").status == 200
    assert client.send("GET", "/hooks", body=b"").status == 404


class Never:
    """A request whose body does not arrive."""

    async def __call__(self):
        await asyncio.sleep(3600)

    async def __aiter__(self):
        await asyncio.sleep(3600)
        yield b""

    def response_bytes(self, status, _headers, _body):
        self.status = status


@pytest.mark.parametrize("headers", [{}, {"content-length": "5"}], ids=["chunked", "announced"])
def test_a_slow_sender_gets_408_and_nothing_is_stored(headers):
    sink, request = FakeHookSink(), Never()
    scope = SimpleNamespace(method="POST", path=HOOK, query_string="", headers=Headers(headers))
    asyncio.run(make_server(sink, RequestTimeouts(0.01, check_interval_s=0.01)).__rsgi__(scope, request))

    assert (request.status, sink.hooks) == (408, [])


def turned_away(status):
    return metrics.REJECTED_HOOKS.labels(status)._value.get()


def test_a_hook_to_a_revoked_url_is_rejected_counted_and_not_stored(client):
    before, client.sink.revoked = turned_away("410"), True

    assert (client.send(body=b"{}").status, client.sink.hooks) == (410, [])
    assert turned_away("410") == before + 1


def test_a_probe_of_a_revoked_address_learns_so_and_is_not_counted(client):
    before, client.sink.revoked = turned_away("410"), True

    assert client.send("HEAD", body=b"").status == 410
    assert turned_away("410") == before
