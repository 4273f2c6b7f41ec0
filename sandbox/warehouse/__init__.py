"""A warehouse that exists only on loopback. It speaks three protocols and picks, packs and ships in memory."""
