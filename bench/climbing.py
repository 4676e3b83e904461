"""Which rows should certify a class for a higher level, while the agent gets worse after it was certified: four rules compared.

`python -m bench.climbing`, with the extra `calibrate`, plays classes of a simulated desk whose agent gets slowly worse from a day
on, once under each rule with the same stream. It counts the classes that were signed up to `monitored` or `sampled`, and those of
which what passed in the week after the signature was truly more often wrong than promised. `--steady` plays the same without a
change, to see what a rule costs where nothing speaks against rising.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from itertools import takewhile
from statistics import median

from assent.evals.certify.labels import Label, Labels
from assent.evals.simulation import climbing
from assent.evals.simulation.scenario_file import checked
from assent.evals.simulation.settings import ActionClass, Change, Person, Scenario
from assent.evals.simulation.standing import Standing
from assent.evals.simulation.tallies import Signed, Year
from assent.evals.simulation.world import simulated

DESK = climbing.labels_of
WEEK = 7
Rule = Callable[[Labels, float], Labels]


def _union(labels: Labels, rho: float) -> Labels:
    """Let all rows of the key certify, thinned to the lowest share that was in force."""
    return replace(labels, rows=tuple(replace(row, share=rho) for row in labels.rows), share=rho, begun=None)


def _larger(labels: Labels, rho: float) -> Labels:
    """Let the rows of full review alone certify, or that union, whichever has more rows."""
    whole = [row for row in labels.rows if row.share == 1.0]
    if len(whole) < sum(row.draw < rho for row in labels.rows):
        return _union(labels, rho)
    others = [row for row in labels.rows if row.share < 1.0]
    return replace(labels, rows=(*whole, *others), share=1.0, begun=None)


def _passing(labels: Labels, rho: float) -> Labels:
    """Let the rows since something first passed certify, thinned to the lowest share since."""
    first = min((row.at for row in labels.rows if row.share < 1.0), default=None)
    if first is None:
        return labels
    newer: list[Label] = [replace(row, share=rho) for row in takewhile(lambda row: row.at >= first, labels.rows)]
    return replace(labels, rows=(*newer, *labels.rows[len(newer) :]), share=rho, begun=first)


RULES: dict[str, Rule] = {"larger": _larger, "union": _union, "passing": _passing, "recent": lambda labels, _: labels}


def played(rule: str, scenario: Scenario, seed: int) -> Year:
    """Return a simulated year in which a rule says which rows certify."""

    def labels_of(one: Standing, day: int) -> Labels:
        return RULES[rule](DESK(one, day), min((share for _, share in one.shares), default=1.0))

    climbing.labels_of = labels_of
    try:
        return simulated(scenario, seed)
    finally:
        climbing.labels_of = DESK


def broken(year: Year, signed: Signed) -> bool:
    """Tell whether what passed in the week after a signature was truly more often wrong than it promises."""
    days = year.days[signed.place][signed.day + 1 : signed.day + 1 + WEEK]
    passed = sum(day.passed for day in days)
    return passed > 0 and sum(day.risk for day in days) > signed.alpha * passed


def told(rule: str, years: list[Year], level: int) -> str:
    """Return a line of the table."""
    found = [(year, signed) for year in years for signed in year.signed if signed.level == level]
    first = {(id(year), signed.place): signed.day for year, signed in reversed(found)}
    worse = {(id(year), signed.place) for year, signed in found if broken(year, signed)}
    when = f"{median(first.values()):.0f}" if first else "-"
    return f"| {rule} | {level} | {len(first)} | {len(worse)} | {when} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classes", type=int, default=60)
    parser.add_argument("--days", type=int, default=150)
    parser.add_argument("--per-day", type=float, default=20.0)
    parser.add_argument("--from-day", type=int, default=15)
    parser.add_argument("--over", type=int, default=60)
    parser.add_argument("--wrong", type=float, default=0.12)
    parser.add_argument("--hidden", type=float, default=0.33)
    parser.add_argument("--steady", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rules", nargs="*", default=list(RULES), choices=list(RULES))
    said = parser.parse_args()
    change = Change(day=said.from_day, over=said.over, wrong=said.wrong, hidden=said.hidden)
    what = ActionClass(tool="refund", per_day=said.per_day, changes=() if said.steady else (change,))
    classes = tuple(replace(what, tool=f"tool-{number}") for number in range(said.classes))
    people = tuple(Person(name=name, minutes=2_000.0) for name in ("ann", "ben", "cem"))
    scenario = checked(Scenario(days=said.days, classes=classes, people=people))
    print("| rows that certify | level | classes signed up to it | of which broken | day (median) |\n|---|---:|---:|---:|---:|")
    for rule in said.rules:
        year = played(rule, scenario, said.seed)
        total = year.total
        print(told(rule, [year], 3), told(rule, [year], 4), sep="\n")
        passed = total.passed / max(1, total.proposed)
        print(f"| {rule} | all | {passed:.1%} pass | {total.risk / max(1, total.passed):.2%} of it wrong | |", flush=True)


if __name__ == "__main__":
    main()
