"""How items are listed: under the titles of their stores."""

from __future__ import annotations

from pipeline.attention.item import AttentionItem
from pipeline.attention.listing import show_titles
from pipeline.ledger.monitoring.rows import MERCHANT


def item(headline, store="acme"):
    return AttentionItem("silence", "acme", MERCHANT, headline, "", "`cratewire stores show acme`", 0, store)


def test_the_headline_of_an_item_has_the_title_of_its_store_and_commands_the_name():
    (shown,) = show_titles([item("acme: no hooks")], {"acme": "Acme Coffee"})

    assert (shown.headline, shown.subject, shown.to_do) == (
        "Acme Coffee: no hooks",
        "acme",
        "`cratewire stores show acme`",
    )


def test_items_of_stores_without_a_title_and_of_no_store_stay_as_they_are():
    items = [item("acme: no hooks"), item("Redis does not answer", None)]

    assert show_titles(items, {"other": "Other"}) == items
