"""The terminal: the demo, the inbox, evals and care of an installation; one module per family of commands."""
