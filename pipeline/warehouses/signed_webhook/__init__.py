"""A web hook of our own to any warehouse, signed as Standard Webhooks has it (github.com/standard-webhooks)."""

from pipeline.warehouses.signed_webhook.warehouse import SignedWebhook

__all__ = ["SignedWebhook"]
