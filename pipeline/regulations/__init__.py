"""Erases people, keeps erasures across restores, and exports what is stored about a person."""
