"""A signed web hook to any address, by Standard Webhooks."""

from pipeline.destinations.signed_webhook.destination import SignedWebhook

__all__ = ["SignedWebhook"]
