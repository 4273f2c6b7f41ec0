"""A program on loopback that takes signed web hooks, and keeps who they are about."""
