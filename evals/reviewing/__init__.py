"""Reviewers: what is mixed in to measure them, how reliable they are found, and who is told."""
