"""Assent: agents act, consequential actions wait for assent."""
