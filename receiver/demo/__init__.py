"""A complete installation with sandboxes, for a first look. See `cratewire demo`."""
