"""The audit log: what is on record, how it is chained, signed, exported, verified, masked and erased."""
