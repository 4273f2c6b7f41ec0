"""A store's Merchant API: asking it, what it answers, and the budget of requests all of our processes share for it."""
