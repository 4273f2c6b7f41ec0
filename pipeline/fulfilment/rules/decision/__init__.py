"""What becomes of an order when something was seen: the states of docs/warehouse.md as tables."""
