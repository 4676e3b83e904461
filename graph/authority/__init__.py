"""Who lets what run: reviews, decisions, quorum, the ledger and the claim."""
