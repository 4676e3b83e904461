"""What figures come to in plain sentences, with the numbers they stand on; nothing is said that was not measured."""

from __future__ import annotations

from .shapes import Missing, Promise, Risk, Watch


def percent(share: float) -> str:
    """Return a share as a person reads it: one decimal below 10 %, none above."""
    value = share * 100
    return f"{value:.0f} %" if value >= 10 or value == 0 else f"{value:.1f} %"


def promised(promise: Promise) -> str:
    """Say what a certificate promises and what it stands on."""
    return (
        f"With {percent(1 - promise.delta)} confidence at most {percent(promise.bound)} of what passes is wrong: "
        f"{promise.k} of {promise.n} passing actions were wrong, among {promise.rows} that were decided."
    )


def summary(level: int, suspended: str, signed: Promise | None, offered: Promise | None) -> str:
    """Say in one line where a class stands."""
    if suspended:
        return f"Suspended, so everything is reviewed: {suspended}"
    if level == 0:
        return "In shadow: decided on and recorded, and nothing runs."
    if signed is not None and level >= 2:
        return promised(signed)
    if offered is not None:
        return f"Everything is reviewed. A certificate waits for a signature: {promised(offered)}"
    return "Everything is reviewed."


def risk(promise: Promise | None, queue: tuple[int, int] | None, catch: float | None) -> Risk:
    """Return the system risk `cov * U + (1 - cov) * q * (1 - catch)` as a sentence.

    Args:
        promise: the certificate; without one there is nothing to sign.
        queue: how many of the reviewed rest were wrong, and how many there were.
        catch: the lower bound of the reviewers' catch rate; None when it was never measured, which counts as 0.
    """
    if promise is None:
        return Risk("Nothing passes without a person, so there is no risk of the machine's to sign; what reviewers miss is below.")
    wrong, reviewed = queue or (0, 0)
    rate = wrong / reviewed if reviewed else 1.0
    caught = catch or 0.0
    value = promise.coverage * promise.bound + (1 - promise.coverage) * rate * (1 - caught)
    passing = round(promise.coverage * 100)
    sentence = (
        f"Of 100 actions of this class, {passing} pass without a person and {100 - passing} are "
        f"reviewed; at most {value * 100:.1f} are wrong and run all the same."
    )
    return Risk(sentence, value, _assumptions(promise, wrong, reviewed, catch))


def _assumptions(promise: Promise, wrong: int, reviewed: int, catch: float | None) -> tuple[str, ...]:
    missed = (
        f"Reviewers catch at least {percent(catch)} of what is wrong, measured with known-answer items."
        if catch is not None
        else "How much reviewers catch was never measured, so they are taken to miss everything."
    )
    rest = (
        f"Of the actions below the threshold {wrong} of {reviewed} were wrong."
        if reviewed
        else "Nothing below the threshold was decided yet, so all of it is taken to be wrong."
    )
    return (
        promised(promise),
        rest,
        missed,
        "Actions stay as they were when this was measured; the monitor watches whether they do.",
    )


def wanted(missing: Missing) -> str:
    """Say one missing thing with its counts."""
    counts = f" ({missing.have} of {missing.need})" if missing.need is not None else ""
    return f"{missing.text}{counts}"


def watched(watch: Watch) -> str:
    """Say what the monitor has seen."""
    if watch.evidence is None:
        return watch.note
    seen = f"{watch.errors} of {watch.audits} audited actions were wrong"
    return f"{seen}; evidence against the promise is {watch.evidence:.2f}, the alarm is at {watch.alarm:.0f}."
