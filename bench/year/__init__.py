"""A year of a store with a warehouse, in minutes: `python -m bench.year`."""
