"""Calls for merchants go to public addresses only, and to exactly those that were checked."""

from __future__ import annotations

import socket

import pytest

from pipeline.core.errors import WrongAddress
from pipeline.cratejoy.client import CratejoyClient
from pipeline.cratejoy.credentials import Credentials
from pipeline.destinations.customerio import CustomerIO
from pipeline.infra.http.client import HTTPClient, get_merchant_http
from pipeline.infra.http.faults import NOT_PUBLIC
from pipeline.infra.http.public_addresses import is_public
from tests.contracts.fake_track import fake_track
from tests.pipeline.cratejoy.fake_http import FakeRateLimit

PUBLIC = ["93.184.216.34", "2606:4700::1111", "64:ff9b::5db8:d822"]
OURS = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",  # a cloud's metadata
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - it is to be refused
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "2002:7f00:1::1",  # 6to4
    "64:ff9b::a9fe:a9fe",  # NAT64
]


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_internet_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize("address", OURS)
def test_other_addresses_are_not_public(address):
    assert not is_public(address)


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server


def came(server):
    try:
        server.accept()[0].close()
    except BlockingIOError:
        return False
    return True


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost", "[::ffff:127.0.0.1]", "0"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_no_spelling_of_a_private_address_is_connected_to(listener, scheme, host):
    answer = get_merchant_http(anywhere=False).call("GET", f"{scheme}://{host}:{listener.getsockname()[1]}/")

    assert (answer.error, answer.fault) == (NOT_PUBLIC, "not_sent")
    assert not came(listener)


def resolved(monkeypatch, *answers):
    """A name server that gives these answers, one after the other, each a list of addresses."""
    real, given = socket.getaddrinfo, iter(answers)
    asked = []

    def look_up(host, port, *rest, **more):
        if host != "shop.example":
            return real(host, port, *rest, **more)
        asked.append(host)
        found = []
        for address in next(given):
            found += real(address, port, *rest, **more)
        return found

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


def test_a_name_with_one_private_address_is_refused(monkeypatch, listener):
    resolved(monkeypatch, ["93.184.216.34", "127.0.0.1"])

    answer = get_merchant_http(anywhere=False).call("GET", f"http://shop.example:{listener.getsockname()[1]}/")

    assert answer.error == NOT_PUBLIC


def test_the_connection_goes_to_the_checked_address(monkeypatch, listener):
    """A name server cannot change its answer after the check."""
    asked = resolved(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    tried = []

    def connect(place, *_, **__):
        tried.append(place[0])
        raise OSError

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    get_merchant_http(anywhere=False).call("GET", f"http://shop.example:{listener.getsockname()[1]}/")

    assert (tried, len(asked)) == (["93.184.216.34"], 1)


def test_a_name_that_does_not_exist_is_an_ordinary_fault(monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    assert get_merchant_http(anywhere=False).call("GET", "https://shop.example/").error == "name not resolved"


def test_with_connect_anywhere_loopback_is_called():
    with fake_track() as track:
        answer = get_merchant_http(anywhere=True).call("GET", f"{track.url}/api/v1/accounts/region")

    assert answer.status is not None


def test_a_platform_at_a_private_address_gets_no_keys():
    with fake_track() as track, pytest.raises(WrongAddress, match="not a public address"):
        CustomerIO(track.config, get_merchant_http(anywhere=False)).check()


def test_a_merchant_api_at_a_private_address_gets_no_keys():
    keys = Credentials("id", "secret", "https://169.254.169.254/v1/")

    with pytest.raises(WrongAddress, match="not public"):
        CratejoyClient(keys, get_merchant_http(anywhere=False), FakeRateLimit()).check()


def test_addresses_that_the_operator_has_set_may_be_private(listener):
    listener.settimeout(None)
    HTTPClient(timeout=(1, 0.01)).call("GET", f"http://127.0.0.1:{listener.getsockname()[1]}/")

    assert came(listener)
