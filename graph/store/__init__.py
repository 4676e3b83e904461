"""Rows and transactions; the only place that imports sqlmodel."""
