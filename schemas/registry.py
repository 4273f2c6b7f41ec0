"""All schemas by name, each made once and bound to those that its relations need."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from schemas.address import AddressSchema
from schemas.base import AnySchema, WireSchema
from schemas.batch import BatchSchema
from schemas.billing import BillingSchema
from schemas.customer import CustomerSchema
from schemas.envelope import EnvelopeSchema
from schemas.fulfillment import FulfillmentSchema
from schemas.gifts import GiftSchema, OrderGiftInfoSchema, SubscriptionGiftInfoSchema
from schemas.hook import HookSchema
from schemas.hook_bodies import CheckoutHookSchema, DesignHookSchema, InventoryHookSchema, TransactionHookSchema
from schemas.inventory import InventorySchema
from schemas.label import LabelSchema
from schemas.metadata import MetadataSchema
from schemas.order import OrderSchema
from schemas.product import ProductSchema
from schemas.product_instance import ProductInstanceSchema, VariantSchema
from schemas.shipment import ShipmentSchema, ShipmentStatsSchema
from schemas.subscription import SubscriptionSchema
from schemas.survey import SurveyAnswerSchema, SurveySchema
from schemas.term import TermPriceSchema, TermSchema
from schemas.transaction import TransactionSchema

_INSTANCES: dict[str, WireSchema] = {
    "address": AddressSchema(),
    "any": AnySchema(),
    "batch": BatchSchema(),
    "billing": BillingSchema(),
    "checkout_hook": CheckoutHookSchema(),
    "customer": CustomerSchema(),
    "design_hook": DesignHookSchema(),
    "envelope": EnvelopeSchema(),
    "fulfillment": FulfillmentSchema(),
    "gift": GiftSchema(),
    "hook": HookSchema(),
    "inventory": InventorySchema(),
    "inventory_hook": InventoryHookSchema(),
    "label": LabelSchema(),
    "metadata": MetadataSchema(),
    "order": OrderSchema(),
    "order_gift_info": OrderGiftInfoSchema(),
    "product": ProductSchema(),
    "product_instance": ProductInstanceSchema(),
    "shipment": ShipmentSchema(),
    "shipment_stats": ShipmentStatsSchema(),
    "subscription": SubscriptionSchema(),
    "subscription_gift_info": SubscriptionGiftInfoSchema(),
    "survey": SurveySchema(),
    "survey_answer": SurveyAnswerSchema(),
    "term": TermSchema(),
    "term_price": TermPriceSchema(),
    "transaction": TransactionSchema(),
    "transaction_hook": TransactionHookSchema(),
    "variant": VariantSchema(),
}

for _schema in _INSTANCES.values():
    _schema.bind(_INSTANCES)

SCHEMAS: Mapping[str, WireSchema] = MappingProxyType(_INSTANCES)
SCHEMA_NAMES = frozenset(SCHEMAS)
