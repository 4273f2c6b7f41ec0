"""The error page while the database is unavailable."""

from __future__ import annotations

import pytest

HERS = "bea@example.com"


@pytest.fixture
def away(house):
    """Make the database unusable."""

    def closed():
        house.site.engine.dispose()
        for file in house.site.settings.data_dir.glob("cratewire.db*"):
            file.unlink()
        (house.site.settings.data_dir / "cratewire.db").mkdir()

    return closed


@pytest.mark.parametrize("path", ["/", "/stores/acme", "/account"])
def test_a_logged_in_user_reads_that_the_database_does_not_answer(house, away, path):
    house.store("acme", house.member(HERS))
    visitor = house.logged_in(HERS)
    away()

    visitor.go(path)

    assert visitor.status == 503
    assert "The database does not answer at the moment. Hooks are still accepted." in visitor.text


def test_a_visitor_who_logs_in_reads_it_too(house, away):
    house.member(HERS)
    visitor = house.visitor()
    visitor.go("/login")
    away()

    visitor.send("/login", email=HERS, password="a long enough one")

    assert (visitor.status, "The database does not answer" in visitor.text) == (503, True)
