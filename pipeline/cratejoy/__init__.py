"""The Merchant API of a store: a client that keeps to the request budget, and what its responses mean."""
