"""How fast a month of boxes goes out to each warehouse, and whether live hooks notice."""
