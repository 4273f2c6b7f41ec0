"""What the shop changes of a box that has been sent, again and again."""

from __future__ import annotations


def test_each_further_change_after_the_sending_is_reported_once(bridge):
    one = bridge.sell()
    bridge.search()

    def look():
        """The notice that a person sees after one more look; then it is put away."""
        bridge.hint(("shipment", one))
        box = bridge.box(one)
        if box.notice_at is None:
            return None
        bridge.requests().dismiss_notice(box.order_number)
        return box.notice

    sent_to = bridge.requests().open(bridge.box(one)).ship_to
    seen = []
    for change in (
        {"street": "99 New Street"},
        {},
        {"street": "3 Other Street"},
        {"zip_code": ""},
        {"to": "Someone Else", "zip_code": sent_to.zip},
        {"street": sent_to.address1, "to": sent_to.name},
        {},
    ):
        if change:
            bridge.do("shipments", one, "address", **change)
        seen.append(look())

    assert seen == ["address_changed", None, *["address_changed"] * 4, None]
