"""Packaged scenarios of `assent simulate`, as files to start from."""
