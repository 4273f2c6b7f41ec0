"""The pages of a store's warehouse: connecting it, its settings, the dry run, and the boxes."""
