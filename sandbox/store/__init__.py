"""A Cratejoy store that exists only on loopback: its Merchant API, its life, its hooks, and the truth about them."""
