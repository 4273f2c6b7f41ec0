"""Web rejects hooks to revoked URLs without a query while a hook waits."""

from __future__ import annotations

from structlog.testing import capture_logs

from receiver.hooks.revoked_tokens import LOG_INTERVAL_S, RevokedTokens


class Known:
    """A fake of the ledger's revocations."""

    looks = 0

    def refresh_if_due(self):
        self.looks += 1

    def is_revoked(self, store, version, received_at):
        return (store, version, received_at) == ("acme", 1, 7)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_it_answers_with_the_state_of_the_last_refresh():
    revoked = RevokedTokens(Known(), lambda: 7, Clock())

    assert (revoked("acme", 1), revoked("acme", 2)) == (True, False)


def test_a_request_does_not_query_the_ledger():
    known = Known()
    RevokedTokens(known, lambda: 7, Clock())("acme", 1)

    assert known.looks == 0


def test_a_store_whose_revoked_url_is_used_is_logged_from_time_to_time():
    clock = Clock()
    revoked = RevokedTokens(Known(), lambda: 7, clock)
    with capture_logs() as lines:
        for _ in range(3):
            revoked("acme", 1)
            revoked.refresh()
        clock.now += LOG_INTERVAL_S
        revoked.refresh()

    assert [line["hooks"] for line in lines] == [{"acme": 1}, {"acme": 2}]
