"""A warehouse with a signed JSON web hook, after the Standard Webhooks scheme."""
