"""The fulfilment in the ledger: warehouses, orders, parcels, events, quarantine, runs, and what is personal in them."""
