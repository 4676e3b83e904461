"""Packaged suites as YAML; copy one to start your own."""
