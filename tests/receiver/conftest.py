"""Every door to the rules of the hook address."""

from __future__ import annotations

import pytest

from tests.receiver.doors import Door, Keeper, front_of, make_app, through_granian

DOORS = {"granian": lambda app: through_granian(front_of(app)), "fast path": lambda app: app.wsgi_app}


@pytest.fixture(params=DOORS)
def door(request) -> Door:
    keeper = Keeper()
    app = make_app(keeper)
    return Door(keeper, DOORS[request.param](app), app.extensions["cratewire"].intake)
