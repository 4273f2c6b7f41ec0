"""Reads a store's customers page by page, so that they become profiles without anything having happened to them."""
