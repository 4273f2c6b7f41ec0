"""The error page while the database is unavailable."""

from __future__ import annotations

import pytest

HERS = "bea@example.com"


@pytest.fixture
def away(pages):
    """Make the database unusable."""

    def closed():
        pages.site.engine.dispose()
        for file in pages.site.settings.data_dir.glob("cratewire.db*"):
            file.unlink()
        (pages.site.settings.data_dir / "cratewire.db").mkdir()

    return closed


@pytest.mark.parametrize("path", ["/", "/stores/acme", "/account"])
def test_a_logged_in_user_reads_that_the_database_does_not_answer(pages, away, path):
    pages.store("acme", pages.member(HERS))
    visitor = pages.logged_in(HERS)
    away()

    visitor.go(path)

    assert visitor.status == 503
    assert "The database does not answer at the moment. Hooks are still accepted." in visitor.text


def test_a_visitor_who_logs_in_reads_it_too(pages, away):
    pages.member(HERS)
    visitor = pages.visitor()
    visitor.go("/login")
    away()

    visitor.send("/login", email=HERS, password="a long enough one")

    assert (visitor.status, "The database does not answer" in visitor.text) == (503, True)
