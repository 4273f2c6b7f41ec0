"""Fulfilment: a store's boxes to its warehouse, their tracking back, cancels in time."""
