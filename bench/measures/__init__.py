"""A module per row of the table: it starts the systems it needs, measures in rounds, and returns plain figures."""
