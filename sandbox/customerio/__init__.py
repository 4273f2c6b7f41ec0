"""A Customer.io that exists only on loopback: Track v1, Track v2 and the region call, stored in memory."""
