from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import count

import pytest
import requests
import urllib3

from pipeline.infra.http import header_deadline
from pipeline.infra.http.client import MAX_BODY_BYTES, HTTPClient
from pipeline.infra.http.faults import classify_transport_error
from tests.contracts.fake_track import CannedAnswer, FakeTrack, fake_track

SECOND = 1_000_000


@pytest.fixture
def track() -> Iterator[FakeTrack]:
    with fake_track() as track:
        yield track


def http(step: int = 1000) -> HTTPClient:
    return HTTPClient(now=count(0, step).__next__, timeout=(1.0, 0.2))


def test_a_response_is_returned_as_it_came(track: FakeTrack):
    track.next.append(CannedAnswer(418, "täpot", {"X-Shape": "short"}))

    answer = http().call("POST", f"{track.url}/tea", headers={"X-Cup": "1"}, body=b"milk")

    assert (answer.status, answer.body, answer.is_complete, answer.fault) == (418, "täpot", True, None)
    assert answer.headers["x-shape"] == "short"
    assert (answer.started_at, answer.duration_us > 0) == (0, True)
    assert (track.calls[0].raw, track.calls[0].headers["x-cup"]) == (b"milk", "1")


def test_calls_have_our_user_agent_and_share_no_cookies(track: FakeTrack):
    client = http()
    track.next.extend([CannedAnswer(headers={"Set-Cookie": "who=another-account; Path=/"}), CannedAnswer()])

    client.call("GET", track.url)
    client.call("GET", track.url)

    assert all(call.headers["user-agent"].startswith("cratewire/") for call in track.calls)
    assert not any("cookie" in call.headers for call in track.calls)


def test_a_redirect_is_a_response(track: FakeTrack):
    track.next.append(CannedAnswer(301, "", {"Location": f"{track.url}/elsewhere"}))

    assert http().call("GET", track.url).status == 301
    assert len(track.calls) == 1


def test_proxies_and_logins_of_the_environment_are_ignored(track: FakeTrack, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("default login a password b")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    track.next.append(CannedAnswer())

    assert http().call("GET", track.url).status == 200
    assert "authorization" not in track.calls[0].headers


@pytest.mark.parametrize("status", [200, 301])
def test_a_long_body_is_read_to_its_bound_only(track: FakeTrack, status: int):
    track.next.append(CannedAnswer(status, "x" * (MAX_BODY_BYTES + 1)))

    answer = http().call("GET", track.url)

    assert (len(answer.body), answer.is_complete) == (MAX_BODY_BYTES, False)


def test_a_body_that_takes_too_long_is_given_up(track: FakeTrack):
    track.next.append(CannedAnswer(200, "drip"))

    answer = http(step=31 * SECOND).call("GET", track.url)

    assert (answer.status, answer.is_complete) == (200, False)


def test_a_body_that_breaks_off_is_incomplete(track: FakeTrack):
    track.next.append(CannedAnswer(200, "half", length=8))

    answer = http().call("GET", track.url)

    assert (answer.status, answer.body, answer.is_complete) == (200, "half", False)


def test_a_clock_that_is_set_back_gives_no_negative_duration(track: FakeTrack):
    assert HTTPClient(now=count(10**9, -1000).__next__).call("GET", track.url).duration_us == 0


def test_a_refused_connection_was_not_sent():
    answer = http().call("POST", "http://127.0.0.1:1/", body=b"x")

    assert (answer.status, answer.fault, answer.error) == (None, "not_sent", "connection refused")


def test_a_failed_handshake_was_not_sent(track: FakeTrack):
    answer = http().call("POST", track.url.replace("http:", "https:"), body=b"x")

    assert (answer.status, answer.fault, answer.error) == (None, "not_sent", "TLS failed")


@pytest.mark.parametrize("url", ["", "nowhere", "gopher://example.com", "http://", "http://[", "http://*.example.com"])
def test_an_unusable_url_was_not_sent(url: str):
    assert http().call("GET", url).fault == "not_sent"


def test_an_unusable_header_was_not_sent(track: FakeTrack):
    assert http().call("GET", track.url, headers={"X": "a\nb"}).fault == "not_sent"


def test_a_call_without_a_response_may_have_been_processed():
    with socket.create_server(("127.0.0.1", 0)) as server:
        answer = http().call("POST", f"http://127.0.0.1:{server.getsockname()[1]}/", body=b"x")

    assert (answer.status, answer.fault, answer.error) == (None, "maybe_processed", "timeout while reading")


@pytest.fixture
def dripping() -> Iterator[str]:
    """An answer whose head never ends, a line every twentieth of a second."""
    ended = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            while not ended.wait(0.05):
                connection.sendall(b"X-More: to come\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        ended.set()
        thread.join()


def test_endless_headers_are_given_up_and_may_have_been_processed(dripping: str, monkeypatch):
    monkeypatch.setattr(header_deadline, "HEADER_TIMEOUT_S", 0.5)

    answer = HTTPClient(timeout=(5.0, 5.0)).call("POST", dripping, body=b"x")

    assert (answer.status, answer.fault, answer.error) == (None, "maybe_processed", "timeout while reading")


def test_headers_that_never_begin_are_given_up_just_so(monkeypatch):
    monkeypatch.setattr(header_deadline, "HEADER_TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"

        answer = HTTPClient(timeout=(5.0, 5.0)).call("POST", url, body=b"x")

    assert (answer.status, answer.fault, answer.error) == (None, "maybe_processed", "timeout while reading")


def test_a_connection_that_breaks_off_may_have_been_processed(track: FakeTrack):
    track.next.append(CannedAnswer(drop=True))

    answer = http().call("POST", track.url, body=b"x")

    assert (answer.status, answer.fault, answer.error) == (None, "maybe_processed", "connection broke off")


def test_another_process_gets_a_session_of_its_own(track: FakeTrack):
    client = http()
    client.call("GET", track.url)
    inherited = client._session()
    client._pid_and_session = (os.getpid() + 1, inherited)  # as a forked child finds it

    assert client._session() is not inherited


def test_one_process_keeps_its_session(track: FakeTrack):
    client = http()

    assert client._session() is client._session()


_POOL = urllib3.HTTPConnectionPool("127.0.0.1")


@pytest.mark.parametrize(
    ("reason", "fault", "code"),
    [
        (urllib3.exceptions.ConnectTimeoutError(), "not_sent", "timeout while connecting"),
        (urllib3.exceptions.NameResolutionError("h", _POOL, socket.gaierror()), "not_sent", "name not resolved"),
        (urllib3.exceptions.SSLError(), "not_sent", "TLS failed"),
        (urllib3.exceptions.ReadTimeoutError(_POOL, "/", "m"), "maybe_processed", "timeout while reading"),
        (RuntimeError(), "maybe_processed", "connection broke off"),
    ],
)
def test_the_reason_inside_an_exception_decides(reason: Exception, fault: str, code: str):
    wrapped = requests.ConnectionError(urllib3.exceptions.MaxRetryError(_POOL, "/robin%40example.com", reason))

    assert classify_transport_error(wrapped) == (fault, code)


def test_an_unknown_exception_counts_as_perhaps_processed():
    assert classify_transport_error(requests.RequestException()) == ("maybe_processed", "call failed")
