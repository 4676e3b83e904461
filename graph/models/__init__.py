"""graph/models."""
