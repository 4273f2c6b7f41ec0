"""What only a socket can show."""

import http.client
import json
import signal
import socket
import subprocess
import sys

import pytest

from sandbox.customerio.server import Server
from tests.sandbox.customerio.client import Client, basic

HEADERS = {"Authorization": basic(), "Content-Type": "application/json"}


def connect(server: Server, timeout: float = 10) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=timeout)


def put(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
    connection.request("PUT", "/api/v1/customers/cj_1", b"{}", HEADERS)
    return connection.getresponse()


def test_one_connection_carries_many_calls(server: Server, client: Client):
    connection = connect(server)
    bodies, sockets = [], set()
    for _ in range(3):
        bodies.append(put(connection).read())
        sockets.add(connection.sock)
    connection.close()

    assert bodies == [b"{}\n"] * 3
    assert len(sockets) == 1


def test_the_status_line_comes_as_a_header_too(server: Server):
    connection = connect(server)
    response = put(connection)
    response.read()
    connection.close()

    assert (response.getheader("status"), response.getheader("content-length")) == ("200 OK", "3")


def test_a_reset_closes_without_an_answer_after_processing(server: Server, client: Client):
    client.fault("reset")
    connection = connect(server)

    with pytest.raises(ConnectionError):
        put(connection)
    connection.close()

    assert len(client.people()) == 1


def test_a_hanging_call_runs_into_the_clients_timeout(server: Server, client: Client):
    client.fault("hang", hold_s=30)
    connection = connect(server, timeout=0.2)

    with pytest.raises(TimeoutError):
        put(connection)
    connection.close()


def test_a_wrong_length_leaves_the_body_incomplete(server: Server, client: Client):
    client.fault("wrong-content-length")
    connection = connect(server)
    response = put(connection)

    with pytest.raises(http.client.IncompleteRead):
        response.read()
    connection.close()


def test_truncated_json_is_a_whole_body_that_cannot_be_read(server: Server, client: Client):
    client.fault("truncated-json")
    connection = connect(server)
    body = put(connection).read()
    connection.close()

    with pytest.raises(ValueError, match="Expecting"):
        json.loads(body)


def test_a_slow_body_arrives_in_the_end(server: Server, client: Client):
    client.fault("slow-body", pause_ms=5)
    connection = connect(server)
    body = put(connection).read()
    connection.close()

    assert body == b"{}\n"


def test_a_slow_body_runs_into_the_clients_timeout(server: Server, client: Client):
    client.fault("slow-body", pause_ms=20_000)
    connection = connect(server, timeout=0.2)
    response = put(connection)

    with pytest.raises(TimeoutError):
        response.read()
    connection.close()


def test_a_body_beyond_the_edge_is_refused_unread(server: Server):
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=10) as raw:
        raw.sendall(b"POST /api/v2/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 6000000\r\n\r\n")
        assert raw.recv(12) == b"HTTP/1.1 413"


def test_the_command_says_where_it_listens_and_stops_when_asked():
    command = [sys.executable, "-m", "sandbox.customerio", "--site-id", "s", "--api-key", "k", "--region", "eu"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        greeting = json.loads(process.stdout.readline())
        connection = http.client.HTTPConnection(greeting["url"].removeprefix("http://"), timeout=10)
        connection.request("GET", "/api/v1/accounts/region", headers={"Authorization": basic("s", "k")})
        region = json.load(connection.getresponse())
        connection.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0

    assert region == {"url": greeting["url"], "region": "eu", "environment_id": 1}
    assert (greeting["site_id"], greeting["api_key"], greeting["region"]) == ("s", "k", "eu")
