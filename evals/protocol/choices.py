"""What the numbers chosen for the monitor's reserve and for the drift watch do, on seeded streams; it chooses none itself.

`python -m assent.evals.protocol.choices [--streams N]` prints the tables of docs/certificates.md and docs/decisions/0036.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections.abc import Callable, Iterator
from statistics import median

from ..tables import percent
from ..watch.drift import reference, watch
from ..watch.monitor import observe, start
from .alarms import AUDITS
from .table import Shown, lines_of

ALPHA, CALM_RATE, CHANGED_RATE = 0.05, 0.02, 0.15
RESERVES = (0.0, 0.1, 0.2)
CALMS = (0, 200, 500, 1000)
"""Audits before the change."""
SHARES = (0.2, 0.02)
"""Of what passes is audited, where the monitor is fed every action."""
REFERENCES = (200, 500)

Draw = Callable[[random.Random], float]
DRAWN: dict[str, Draw] = {
    "score, spread evenly": lambda source: source.random(),
    "score, nearly always high": lambda source: source.betavariate(8, 1),
    "yes in 2%": lambda source: float(source.random() < 0.02),
    "yes in 10%": lambda source: float(source.random() < 0.10),
    "yes in 40%": lambda source: float(source.random() < 0.40),
}


def until_alarm(source: random.Random, rates: Iterator[float], *, reserve: float = 0.0, share: float = 1.0) -> int | None:
    """Return at which action the monitor rings when wrong ones come at these rates; None if it does not.

    With a share below 1 it is fed every action, whether audited or not, weighted by its share.
    """
    monitor = start(ALPHA, reserve=reserve)
    for rate in rates:
        monitor = observe(monitor, source.random() < rate, share=share, drawn=source.random() < share)
        if monitor.alarmed:
            return monitor.alarmed_at
    return None


def reserves(streams: int) -> Shown:
    """Return false alarms, and the median audits from a change to the alarm, by reserve and length of the calm before."""
    rows = []
    for reserve in RESERVES:
        false = [until_alarm(_source(n), iter([ALPHA] * AUDITS), reserve=reserve) for n in range(streams)]
        rang = sum(one is not None for one in false) / streams
        delays = [_delay(streams, reserve, calm) for calm in CALMS]
        rows.append((f"{reserve:g}", percent(rang, 1), *(f"{one:.0f}" for one in delays)))
    columns = ("reserve", "alarms at 5%", "changed from the start", *(f"after {calm:,}" for calm in CALMS[1:]))
    return Shown("Reserve", columns, tuple(rows))


def _delay(streams: int, reserve: float, calm: int) -> float:
    found = []
    for stream in range(streams):
        rates = (CALM_RATE if place < calm else CHANGED_RATE for place in range(calm + AUDITS))
        rang = until_alarm(_source(stream), rates, reserve=reserve)
        found.append(AUDITS if rang is None else max(0, rang - calm))
    return median(found)


def weighted(streams: int) -> Shown:
    """Return how many actions pass before the alarm when all are fed, weighted by the share that is audited."""
    most, rows = 3 * AUDITS, []
    for share in SHARES:
        found = [until_alarm(_source(n), iter([CHANGED_RATE] * most), share=share) for n in range(streams)]
        middle = median(math.inf if one is None else one for one in found)
        never = sum(one is None for one in found) / streams
        rows.append((percent(share, 0), f"{middle:.0f}" if math.isfinite(middle) else "-", percent(never, 1)))
    return Shown("Fed every action", ("share", "median actions", f"not within {most:,}"), tuple(rows))


def drifting(streams: int) -> Shown:
    """Return in how many streams without a change the drift watch warns, by what is watched and how long the reference is."""
    rows = []
    for name, draw in DRAWN.items():
        warned = [sum(_warns(_source(n), draw, length) for n in range(streams)) / streams for length in REFERENCES]
        rows.append((name, *(percent(one, 1) for one in warned)))
    return Shown("Warnings without a change", ("watched", *(f"reference of {length}" for length in REFERENCES)), tuple(rows))


def _warns(source: random.Random, draw: Draw, length: int) -> bool:
    found = reference([draw(source) for _ in range(length)])
    for _ in range(AUDITS):
        if found is None or found.warned:
            break
        found = watch(found, draw(source))
    return found is not None and found.warned


def _source(stream: int) -> random.Random:
    return random.Random(f"choices {stream}")  # noqa: S311  repeatable, not secret


def main(arguments: list[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m assent.evals.protocol.choices", description=__doc__)
    parser.add_argument("--streams", type=int, default=400, help="seeded streams a cell")
    streams = max(1, parser.parse_args(arguments).streams)
    for made in (reserves, weighted, drifting):
        shown = made(streams)
        print("\n".join(["", shown.title, *lines_of(shown)]), flush=True)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
