"""Retention in the ledger: which kinds of data are deleted, one slice of each, and how far each has come."""
