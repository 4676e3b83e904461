"""evals/suites."""
