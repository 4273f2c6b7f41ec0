"""Clients of one server and of the primary behind Sentinels, with real ones."""

from __future__ import annotations

import os
import socket

import pytest
from redis.exceptions import RedisError
from redis.sentinel import SentinelConnectionPool, SentinelManagedSSLConnection

from pipeline.infra.redis_client import open_redis, parse_sentinel_url
from tests.servers.sentinel import replicated_valkey
from tests.waiting import wait_until


def test_a_url_names_sentinels_a_primary_and_a_database():
    found = parse_sentinel_url("redis+sentinel://me:s%2Fx@one:26380,two,[::1]:7/shop/3")

    assert found.sentinels == (("one", 26380), ("two", 26379), ("::1", 7))
    assert (found.primary, found.is_encrypted) == ("shop", False)
    assert found.options == {"username": "me", "password": "s/x", "db": 3}
    assert found.sentinel_options == {}


def test_sentinels_have_a_user_and_a_password_of_their_own():
    url = "redis+sentinel://:a@one/shop?sentinel_username=guard&sentinel_password=b%26c"

    assert parse_sentinel_url(url).sentinel_options == {"username": "guard", "password": "b&c"}


def test_with_tls_both_redis_and_the_sentinels_are_encrypted():
    found = parse_sentinel_url("rediss+sentinel://one/shop?ssl_ca_certs=/ca.pem")

    assert found.tls_options == {"ssl_ca_certs": "/ca.pem"}
    assert (found.options["ssl"], found.sentinel_options) == (True, {"ssl": True, "ssl_ca_certs": "/ca.pem"})
    pool = open_redis("rediss+sentinel://one/shop?ssl_ca_certs=/ca.pem").connection_pool
    assert pool.connection_class is SentinelManagedSSLConnection


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("redis+sentinel://one,two", "name the primary"),
        ("redis+sentinel://one/shop/first", "number of a database"),
        ("redis+sentinel://one:99999/shop", "a port from 1 to 65535"),
        ("redis+sentinel://one:s3cret/shop", "a port from 1 to 65535"),
        ("redis+sentinel://one,,two/shop", "name a host"),
        ("redis+sentinel:///shop", "name a host"),
        ("redis+sentinel://me:s3cret@o\u2100ne/shop", "cannot be read"),
    ],
)
def test_a_malformed_url_says_what_is_wrong_and_quotes_nothing(url, fault):
    with pytest.raises(ValueError, match=fault) as caught:
        parse_sentinel_url(url)

    assert "s3cret" not in str(caught.value)


def test_no_password_is_in_the_repr():
    assert "s3cret" not in repr(parse_sentinel_url("redis+sentinel://:s3cret@one/shop?sentinel_password=s3cret"))


def test_options_win_over_those_of_the_url():
    pool = open_redis("redis+sentinel://one/shop/1", socket_timeout=0.5).connection_pool

    assert isinstance(pool, SentinelConnectionPool)
    assert (pool.connection_kwargs["socket_timeout"], pool.connection_kwargs["db"]) == (0.5, 1)


def test_a_client_follows_the_primary_when_it_dies():
    with replicated_valkey() as servers:
        client = open_redis(servers.url, socket_timeout=2)
        client.set("written", "before")
        assert client.execute_command("WAITAOF", 1, 1, 2_000) == [1, 1]
        first = servers.primary_port()
        servers.kill(first)
        wait_until(lambda: answers(client))

        assert client.get("written") == b"before"
        assert client.info("server")["tcp_port"] != first
        client.close()


def test_a_client_leaves_a_primary_that_was_demoted_while_it_was_connected():
    with replicated_valkey() as servers:
        client = open_redis(servers.url, socket_timeout=2)
        client.set("written", "before")
        demoted, promoted = servers.ports
        with servers.client(promoted) as new, servers.client(demoted) as old:
            new.execute_command("REPLICAOF", "NO", "ONE")
            old.execute_command("REPLICAOF", "127.0.0.1", str(promoted))
        with pytest.raises(RedisError, match="previous master is now a slave"):
            client.set("written", "to a replica")
        client.close()


def test_a_sentinel_that_does_not_listen_is_passed_over():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with replicated_valkey() as servers:
        servers.sentinel_ports.insert(0, port)
        client = open_redis(servers.url, socket_timeout=2)

        assert client.ping()
        client.close()


def test_a_forked_process_has_connections_of_its_own():
    with replicated_valkey() as servers:
        client = open_redis(servers.url, socket_timeout=2)
        ours = client.client_id()
        reader, writer = os.pipe()
        if not (child := os.fork()):
            os.write(writer, str(client.client_id()).encode())
            os._exit(0)
        os.waitpid(child, 0)

        assert os.read(reader, 100) != str(ours).encode()
        assert client.client_id() == ours
        client.close()


def answers(client) -> bool:
    try:
        return bool(client.set("written", "before"))
    except RedisError:
        return False
