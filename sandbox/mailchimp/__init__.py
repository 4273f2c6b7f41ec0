"""Mailchimp's Marketing API 3.0 on loopback."""
