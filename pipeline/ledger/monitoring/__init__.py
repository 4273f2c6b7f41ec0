"""Monitoring data in the ledger: hours with hooks, expectations, alarms, notices and canaries."""
