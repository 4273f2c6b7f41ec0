"""What happens in a shop: people register, buy, give, move; boxes are packed and sent. Knows nothing of HTTP."""
