"""What the merchant does to boxes and orders in the dashboard, which hooks fire, and the counted e-mails."""

import pytest


@pytest.fixture
def sold(shop):
    return shop.control("sales", {"cycles": 3})


@pytest.fixture
def box(shop, sold):
    """The path of the first box under both surfaces."""
    return f"shipments/{sold['shipment_ids'][0]}"


@pytest.fixture
def fired(shop, sold, sent_events):
    """A function that does something in the dashboard, and returns the hooks that fired."""

    def after(path, body=None):
        before = len(sent_events())
        shop.control(path, body or {})
        return sent_events()[before:]

    return after


def status(shop, box):
    return shop.get(f"/v1/{box}/")["status"]


def test_a_cancelled_box_fires_its_hook(shop, box, fired):
    assert fired(f"{box}/cancel") == ["shipment_cancelled"]
    assert status(shop, box) == "cancelled"
    assert shop.get(f"/v1/{box}/")["fulfillments"][0]["status"] == "cancelled"


def test_a_cancel_taken_back_fires_nothing(shop, box, fired):
    fired(f"{box}/cancel")

    assert fired(f"{box}/uncancel") == []
    assert shop.get(f"/v1/{box}/")["fulfillments"][0]["status"] == "open"


def test_a_box_marked_shipped_by_hand_fires_its_hook_and_sends_an_email(shop, box, fired):
    assert fired(f"{box}/ship", {"tracking_number": "HAND01"}) == ["shipment_shipped", "order_updated"]
    assert shop.get("/_sandbox/emails")["total"] == 1


def test_another_address_is_that_of_one_box(shop, sold, box, fired):
    assert fired(f"{box}/address", {"street": "9 New St", "unit": "B"}) == ["shipment_address_updated"]
    streets = [shop.get(f"/v1/shipments/{one}/")["ship_address"]["street"] for one in sold["shipment_ids"]]
    assert streets[0] == "9 New St"
    assert "9 New St" not in streets[1:]


def test_a_box_sent_elsewhere_no_longer_follows_its_customers_address(shop, sold, box):
    home = shop.get(f"/v1/{box}/")["ship_address"]["id"]
    shop.control(f"{box}/address", {"street": "9 New St"})
    shop.call("PUT", f"/v1/addresses/{home}/", {"street": "1 Other St"})

    streets = [shop.get(f"/v1/shipments/{one}/")["ship_address"]["street"] for one in sold["shipment_ids"]]
    assert streets == ["9 New St", "1 Other St", "1 Other St"]


def test_the_former_addresses_of_a_box_are_listed(shop, sold, box):
    before = shop.get(f"/v1/{box}/")["ship_address"]
    shop.call("PUT", f"/v1/addresses/{before['id']}/", {"street": "1 Other St"})
    shop.control(f"{box}/address", {"street": "9 New St"})

    [listed, *_] = shop.get("/_sandbox/shipments")["shipments"]
    assert listed["ship_address"]["street"] == "9 New St"
    assert [address["street"] for address in listed["former_addresses"]] == [before["street"], "1 Other St"]


def test_a_moved_box_has_another_target_date(shop, box, fired):
    assert fired(f"{box}/move", {"target": "2026-09-01"}) == []
    assert shop.get(f"/v1/{box}/")["adjusted_ordered_at"] == "2026-09-01T00:00:00Z"


def test_a_line_may_be_cancelled_alone(shop, box):
    shop.control(f"{box}/cancel_line", {})

    shown = shop.get(f"/v1/{box}/")
    assert (shown["status"], shown["fulfillments"][0]["status"]) == ("unshipped", "cancelled")


@pytest.mark.parametrize(("amount", "status"), [(None, "refunded"), (1, "paid")])
def test_a_refund_shows_as_a_transaction_and_a_changed_order(shop, sold, fired, amount, status):
    fired_hooks = fired(f"orders/{sold['order_id']}/refund", {"amount": amount} if amount else {})

    assert fired_hooks == ["transaction_new", "order_updated"]
    assert shop.get(f"/v1/orders/{sold['order_id']}/")["financial_status"] == status


def test_the_word_for_a_partial_refund_can_be_given(shop, sold):
    shop.control(f"orders/{sold['order_id']}/refund", {"amount": 1, "financial_status": "partially_refunded"})

    assert shop.get(f"/v1/orders/{sold['order_id']}/")["financial_status"] == "partially_refunded"


def test_a_renewal_packs_new_boxes(shop, sold, fired):
    hooks = fired(f"subscriptions/{sold['subscription_id']}/renew", {"target": "2026-08-01"})

    assert hooks == ["transaction_new", "subscription_renewed"]
    boxes = [row for row in shop.get("/_sandbox/shipments")["shipments"] if row["sub_cycle"] == 4]
    assert [row["adjusted_ordered_at"] for row in boxes] == ["2026-08-01T00:00:00Z"]


