"""A signed web hook to any address, by Standard Webhooks."""

from pipeline.destinations.webhook.destination import SignedWebhook

__all__ = ["SignedWebhook"]
