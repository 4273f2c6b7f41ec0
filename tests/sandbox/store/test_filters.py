"""Filters find what they name, and nothing else."""

import pytest


@pytest.fixture
def rows(shop):
    shop.people(20)
    return shop.get("/v1/customers/?limit=100")["results"]


def found(shop, query):
    return {row["id"] for row in shop.get(f"/v1/customers/?limit=100&{query}")["results"]}


def test_a_plain_property_means_equal(shop, rows):
    wanted = rows[4]
    assert found(shop, f"email={wanted['email'].replace('+', '%2B')}") == {wanted["id"]}


@pytest.mark.parametrize(
    ("comparison", "holds"),
    [
        ("lt", lambda a, b: a < b),
        ("le", lambda a, b: a <= b),
        ("gt", lambda a, b: a > b),
        ("ge", lambda a, b: a >= b),
        ("ne", lambda a, b: a != b),
    ],
)
def test_a_number_is_compared_as_a_number(shop, rows, comparison, holds):
    middle = sorted(row["total_revenue"] for row in rows)[10]
    expected = {row["id"] for row in rows if holds(row["total_revenue"], middle)}
    assert found(shop, f"total_revenue__{comparison}={middle}") == expected


def test_a_list_of_values_is_separated_by_commas(shop, rows):
    ids = [row["id"] for row in rows[:3]]
    assert found(shop, f"id__in={','.join(map(str, ids))}") == set(ids)


def test_a_list_of_values_can_be_excluded(shop, rows):
    ids = [row["id"] for row in rows[:3]]
    assert found(shop, f"id__nin={','.join(map(str, ids))}") == {row["id"] for row in rows[3:]}


def test_like_minds_the_letter_case_and_ilike_does_not(shop, rows):
    upper = rows[0]["first_name"][:2].upper()
    expected = {row["id"] for row in rows if row["first_name"].upper().startswith(upper)}
    assert found(shop, f"first_name__ilike={upper}%25") == expected
    assert found(shop, f"first_name__like={upper}%25") == set()


def test_null_can_be_asked_for(shop, rows):
    expected = {row["id"] for row in rows if row["subscription_status"] is None}
    assert found(shop, "subscription_status__is_null=true") == expected


def test_a_relation_to_many_passes_if_one_of_them_does(shop, rows):
    city = rows[0]["addresses"][0]["city"]
    expected = {row["id"] for row in rows if row["addresses"][0]["city"] == city}
    assert found(shop, f"addresses.city={city}") == expected


def test_filters_are_joined_by_and(shop, rows):
    wanted = rows[2]
    assert found(shop, f"id={wanted['id']}&country__ne={wanted['country']}") == set()


def test_a_batchs_end_filters_its_shipments(shop, rows):
    assert shop.get("/v1/shipments/?batch.end__lt=2020-01-01T00:00:00Z")["count"] == 0
    assert shop.get("/v1/shipments/?batch.end__gt=2020-01-01")["count"] > 0


@pytest.mark.parametrize("status", ["active", "2"])
def test_a_status_is_found_by_its_text_and_by_its_number(shop, rows, status):
    assert shop.get(f"/v1/subscriptions/?status={status}")["count"] > 0


def test_subscriptions_are_found_by_a_customer_id_they_do_not_show(shop, rows):
    [subscription, *_] = shop.get("/v1/subscriptions/")["results"]
    customer_id = subscription["customer"]["id"]
    assert shop.ids(f"/v1/subscriptions/?customer_id={customer_id}") == [subscription["id"]]
    assert shop.ids(f"/v1/subscriptions/?customer.id={customer_id}") == [subscription["id"]]


def test_metadata_filters_by_its_path(shop, rows):
    wanted = rows[5]["id"]
    shop.call("PUT", f"/v1/customers/{wanted}/metadata/", {"shoe": {"size": 12}})
    assert found(shop, "_md.shoe.size__gt=10") == {wanted}


def test_the_newer_shipments_take_a_json_array(shop, rows):
    answer = shop.get('/v1.1/shipments/?status__in=["shipped","cancelled"]')
    assert {row["status"] for row in answer["results"]} == {"shipped"}


@pytest.mark.parametrize(
    "query",
    [
        "shoe=1",
        "email__near=x",
        "limit=many",
        "orders.shoe=1",
        "orders.customer.email=x",
        "addresses=Austin",
        "total_revenue__gt=much",
        "orders.placed_at__gt=soon",
        "orders.is_test=perhaps",
        "subscription_status__is_null=perhaps",
        "offset=10",
        "with=shoes",
    ],
)
def test_a_query_that_names_or_compares_what_does_not_exist_is_a_400(shop, rows, query):
    answer = shop.call("GET", f"/v1/customers/?{query}")
    assert answer.status_code == 400
    assert answer.json["errors"]


def test_an_unknown_property_is_refused_in_an_empty_list_too(shop):
    assert shop.call("GET", "/v1/customers/?shoe=1").json == {"errors": ["Unknown property 'shoe'"]}


@pytest.mark.parametrize(
    "query", ["with=customer", "is_gift=true", "order_id=5", "limit=many", "customer.id=5", "batch.end__gt=2026-01-01"]
)
def test_the_newer_shipments_refuse_what_their_page_does_not_list(shop, rows, query):
    assert shop.call("GET", f"/v1.1/shipments/?{query}").status_code == 400


def test_an_element_with_an_unknown_relation_is_a_400(shop, rows):
    assert shop.call("GET", f"/v1/customers/{rows[0]['id']}/?with=orders,shoes").status_code == 400


@pytest.mark.parametrize("moment", ["2026-02-10", "2026-02-10 00:00:00Z", "2026-02-10T00:00:00.000Z"])
def test_a_date_filters_in_every_form_in_which_it_can_be_written(shop, rows, moment):
    orders = shop.get("/v1/orders/?limit=100")["results"]
    expected = {row["id"] for row in orders if row["placed_at"] > "2026-02-10T00:00:00Z"}
    assert 0 < len(expected) < len(orders)
    assert set(shop.ids(f"/v1/orders/?limit=100&placed_at__gt={moment}")) == expected


def test_a_gifts_recipient_can_be_asked_for(shop, recorder):
    shop.listen(recorder)
    shop.live(100)
    gift = next(row for row in shop.get("/v1/orders/?is_gift=true&limit=50")["results"] if recipient(row))
    assert gift["id"] in shop.ids(f"/v1/orders/?order_gift_info.gift_recipient_name={recipient(gift)}&limit=50")


def recipient(order):
    return (order["order_gift_info"] or {}).get("gift_recipient_name")
