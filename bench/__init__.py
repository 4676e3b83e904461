"""Measures what a pause and its approval cost; nothing here is part of the installed package."""
