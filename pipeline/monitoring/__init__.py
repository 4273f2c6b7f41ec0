"""Notices when hooks stop: how long a store may be silent, what is checked, and who is notified."""
