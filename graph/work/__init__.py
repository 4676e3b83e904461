"""Workers: who drives a thread, under which lease, and what happens when the database is away."""
