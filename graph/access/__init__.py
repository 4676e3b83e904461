"""People: accounts, roles, signing in, sessions and tokens."""
