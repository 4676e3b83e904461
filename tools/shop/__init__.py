"""The demo job: the support desk of a small shop on real SQLite tables; it decides nothing about approval."""
