"""Earned autonomy on the fast path: numbers that evals wrote are read, compared and drawn with; nothing is fitted here."""
