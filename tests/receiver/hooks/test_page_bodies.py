"""The bodies of page requests are limited in size, time and number per network."""

from __future__ import annotations

import asyncio
import io
from contextlib import suppress
from types import SimpleNamespace

import pytest

from pipeline.infra import metrics
from receiver.hooks.page_bodies import (
    MAX_BODY_BYTES,
    MAX_NETWORK_BYTES,
    MAX_TOTAL_BYTES,
    MAX_UPLOAD_BYTES,
    MIN_CHARGED_BYTES,
    PageBodyReader,
)
from receiver.hooks.rules import RequestRejected
from tests.receiver.hook_servers import Headers, Request

ONE, OTHER = "1.1.1.1", "1.1.1.2"


class Dawdling:
    """A body that never arrives; `asked` is set when it is waited for."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def __aiter__(self):
        self.asked.set()
        await asyncio.Event().wait()
        yield b""


def scope(headers, client=ONE, path="/stores/acme/orders"):
    return SimpleNamespace(headers=Headers(headers), client=f"{client}:5000", path=path)


def announced(length, client=ONE, **more):
    return scope({"content-length": str(length)}, client, **more)


CHUNKED = scope({"transfer-encoding": "chunked"})


def status_of(given, body):
    try:
        return len(asyncio.run(PageBodyReader().read(given, Request(io.BytesIO(body)))))
    except RequestRejected as turned:
        return turned.answer.status[:3]


@pytest.mark.parametrize(
    ("given", "body"),
    [
        (announced(MAX_BODY_BYTES), b"x" * MAX_BODY_BYTES),
        (CHUNKED, b"x" * MAX_BODY_BYTES),
        (scope({}), b""),
        (announced(0), b""),
    ],
    ids=["announced", "chunked", "none", "empty"],
)
def test_a_body_within_the_limit_is_read(given, body):
    assert status_of(given, body) == len(body)


@pytest.mark.parametrize(("over", "result"), [(0, MAX_UPLOAD_BYTES), (1, "413")])
def test_a_file_of_a_warehouse_may_be_larger_than_a_form(over, result):
    size = MAX_UPLOAD_BYTES + over

    assert status_of(announced(size, path="/stores/acme/warehouse/imports"), b"x" * size) == result


@pytest.mark.parametrize("length", [str(MAX_BODY_BYTES + 1), "9" * 6_000])
def test_a_body_that_is_announced_as_larger_is_refused_unread(length):
    body = io.BytesIO(b"x" * 100)
    with pytest.raises(RequestRejected, match="413"):
        asyncio.run(PageBodyReader().read(announced(length), Request(body)))

    assert body.tell() == 0


def test_a_chunked_body_is_read_no_further_than_the_limit():
    body = io.BytesIO(b"x" * MAX_BODY_BYTES * 3)
    with pytest.raises(RequestRejected, match="413"):
        asyncio.run(PageBodyReader().read(CHUNKED, Request(body)))

    assert body.tell() < MAX_BODY_BYTES * 2


def test_a_body_that_breaks_off_is_refused():
    assert status_of(announced(10), b"half") == "400"


@pytest.mark.parametrize("length", ["-1", "ten", "²"])
def test_a_length_that_is_no_number_is_refused(length):
    assert status_of(announced(length), b"") == "400"


@pytest.mark.parametrize("given", [announced(5), CHUNKED], ids=["announced", "chunked"])
def test_a_body_that_does_not_come_is_not_waited_for(given):
    async def wait():
        with pytest.raises(RequestRejected, match="408"):
            await PageBodyReader(timeout_s=0.01).read(given, Dawdling())

    asyncio.run(wait())


def beside_dawdlers(number, size, client):
    """The result of a short body of another network, beside `number` bodies that never arrive."""

    async def read():
        bodies = PageBodyReader()
        dawdlers = [Dawdling() for _ in range(number)]
        tasks = [asyncio.create_task(bodies.read(announced(size, client), one)) for one in dawdlers]
        for one in dawdlers:
            await one.asked.wait()
        try:
            return await bodies.read(announced(2, OTHER), Request(io.BytesIO(b"ab")))
        finally:
            for task in tasks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)

    return asyncio.run(read())


def test_a_network_that_dawdles_leaves_the_others_their_room():
    assert beside_dawdlers(MAX_NETWORK_BYTES // MAX_BODY_BYTES, MAX_BODY_BYTES, ONE) == b"ab"


def test_a_network_that_dawdles_has_no_more_room():
    with pytest.raises(RequestRejected, match="503"):
        beside_dawdlers(MAX_NETWORK_BYTES // MIN_CHARGED_BYTES, 2, OTHER)


def test_unknown_networks_share_the_total():
    with pytest.raises(RequestRejected, match="503"):
        beside_dawdlers(MAX_TOTAL_BYTES // MAX_BODY_BYTES, MAX_BODY_BYTES, "127.0.0.1")


def test_what_is_turned_away_is_counted():
    before = metrics.REJECTED_PAGE_REQUESTS.labels("413")._value.get()
    status_of(announced(MAX_BODY_BYTES + 1), b"")

    assert metrics.REJECTED_PAGE_REQUESTS.labels("413")._value.get() == before + 1
