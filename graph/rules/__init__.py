"""Policies: checks, terms and files that rule on an action before anybody looks at confidence."""
