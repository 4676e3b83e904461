"""Suites: data, a task, scorers and a gate, from one's own code or a file; the packaged ones lie here as YAML."""
