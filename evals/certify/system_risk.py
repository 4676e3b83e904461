"""System risk: how much of everything that is proposed is wrong and goes through, past the machine and past the reviewers."""

from __future__ import annotations

from dataclasses import dataclass


def system_risk(coverage: float, bound: float, queue_errors: float, catch: float) -> float:
    """Return the share of all actions that are wrong and stay: `cov * U + (1 - cov) * q * (1 - catch)`.

    What passes unreviewed is wrong with a share of at most U; of what is reviewed q is wrong, and what reviewers do not catch of it
    stays. As U is an upper bound, the risk is one too where `catch` is a lower bound and q is not too low.

    Args:
        coverage: the share cov that passes unreviewed.
        bound: the bound U of the share of errors among it.
        queue_errors: the share q of errors among what goes to people.
        catch: the share of these errors that reviewers catch.
    """
    return coverage * bound + (1 - coverage) * queue_errors * (1 - catch)


@dataclass(frozen=True, slots=True)
class SystemRisk:
    """What the system risk is made of, before it is known what reviewers catch."""

    coverage: float
    bound: float
    queue_rows: int
    """Certifying rows that do not pass and so go to people."""
    queue_errors: float | None
    """The share of wrong ones among them; None without any."""

    def at(self, catch: float) -> float:
        """Return the system risk, if reviewers catch this share of what is wrong."""
        return system_risk(self.coverage, self.bound, self.queue_errors or 0.0, catch)
