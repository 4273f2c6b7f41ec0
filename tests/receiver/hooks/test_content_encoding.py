"""Compressed bodies are decompressed up to a limit; unsupported encodings are rejected and counted."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib

import pytest

from receiver.hooks.content_encoding import CorruptBody, DecompressedTooLarge, decompress_body
from tests.receiver.hook_servers import MAX_BYTES

BODY = b'{"id": 17, "name": "a name"}' * 3
BARE = zlib.compressobj(wbits=-15)
PACKED = {
    "gzip": gzip.compress(BODY),
    "deflate": zlib.compress(BODY),
    "deflate without its frame": BARE.compress(BODY) + BARE.flush(),
}


def coding(name):
    return name.partition(" ")[0]


@pytest.mark.parametrize("name", PACKED)
def test_a_compressed_body_is_stored_decompressed(client, name):
    reply = client.send(body=PACKED[name], HTTP_CONTENT_ENCODING=coding(name))

    assert (reply.status, client.sink.hooks[0].raw) == (200, BODY)


@pytest.mark.parametrize("encoding", ["GZIP", "x-gzip", " gzip , identity"])
def test_the_name_of_a_coding_may_be_written_in_other_ways(client, encoding):
    client.send(body=PACKED["gzip"], HTTP_CONTENT_ENCODING=encoding)

    assert client.sink.hooks[0].raw == BODY


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity", ""])
def test_what_a_proxy_has_unpacked_is_taken_as_it_is(client, encoding):
    client.send(body=BODY, HTTP_CONTENT_ENCODING=encoding)

    assert client.sink.hooks[0].raw == BODY


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "gzip, br"])
def test_a_coding_that_nothing_here_reads_is_refused_unread(client, encoding):
    reply = client.send(body=PACKED["gzip"], HTTP_CONTENT_ENCODING=encoding)

    assert (reply.status, reply.headers["Accept-Encoding"], client.sink.hooks) == (415, "gzip, deflate", [])
    assert list(client.rules.tally._pending) == [("acme", "415")]


def test_a_body_in_several_parts_is_refused(client):
    assert client.send(CONTENT_TYPE="multipart/form-data; boundary=x").status == 415


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/plain", ""])
def test_other_kinds_of_content_are_taken_whatever_they_are_called(client, kind):
    assert client.send(CONTENT_TYPE=kind).status == 200


@pytest.mark.parametrize(
    "body",
    [PACKED["gzip"][:-4], PACKED["gzip"] + b"more", b"\x1f\x8bnonsense"],
    ids=["cut off", "with more behind it", "nonsense"],
)
def test_a_body_that_cannot_be_unpacked_is_refused(client, body):
    assert client.send(body=body, HTTP_CONTENT_ENCODING="gzip").status == 400
    assert client.sink.hooks == []


@pytest.mark.parametrize(("size", "status"), [(MAX_BYTES, 200), (MAX_BYTES + 1, 413)])
@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
def test_a_body_may_be_as_long_unpacked_as_it_may_be_plain(client, size, status, pack):
    name = "gzip" if pack is gzip.compress else "deflate"

    assert client.send(body=pack(b"x" * size), HTTP_CONTENT_ENCODING=name).status == status


def test_a_bomb_is_decompressed_only_up_to_the_limit():
    bomb = gzip.compress(b"\0" * 100_000_000, 1)
    tracemalloc.start()
    with pytest.raises(DecompressedTooLarge):
        decompress_body("gzip", bomb, 1_000_000)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 10_000_000


def test_many_small_packed_bodies_behind_each_other_are_not_read_one_by_one():
    with pytest.raises(CorruptBody):
        decompress_body("gzip", gzip.compress(b"") * 100_000, 1_000_000)
