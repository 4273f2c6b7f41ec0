"""The events of a shop, without HTTP: people register, buy, give and move; boxes are packed and sent."""
