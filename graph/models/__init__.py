"""Models that run on this machine: pinned files, a server, embeddings; nothing heavy is imported here."""
