"""The JSON schemas of the export formats; data only."""
