"""Watching: whether a promise is still kept, from audits as they are answered; what speaks against it takes a class down."""
