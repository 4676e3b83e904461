"""tools/shop."""