def test_a_cancelled_subscription_may_keep_its_paid_boxes(shop, sold, fired):
    assert fired(f"subscriptions/{sold['subscription_id']}/cancel", {"keep_boxes": True}) == ["subscription_cancelled"]
    assert {row["status"] for row in shop.get("/_sandbox/shipments")["shipments"]} == {"unshipped"}


@pytest.mark.parametrize(("act", "status"), [("expire", "expired"), ("activate", "active")])
def test_a_subscription_may_change_its_status(shop, sold, act, status):
    shop.control(f"subscriptions/{sold['subscription_id']}/{act}", {})

    assert shop.get(f"/v1/subscriptions/{sold['subscription_id']}/")["status"] == status


@pytest.mark.parametrize(
    ("path", "body"),
    [("uncancel", {}), ("paint", {}), ("move", {"target": "soon"}), ("ship", {"colour": "red"})],
)
def test_what_cannot_be_done_is_refused(shop, box, path, body):
    answer = shop.client.post(f"/_sandbox/{box}/{path}", json=body)

    assert answer.status_code == 400
    assert answer.json["errors"]


def test_every_box_is_listed_with_what_it_caused(shop, sold, box):
    shop.call("PUT", f"/v1/{box}/", {"status": "shipped", "tracking_number": "T1"})
    shop.call("PUT", f"/v1/{box}/", {"status": "shipped"})

    [first, *_] = shop.get("/_sandbox/shipments")["shipments"]
    assert (first["status"], first["tracking_number"], first["emails"], first["shipped_puts"]) == (
        "shipped",
        "T1",
        1,
        2,
    )
    assert (first["billing_type"], first["financial_status"], first["sub_cycle"]) == ("standard", "paid", 1)


def test_shipped_again_may_send_the_email_again(shop, box, sold):
    shop.control("switches", {"mails_again": True})
    for _ in range(2):
        shop.call("PUT", f"/v1/{box}/", {"status": "shipped"})

    mails = shop.get("/_sandbox/emails")
    assert (mails["by_shipment"], mails["most"]) == ({str(sold["shipment_ids"][0]): 2}, 2)


def test_a_tracking_number_alone_sends_no_email(shop, box):
    shop.call("PUT", f"/v1/{box}/", {"tracking_number": "T1", "carrier_name": "USPS"})

    assert shop.get("/_sandbox/emails")["total"] == 0
    assert status(shop, box) == "unshipped"


def test_a_lost_answer_of_a_write_leaves_its_effect(shop, box):
    shop.control("faults", {"drop_after_commit": True, "method": "PUT", "prefix": "/v1/shipments", "times": 1})

    with pytest.raises(ConnectionResetError):
        shop.call("PUT", f"/v1/{box}/", {"status": "shipped"})

    assert (status(shop, box), shop.get("/_sandbox/emails")["total"]) == ("shipped", 1)


def test_a_connection_cut_before_a_write_leaves_no_effect(shop, box):
    shop.control("faults", {"drop_before_commit": True, "method": "PUT", "times": 1})

    with pytest.raises(ConnectionResetError):
        shop.call("PUT", f"/v1/{box}/", {"status": "shipped"})

    assert (status(shop, box), shop.get("/_sandbox/emails")["total"]) == ("unshipped", 0)


def test_a_cut_answer_has_no_status_in_the_list_of_requests(shop, box):
    shop.control("faults", {"drop_after_commit": True, "times": 1})

    with pytest.raises(ConnectionResetError):
        shop.call("GET", f"/v1/{box}/")

    assert shop.get("/_sandbox/requests")["requests"][-1]["status"] == 0


def test_a_standard_box_may_have_no_batch(shop, sold, box):
    shop.control(f"{box}/unbatch", {})

    assert shop.get(f"/v1/{box}/?with=batch")["batch"] is None
    assert shop.ids("/v1.1/shipments/?billing_type=standard&limit=1") == [sold["shipment_ids"][0]]


def test_a_hidden_box_is_not_found_until_all_faults_are_removed(shop, box):
    shop.control(f"{box}/hide", {})
    hidden = shop.call("GET", f"/v1/{box}/").status_code
    shop.client.delete("/_sandbox/faults")

    assert (hidden, shop.call("GET", f"/v1/{box}/").status_code) == (404, 200)


def test_the_fields_of_a_carrier_may_be_refused(shop, box):
    shop.control("switches", {"carrier_fields": False})

    refused = shop.call("PUT", f"/v1/{box}/", {"status": "shipped", "carrier_name": "USPS"})
    accepted = shop.call("PUT", f"/v1/{box}/", {"status": "shipped"})

    assert (refused.status_code, refused.json) == (400, {"errors": ["Unknown property 'carrier_name'"]})
    assert accepted.status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("v1/shipments/?status=unshipped", 400),
        ("v1/shipments/?status=1", 200),
        ("v1.1/shipments/?status=unshipped", 200),
    ],
)
def test_a_filter_of_a_status_may_take_numbers_only(shop, sold, path, status):
    shop.control("switches", {"status_filters": "numbers"})

    assert shop.call("GET", f"/{path}").status_code == status
