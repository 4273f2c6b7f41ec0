"""What has left the inbox leaves Redis's file with it."""

from __future__ import annotations

from redis import Redis, ResponseError

from pipeline.inbox.append_only_file import rewrite_append_only_file


class Refusing(Redis):
    def __init__(self, answer):
        self.answer = answer

    def bgrewriteaof(self, **_):
        raise ResponseError(self.answer)


def test_a_server_rewrites_its_file(redis_client):
    assert rewrite_append_only_file(redis_client)


def test_a_rewriting_that_is_underway_is_enough():
    assert rewrite_append_only_file(Refusing("Background append only file rewriting already in progress"))


def test_a_server_that_refuses_is_no_error():
    assert not rewrite_append_only_file(Refusing("unknown command 'BGREWRITEAOF'"))
    assert not rewrite_append_only_file(Redis(port=1))
