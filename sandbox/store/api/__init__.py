"""The store's Merchant API and its control endpoints, as Flask blueprints."""
