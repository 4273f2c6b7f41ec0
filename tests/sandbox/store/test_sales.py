"""Sales on request: which boxes come of them, and how the lists and elements show them."""

import pytest

GIFT = {"name": "Robin Receiver", "email": "robin@example.com", "message": "Enjoy!"}
HOUSE = {"to": "Robin Receiver", "street": "22 Sample Ave", "unit": "Apt 3", "city": "Portland", "state": "OR"}


@pytest.fixture
def sell(shop):
    return lambda **sale: shop.control("sales", sale)


def row_of(shop, shipment_id, query=""):
    rows = shop.get(f"/v1.1/shipments/?limit=200{query}")["results"]
    return next(row for row in rows if row["id"] == shipment_id)


def box_of(shop, sold):
    return shop.get(
        f"/v1/shipments/{sold['shipment_ids'][0]}/?with=customer,fulfillments,ship_address,batch,subscriptions"
    )


def test_a_sale_is_a_paid_box_of_a_monthly_subscription(shop, sell):
    box = box_of(shop, sell())

    [line] = box["fulfillments"]
    assert (box["status"], line["status"], line["order"]["financial_status"]) == ("unshipped", "open", "paid")
    assert (line["cycle_number"], line["total_cycles"]) == (0, 1)
    assert [subscription["status"] for subscription in box["subscriptions"]] == ["active"]


@pytest.mark.parametrize("billing", ["standard", "adhoc", "ecom"])
def test_a_box_is_listed_under_its_billing(shop, sell, billing):
    for kind in ("standard", "adhoc", "ecom"):
        sell(billing=kind)
    [wanted] = [row["id"] for row in shop.get("/_sandbox/shipments")["shipments"] if row["billing_type"] == billing]

    assert shop.ids(f"/v1.1/shipments/?billing_type={billing}") == [wanted]


def test_several_billings_can_be_asked_for_at_once(shop, sell):
    for kind in ("standard", "adhoc", "ecom"):
        sell(billing=kind)

    assert len(shop.ids('/v1.1/shipments/?billing_type__in=["adhoc","standard"]')) == 2


def test_only_standard_billing_has_batches(shop, sell):
    standard, adhoc = (sell(billing=kind)["shipment_ids"][0] for kind in ("standard", "adhoc"))

    assert set(row_of(shop, standard)["batch"]) == {"end", "id", "start"}
    assert "batch" not in row_of(shop, adhoc)


def test_the_end_of_a_batch_has_two_names(shop, sell):
    sold = sell()
    shop.control("switches", {"batch_end": "end_date"})

    assert set(row_of(shop, sold["shipment_ids"][0])["batch"]) == {"end_date", "id", "start"}


def test_the_newer_list_has_the_documented_row(shop, sell):
    row = row_of(shop, sell()["shipment_ids"][0])

    assert set(row) == {
        "adjusted_ordered_at", "batch", "cust_cycle", "fulfillments", "id", "ship_address", "status", "sub_cycle",
        "tracking_number",
    }  # fmt: skip
    [line] = row["fulfillments"]
    assert set(line) == {"fulfillment_date", "id", "instance", "order", "subscription_id"}
    assert set(line["order"]) == {"customer", "id", "is_gift", "is_renewal", "order_gift_info", "subscriptions"}
    assert set(line["order"]["subscriptions"][0]) == {"id", "start_date", "status", "term_id"}
    assert set(line["instance"]["product"]) == {"id", "name", "sku"}


def test_the_newer_list_may_lack_the_street(shop, sell):
    sold = sell()
    shop.control("switches", {"v11_street": False})

    assert "street" not in row_of(shop, sold["shipment_ids"][0])["ship_address"]
    assert box_of(shop, sold)["ship_address"]["street"]


def test_a_target_date_can_be_filtered(shop, sell):
    late, early = (sell(billing="adhoc", target=date)["shipment_ids"][0] for date in ("2026-05-10", "2026-05-01"))
    query = "/v1.1/shipments/?billing_type=adhoc&status=unshipped&adjusted_ordered_at"

    assert shop.ids(f"{query}__ge=2026-05-05T00:00:00Z&adjusted_ordered_at__le=2026-05-10T00:00:00Z") == [late]
    assert shop.ids(f"{query}__lt=2026-05-10T00:00:00Z") == [early]


def test_the_boxes_of_a_prepaid_plan_follow_month_by_month(shop, sell):
    sold = sell(cycles=3, target="2026-05-31")
    boxes = [row_of(shop, shipment_id) for shipment_id in sold["shipment_ids"]]

    assert [box["sub_cycle"] for box in boxes] == [1, 2, 3]
    assert [box["adjusted_ordered_at"][:10] for box in boxes] == ["2026-05-31", "2026-06-30", "2026-07-31"]


def test_the_order_of_a_prepaid_plan_is_closed_with_its_first_box(shop, sell):
    sold = sell(cycles=3)
    shop.control(f"shipments/{sold['shipment_ids'][0]}/ship", {})

    [line] = shop.get(f"/v1/shipments/{sold['shipment_ids'][1]}/")["fulfillments"]
    assert (line["status"], line["order"]["status"], line["order"]["fulfillment_status"]) == (
        "open",
        "closed",
        "fulfilled",
    )


