"""The properties each kind of object is documented or seen to have: filters may name these and no others."""

from collections.abc import Mapping

from sandbox.store.relations import RELATIONS

OWN: Mapping[str, str] = {
    "customers": "accepts_marketing country email first_name id last_name location name note num_orders "
    "num_subscriptions status subscription_status total_revenue type url",
    "addresses": "city company country customer_id icon id phone_number state status status_message street to type "
    "unit zip_code",
    "orders": "card_refunded_amount credit_applied customer_id financial_status fulfillment_status gift_card_discount "
    "gift_message gift_renewal_notif gross_shipping id is_gift is_renewal is_test note order_gift_info placed_at "
    "prorated_charge received_gift refund_applied refunded_amount sent_gift source status store_id sub_total total "
    "total_app_fees total_label_cost total_pending_fees total_price total_shipping total_tax transaction_fee "
    "transaction_fee_status type url",
    "subscriptions": "autorenew billing_name cancel_reason credit customer_id end_date id is_test note "
    "product_billing_id product_id skipped_date source start_date status store_id term_id type url",
    "shipments": "adjusted_ordered_at batch_id carrier_name created_at customer_id feedback_responses id is_gift "
    "is_test order_id shipped_at status subscription_id target_at tracking_link tracking_number type url",
    "shipments of v1.1": "adjusted_ordered_at batch_id billing_type cust_cycle customer_id status sub_cycle",
    "fulfillments": "adjusted_fulfillment_date cycle_number fulfillment_date id is_test order_id shipment_id shipping "
    "status subscription_id tax test total_cycles type",
    "shipment_batches": "end id product_billing_id start type",
    "products": "deleted description display_order flat_ship_price gift_shipping giftable has_subscribers id listed "
    "max_subs mp_visible name product_billing_id product_type reviewable ship_option ship_weight single_purchasable "
    "sku slug store_id subscribe_flow subscribe_flow_data type url visible",
    "product_instances": "deleted gift id images inventory name price product_id ship_weight sku term_prices type "
    "variants",
    "product_billings": "id rebill_day rebill_months rebill_weeks rebill_window store_id type",
    "terms": "description enabled id images name num_cycles type",
    "transactions": "created_at customer_pay_id fee id is_test order_id pay_id pay_provider_id reference_id "
    "refund_total refunded result total type url",
    "inventory": "confidence id out_of_stock_purchases product_id product_instance_id quantity_on_hand "
    "track_inventory type url",
    "product_survey_results": "answers id subscription_id survey_name type",
    "hooks": "created_at enabled event id name querystring request_type store_id target type url",
    "subscription_coupons": "code_used coupon_id enabled id num_renewals subscription_id type",
    "page_redirects": "code enabled id path store_id target type url",
    "cart_products": "id price product_instance quantity type",
    "gift_infos": "gift_message gift_recipient_email gift_recipient_name gift_sender id",
    "received_gifts": "email expire_date gift_code id message name notif_sent send_date status status_text type",
    "shipment_stats": "customer_cycle has_addon subscription_cycle",
    "labels": "carrier cost created_at financial_status id is_test is_void prepaid tracking type url",
}  # fmt: skip

# What a relation, or a property that is an object, leads to.
LEADS_TO: Mapping[str, str] = {
    "address": "addresses",
    "addresses": "addresses",
    "batch": "shipment_batches",
    "bill_address": "addresses",
    "billing": "product_billings",
    "coupons": "subscription_coupons",
    "customer": "customers",
    "fulfillments": "fulfillments",
    "instance": "product_instances",
    "instances": "product_instances",
    "labels": "labels",
    "order": "orders",
    "order_gift_info": "gift_infos",
    "orders": "orders",
    "product": "products",
    "product_instance": "product_instances",
    "products": "cart_products",
    "received_gift": "received_gifts",
    "ship_address": "addresses",
    "shipments": "shipments",
    "stats": "shipment_stats",
    "subscription_gift_info": "gift_infos",
    "subscriptions": "subscriptions",
    "term": "terms",
    "transactions": "transactions",
}

PROPERTIES: Mapping[str, frozenset[str]] = {kind: frozenset(names.split()) for kind, names in OWN.items()}


def list_property_names(kind: str) -> frozenset[str]:
    """Return every name that an object of this kind may have: its own properties and its relations."""
    return PROPERTIES.get(kind, frozenset()) | RELATIONS.get(kind, {}).keys()
