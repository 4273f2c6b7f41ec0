"""The warehouses that pack the boxes: one folder or file each, one line in the registry."""
