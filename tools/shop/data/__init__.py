"""tools/shop/data."""
