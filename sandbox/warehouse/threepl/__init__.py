"""The REST API of Extensiv 3PL Warehouse Manager: tokens, HAL, ETags and RQL."""
