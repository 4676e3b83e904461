"""graph/store/migrations."""
