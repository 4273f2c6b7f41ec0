"""The pages are built late, limited in concurrency, and use the public URL."""

from __future__ import annotations

import threading
from contextlib import contextmanager

import pytest

from receiver.pages.lazy_app import MAX_PAGE_REQUESTS, MAX_REQUESTS_PER_NETWORK, LazyApp
from tests.receiver.hook_servers import FakeHookSink, as_wsgi, get_server, make_app, send


def core(environ, start):
    start("200 OK", [])
    return [b"core"]


def echo(environ, start):
    start("200 OK", [])
    return [f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}{environ['SCRIPT_NAME']}".encode()]


def door(build=lambda: echo, public_url="https://hooks.example.com/wire", **more):
    return LazyApp(core, frozenset({"healthz"}), build, public_url, **more)


def test_what_machines_ask_for_builds_no_pages():
    def never():
        raise AssertionError("built")

    assert send(door(never), "GET", "/healthz").body == b"core"


@pytest.mark.parametrize("path", ["/hooks", "/hook", "/readyz/hook", "/readyz/", "/readyz/hooks/", "/healthz/all"])
def test_an_unknown_path_is_answered_with_a_page(pages, path):
    answer = send(make_app(FakeHookSink(), pages.site).wsgi_app, "GET", path)

    assert (answer.status, b"cratewire.css" in answer.body) == (404, True)


@pytest.mark.parametrize(
    ("path", "status"), [("/hooks/", 404), ("//hooks/acme", 404), ("/healthz", 200), ("/readyz/hooks", 200)]
)
def test_what_machines_ask_for_is_answered_without_a_page(pages, path, status):
    answer = send(as_wsgi(get_server(make_app(FakeHookSink(), pages.site))), "GET", path)

    assert (answer.status, b"cratewire.css" in answer.body) == (status, False)


def test_pages_are_built_once():
    built = []

    def build():
        built.append(1)
        return echo

    way = door(build)
    send(way, "GET", "/")
    send(way, "GET", "/login")

    assert built == [1]


def test_pages_see_the_public_address_whatever_host_is_asked_for():
    answer = send(door(), "GET", "/", HTTP_HOST="evil.example", HTTP_X_FORWARDED_HOST="evil.example")

    assert answer.body == b"https://hooks.example.com/wire"


@contextmanager
def inside(way, peers, arrived, leave):
    """Concurrent requests that do not end, one from each peer."""
    threads = [threading.Thread(target=send, args=(way, "POST", "/"), kwargs={"REMOTE_ADDR": peer}) for peer in peers]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert arrived.acquire(timeout=60)
    yield
    leave.set()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize(
    ("peers", "asks", "status"),
    [
        (["127.0.0.1"] * MAX_PAGE_REQUESTS, "11.0.0.9", 503),
        (["11.0.0.1"] * MAX_REQUESTS_PER_NETWORK, "11.0.0.1", 503),
        (["11.0.0.1"] * MAX_REQUESTS_PER_NETWORK, "11.0.0.9", 200),
        (
            ["127.0.0.1"] * MAX_REQUESTS_PER_NETWORK,
            "127.0.0.1",
            200,
        ),  # behind a proxy that does not say whom it forwards
    ],
)
def test_more_requests_than_there_is_room_for_in_all_or_for_one_network_are_sent_away(peers, asks, status):
    arrived, leave = threading.Semaphore(0), threading.Event()

    def slow(environ, start):
        arrived.release()
        if environ["PATH_INFO"] != "/last":
            leave.wait(60)
        return echo(environ, start)

    way = door(lambda: slow)
    with inside(way, peers, arrived, leave):
        answer = send(way, "GET", "/last", REMOTE_ADDR=asks)

    assert answer.status == status


def test_room_is_free_again_after_a_page_that_failed():
    def failing(environ, start):
        raise RuntimeError("at work")

    way = door(lambda: failing)
    failures = 0
    for _ in range(MAX_PAGE_REQUESTS + 1):
        try:
            send(way, "GET", "/")
        except RuntimeError:
            failures += 1

    assert failures == MAX_PAGE_REQUESTS + 1


def test_the_api_is_built_apart_from_the_pages():
    def never():
        raise AssertionError("built")

    both = LazyApp(core, frozenset({"healthz"}), never, "https://hooks.example.com", lambda: echo)

    assert send(both, "GET", "/api/v1/shops").body == b"https://hooks.example.com"


def test_a_busy_api_answers_with_a_problem():
    arrived, leave = threading.Semaphore(0), threading.Event()

    def slow(environ, start):
        arrived.release()
        leave.wait(60)
        return echo(environ, start)

    way = door(lambda: slow)
    with inside(way, ["127.0.0.1"] * MAX_PAGE_REQUESTS, arrived, leave):
        answer = send(way, "GET", "/api/v1/shops")

    assert (answer.status, b'"status": 503' in answer.body) == (503, True)


def test_a_body_too_large_for_the_api_is_answered_with_a_problem(pages):
    server = as_wsgi(get_server(make_app(FakeHookSink(), pages.site)))
    answer = send(server, "POST", "/api/v1/people/search", b"x" * 64_001)

    assert (answer.status, b'"detail": "too large"' in answer.body) == (413, True)


@pytest.fixture
def slow_page():
    """An application whose pages below /slow end when `leave` is set: (build, arrived, leave)."""
    arrived, leave = threading.Semaphore(0), threading.Event()

    def slow(environ, start):
        if environ["PATH_INFO"] == "/slow":
            arrived.release()
            leave.wait(60)
        return echo(environ, start)

    yield (lambda: slow), arrived, leave
    leave.set()


@pytest.mark.parametrize(("method", "max_wait_s"), [("POST", 60.0), ("GET", 0.0)])
def test_a_form_does_not_wait_for_a_slow_page_and_a_page_not_for_ever(slow_page, method, max_wait_s):
    build, arrived, leave = slow_page
    way = door(build, max_wait_s=max_wait_s)
    slow = threading.Thread(target=send, args=(way, "GET", "/slow"))
    slow.start()
    arrived.acquire(timeout=60)
    status = send(way, method, "/").status
    leave.set()
    slow.join()

    assert status == 200


def test_pages_are_built_one_after_the_other():
    building, together = threading.Lock(), []

    def page(environ, start):
        together.append(not building.acquire(blocking=False))
        threading.Event().wait(0.001)  # lets the others run
        building.release()
        return echo(environ, start)

    way = door(lambda: page, max_wait_s=60.0)
    threads = [threading.Thread(target=send, args=(way, "GET", "/")) for _ in range(MAX_PAGE_REQUESTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert together == [False] * MAX_PAGE_REQUESTS
