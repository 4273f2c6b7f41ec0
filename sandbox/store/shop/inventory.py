"""Stock and theme: sales and deliveries change the inventory, and theme files change."""

from collections.abc import Iterable

from sandbox.store import catalogue
from sandbox.store.shop.shop import Shop
from sandbox.store.state import Row
from sandbox.store.webhooks.shop_event import ShopEvent

SALE_EVENT_SHARE = 0.25  # the share of sales that fires inventory_updated


def sell(shop: Shop, instances: Iterable[Row]) -> None:
    """Reduce the stock of each by one."""
    rows = [row for sold in instances for row in shop.state.of("inventory", "product_instance_id", sold["id"])]
    for row in rows:
        row["quantity_on_hand"] -= 1
    if rows and shop.rng.random() < SALE_EVENT_SHARE:
        emit_inventory_event(shop, rows[0])


def restock(shop: Shop) -> None:
    row = shop.rng.choice(list(shop.state.rows("inventory")))
    row["quantity_on_hand"] += shop.rng.randrange(5, 120)
    emit_inventory_event(shop, row)


def emit_inventory_event(shop: Shop, row: Row) -> None:
    shop.listener.report(ShopEvent("inventory_updated", "inventory", row, row["quantity_on_hand"]))


def change_theme(shop: Shop) -> None:
    """A theme file changed. The body names the file and the theme and nothing else."""
    theme, file = shop.rng.choice(catalogue.THEMES), shop.rng.choice(catalogue.THEME_FILES)
    stem, dot, suffix = file.partition(".")
    file = f"{stem}-{shop.rng.randrange(10_000)}{dot}{suffix}"
    shop.listener.report(ShopEvent("design_updated", "design", {"file_changed": file, "theme_name": theme}, file))
