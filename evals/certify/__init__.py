"""Certifying: from decided rows, a desk's own or anybody's, to a threshold with a promise; nothing is offered or signed here."""
