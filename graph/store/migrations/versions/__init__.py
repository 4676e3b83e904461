"""graph/store/migrations/versions."""
