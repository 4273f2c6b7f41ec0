"""What every warehouse must do, whatever it is. A warehouse adds its kit; nothing here names one."""

from __future__ import annotations

from tests.pipeline.warehouses.contract_orders import OrderSuite
from tests.pipeline.warehouses.contract_shipping import ShippingSuite


class WarehouseSuite(OrderSuite, ShippingSuite):
    """Inherit, and give a fixture `kit`."""