def test_a_gift_goes_to_an_address_of_its_own(shop, sell):
    sold = sell(buyer={"name": "Dana Buyer", "email": "dana@example.com"}, gift=GIFT, address=HOUSE)
    box = box_of(shop, sold)

    assert box["is_gift"] is True
    assert {name: box["ship_address"][name] for name in HOUSE} == HOUSE
    [line] = box["fulfillments"]
    assert line["order"]["customer"]["email"] == "dana@example.com"
    assert line["order"]["order_gift_info"]["gift_recipient_email"] == "robin@example.com"


def test_the_newer_list_has_a_gifts_message_and_not_its_recipient(shop, sell):
    [line] = row_of(shop, sell(gift=GIFT)["shipment_ids"][0])["fulfillments"]

    assert line["order"]["is_gift"] is True
    assert set(line["order"]["order_gift_info"]) == {"gift_message", "id"}


def test_two_gifts_to_one_email_have_an_address_each(shop, sell):
    first = sell(gift=GIFT, address=HOUSE)
    second = sell(customer_id=first["customer_id"], gift=GIFT, address=HOUSE | {"unit": "Apt 9"})

    assert [box_of(shop, sold)["ship_address"]["unit"] for sold in (first, second)] == ["Apt 3", "Apt 9"]


def test_an_order_may_be_unpaid_until_it_is_paid(shop, sell):
    sold = sell(billing="ecom", is_paid=False)
    before = box_of(shop, sold)["fulfillments"][0]["order"]["financial_status"]
    shop.control(f"orders/{sold['order_id']}/pay", {})

    assert (before, box_of(shop, sold)["fulfillments"][0]["order"]["financial_status"]) == ("unpaid", "paid")


def test_equal_items_are_lines_of_their_own(shop, sell):
    [sku, *_] = [row["instances"][0]["sku"] for row in shop.get("/v1/products/?product_type=1")["results"]]

    box = box_of(shop, sell(billing="ecom", skus=[sku, sku]))

    assert [line["instance"]["sku"] for line in box["fulfillments"]] == [sku, sku]


def test_a_box_may_hold_what_is_bought_once(shop, sell):
    [mug, *_] = [row["instances"][0]["sku"] for row in shop.get("/v1/products/?product_type=1")["results"]]
    sold = sell(addons=[mug])

    lines = box_of(shop, sold)["fulfillments"]
    assert [line["subscription_id"] for line in lines] == [sold["subscription_id"], None]
    assert lines[1]["cycle_number"] is None


def test_a_box_may_hold_lines_of_two_orders(shop, sell):
    box = sell()
    added = sell(customer_id=box["customer_id"], billing="ecom", into_shipment=box["shipment_ids"][0], is_paid=False)

    lines = box_of(shop, box)["fulfillments"]
    assert added["shipment_ids"] == box["shipment_ids"]
    assert [line["order"]["financial_status"] for line in lines] == ["paid", "unpaid"]


def test_a_sale_may_be_a_test_and_have_a_shipping_fee(shop, sell):
    box = box_of(shop, sell(is_test=True, shipping=595))

    assert (box["is_test"], box["fulfillments"][0]["order"]["total_shipping"]) == (True, 595)


def test_many_sales_can_be_made_at_once_and_without_hooks(shop, sent_events):
    made = shop.control("sales", {"count": 3, "silent": True})["sales"]

    assert len({sale["customer_id"] for sale in made}) == 3
    assert sent_events() == []


def test_the_newer_list_writes_variants_in_its_own_way(shop, sell):
    shop.control("switches", {"variants": "v1"})
    instances = shop.get("/v1/product_instances/?limit=100")["results"]
    sku = next(row["sku"] for row in instances if len(row["variants"]) > 1)
    sold = sell(skus=[sku])

    [line], [listed] = box_of(shop, sold)["fulfillments"], row_of(shop, sold["shipment_ids"][0])["fulfillments"]
    assert set(line["instance"]["variants"][0]) == {"variant_type", "variant_value"}
    assert set(listed["instance"]["variants"][0]) == {"id", "type", "value"}


def test_a_sale_fires_what_a_purchase_fires(shop, sent_events):
    shop.control("sales", {})

    assert sorted(sent_events()) == ["customer_new", "order_new", "subscription_new", "transaction_new"]


def test_an_instance_may_lose_its_sku(shop, sell):
    sold = sell()
    sku = box_of(shop, sold)["fulfillments"][0]["instance"]["sku"]
    shop.control("skus", {"from": sku, "to": "", "product": True})

    instance = box_of(shop, sold)["fulfillments"][0]["instance"]
    assert (instance["sku"], instance["product"]["sku"]) == ("", "")


def test_the_time_of_the_store_goes_only_forward(shop):
    assert shop.control("clock", {"now": "2026-06-01"})["now"] == "2026-06-01T00:00:00Z"
    assert shop.control("clock", {"now": "2026-05-01"})["now"] == "2026-06-01T00:00:00Z"


@pytest.mark.parametrize(
    "sale",
    [
        {"colour": "red"},
        {"billing": "weekly"},
        {"cycles": 5},
        {"skus": ["none"]},
        {"customer_id": 5},
        {"into_shipment": 5},
        {"target": "soon"},
        {"gift": {"email": "a@example.com"}},
    ],
)
def test_a_sale_that_cannot_be_made_is_refused(shop, sale):
    answer = shop.client.post("/_sandbox/sales", json=sale)

    assert answer.status_code == 400
    assert answer.json["errors"]
