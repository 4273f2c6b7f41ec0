"""The pages over PostgreSQL, where reading and writing are two transactions as well."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.ledger.engine import make_engine
from tests.receiver.pages.browser import PagesInstallation
from tests.receiver.pages.test_accounts import EMAIL, register


@pytest.fixture
def pages(site, engine):
    clock = [site.now()]
    return PagesInstallation.of(replace(site, engine=engine, now=lambda: clock[0]), clock)


@pytest.fixture
def database_url(migrated_postgres):
    from tests.conftest import _empty  # noqa: PLC0415 the fixture of this name asks for both databases

    _empty(migrated_postgres)
    return migrated_postgres


def test_a_new_user_confirms_logs_in_and_logs_out_everywhere(pages):
    visitor = pages.visitor()
    register(visitor)
    visitor.press(pages.mail()[0].links[0])
    before = visitor.is_logged_in()
    visitor.send("/account/log-out-everywhere")

    assert (before, visitor.is_logged_in()) == (True, False)


def test_a_page_leaves_no_transaction_open(pages):
    pages.store("acme", pages.member(EMAIL))
    pages.logged_in(EMAIL).go("/")

    other = make_engine(pages.site.engine.url.render_as_string(hide_password=False))
    with other.connect() as conn:
        open_ = conn.exec_driver_sql(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE state LIKE 'idle in transaction%%' AND datname = current_database()"
        ).scalar()
    other.dispose()
    assert open_ == 0
