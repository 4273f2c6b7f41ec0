"""Mailchimp, by its Marketing API."""

from pipeline.destinations.mailchimp.destination import Mailchimp

__all__ = ["Mailchimp"]
